#pragma once
#include <cstddef>
enum uart_port_t { UART_NUM_0, UART_NUM_1, UART_NUM_2 };
extern "C" int uart_write_bytes(uart_port_t port, const void *data, size_t size);

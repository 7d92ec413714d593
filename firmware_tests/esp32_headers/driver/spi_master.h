#pragma once
#include <cstddef>
#include <cstdint>
#include "esp_err.h"
enum spi_host_device_t { SPI1_HOST, SPI2_HOST, SPI3_HOST };
using spi_device_handle_t = struct SpiDevice *;

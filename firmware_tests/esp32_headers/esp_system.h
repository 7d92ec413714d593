#pragma once
#include <cstdint>
extern "C" [[noreturn]] void esp_system_abort(const char *details);
extern "C" [[noreturn]] void esp_restart();

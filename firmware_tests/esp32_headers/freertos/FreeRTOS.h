#pragma once
#include <cstdint>
#include "sdkconfig.h"
#define configTASK_NOTIFICATION_ARRAY_ENTRIES CONFIG_FREERTOS_TASK_NOTIFICATION_ARRAY_ENTRIES

using BaseType_t = int;
using UBaseType_t = unsigned;
using TickType_t = uint32_t;
constexpr BaseType_t pdTRUE = 1;
constexpr BaseType_t pdFALSE = 0;
constexpr TickType_t portMAX_DELAY = 0xFFFFFFFF;
constexpr TickType_t portTICK_PERIOD_MS = 1;
#define pdMS_TO_TICKS(ms) (static_cast<TickType_t>(ms))

#pragma once
#include "FreeRTOS.h"
using TaskHandle_t = struct Task *;
extern "C" TaskHandle_t xTaskGetCurrentTaskHandle();
extern "C" BaseType_t xTaskNotifyGiveIndexed(TaskHandle_t task, UBaseType_t index);
extern "C" uint32_t ulTaskNotifyTakeIndexed(UBaseType_t index, BaseType_t clear, TickType_t wait);
extern "C" void vTaskNotifyGiveIndexedFromISR(TaskHandle_t task, UBaseType_t index, BaseType_t *woken);
extern "C" TickType_t xTaskGetTickCount();
extern "C" void vTaskDelay(TickType_t ticks);
extern "C" void vPortYield();
extern "C" BaseType_t xPortInIsrContext();
#define portYIELD_FROM_ISR(woken) (static_cast<void>(woken))
extern "C" char *pcTaskGetName(TaskHandle_t task);

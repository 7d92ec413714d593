#pragma once
#include "FreeRTOS.h"
using SemaphoreHandle_t = struct Semaphore *;
extern "C" SemaphoreHandle_t xSemaphoreCreateMutex();
extern "C" BaseType_t xSemaphoreTake(SemaphoreHandle_t semaphore, TickType_t wait);
extern "C" BaseType_t xSemaphoreGive(SemaphoreHandle_t semaphore);
extern "C" void vSemaphoreDelete(SemaphoreHandle_t semaphore);

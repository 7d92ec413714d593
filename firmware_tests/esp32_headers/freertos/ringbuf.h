#pragma once
#include "FreeRTOS.h"
struct StaticRingbuffer_t {
  uint8_t reserved[64];
};
using RingbufHandle_t = StaticRingbuffer_t *;

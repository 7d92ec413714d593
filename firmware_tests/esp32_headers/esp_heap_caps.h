#pragma once
#include <cstddef>
#include <cstdint>
constexpr uint32_t MALLOC_CAP_8BIT = 1U << 2;
constexpr uint32_t MALLOC_CAP_SPIRAM = 1U << 10;
constexpr uint32_t MALLOC_CAP_INTERNAL = 1U << 11;
extern "C" void *heap_caps_malloc_prefer(size_t size, size_t count, ...);
extern "C" void *heap_caps_realloc_prefer(void *memory, size_t size, size_t count, ...);
extern "C" void *heap_caps_malloc(size_t size, uint32_t caps);
extern "C" void *heap_caps_realloc(void *memory, size_t size, uint32_t caps);
extern "C" size_t heap_caps_get_free_size(uint32_t caps);
extern "C" size_t heap_caps_get_largest_free_block(uint32_t caps);

// A stand-in for ESPHome's helpers, with the functions unit tests need.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace esphome {

template<typename T> class FixedVector : public std::vector<T> {
 public:
  void init(size_t capacity) { this->reserve(capacity); }
};

inline uint16_t crc16(const uint8_t *data, uint16_t length) {
  uint16_t crc = 0xFFFF;
  for (uint16_t i = 0; i < length; i++) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; bit++)
      crc = (crc & 1) ? (crc >> 1) ^ 0xA001 : crc >> 1;
  }
  return crc;
}

inline uint32_t fnv1_hash(const char *text) {
  uint32_t hash = 2166136261U;
  for (; *text != '\0'; text++)
    hash = (hash * 16777619U) ^ static_cast<uint8_t>(*text);
  return hash;
}

}  // namespace esphome

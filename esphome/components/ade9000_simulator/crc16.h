#pragma once

#include <cstddef>
#include <cstdint>

namespace esphome::ade9000_simulator {

/// Computes the chip's checksum of a frame, CRC-16-CCITT (UG-1098, SPI Protocol CRC): polynomial 0x1021, starts at
/// 0xFFFF, most significant bit first, no reflection, no final xor.
constexpr uint16_t CRC16_START = 0xFFFF;

constexpr uint16_t crc16_ccitt(const uint8_t *data, size_t length, uint16_t crc = CRC16_START) {
  for (size_t i = 0; i < length; i++) {
    crc = static_cast<uint16_t>(crc ^ (data[i] << 8));
    for (int bit = 0; bit < 8; bit++)
      crc = static_cast<uint16_t>((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1);
  }
  return crc;
}

}  // namespace esphome::ade9000_simulator

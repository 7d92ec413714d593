#include "ade9000_bus.h"

#include "ade9000_registers.h"

#include <algorithm>

namespace esphome::ade9000 {

namespace {

// Data sheet "SPI protocol": bits 15:4 address, bit 3 set for a read, bits 2:0 zero.
constexpr uint16_t READ_BIT = 1U << 3;
constexpr size_t HEADER_SIZE = 2;
constexpr size_t CRC_SIZE = 2;
// One frame may be damaged, and hardly two in a row.
constexpr int WRITE_ATTEMPTS = 3;
constexpr int READ_ATTEMPTS = 4;

void put_header(uint8_t *frame, uint16_t address, uint16_t flags) {
  const uint16_t header = static_cast<uint16_t>(address << 4) | flags;
  frame[0] = header >> 8;
  frame[1] = header & 0xFF;
}

uint32_t get_big_endian(const uint8_t *data, size_t size) {
  uint32_t value = 0;
  for (size_t i = 0; i < size; i++)
    value = (value << 8) | data[i];
  return value;
}

bool does_not_move(const uint8_t *data, size_t size) {
  return (data[0] == 0x00 || data[0] == 0xFF) &&
         std::all_of(data, data + size, [data](uint8_t byte) { return byte == data[0]; });
}

size_t width_of(uint16_t address) { return reg::is_16_bit(address) ? 2 : 4; }

}  // namespace

uint16_t crc16(const uint8_t *data, size_t length) {
  uint16_t crc = 0xFFFF;
  for (size_t i = 0; i < length; i++) {
    crc ^= static_cast<uint16_t>(data[i]) << 8;
    for (int bit = 0; bit < 8; bit++)
      crc = (crc & 0x8000) ? (crc << 1) ^ 0x1021 : crc << 1;
  }
  return crc;
}

bool Ade9000Bus::read(uint16_t address, uint32_t &value) {
  const size_t width = width_of(address);
  uint8_t frame[HEADER_SIZE + sizeof(uint32_t) + CRC_SIZE] = {};
  put_header(frame, address, READ_BIT);
  this->transport_->transfer(frame, HEADER_SIZE + width + CRC_SIZE);
  const uint8_t *data = frame + HEADER_SIZE;
  // The CRC of nothing but ones is not all ones, nor that of zeros zero, so no whole frame of one register looks so.
  this->stuck_ = does_not_move(data, width + CRC_SIZE);
  if (this->stuck_) {
    this->reject_frame(Rejection::STUCK);
    return false;
  }
  if (crc16(data, width) != get_big_endian(data + width, CRC_SIZE)) {
    this->reject_frame(Rejection::CRC);
    return false;
  }
  value = get_big_endian(data, width);
  return true;
}

void Ade9000Bus::write(uint16_t address, uint32_t value) {
  const size_t width = width_of(address);
  uint8_t frame[HEADER_SIZE + sizeof(uint32_t)];
  put_header(frame, address, 0);
  for (size_t i = 0; i < width; i++)
    frame[HEADER_SIZE + i] = value >> (8 * (width - 1 - i));
  this->transport_->transfer(frame, HEADER_SIZE + width);
}

bool Ade9000Bus::write_checked(uint16_t address, uint32_t value) {
  for (int attempt = 0; attempt < WRITE_ATTEMPTS; attempt++) {
    this->write(address, value);
    uint32_t stored;
    if (this->read(address, stored) && stored == value)
      return true;
  }
  return false;
}

bool Ade9000Bus::read_confirmed(uint16_t address, uint32_t &value, uint32_t tolerance) {
  uint32_t previous = 0;
  bool has_previous = false;
  int failures = 0;
  for (int attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
    uint32_t next;
    if (!this->read(address, next)) {
      if (++failures == 2)
        return false;
      continue;
    }
    if (has_previous && std::max(next, previous) - std::min(next, previous) <= tolerance) {
      value = next;
      return true;
    }
    previous = next;
    has_previous = true;
  }
  this->reject_frame();
  return false;
}

uint16_t Ade9000Bus::read_without_crc(uint16_t address) {
  uint8_t frame[HEADER_SIZE + sizeof(uint16_t)] = {};
  put_header(frame, address, READ_BIT);
  this->transport_->transfer(frame, sizeof(frame));
  return get_big_endian(frame + HEADER_SIZE, sizeof(uint16_t));
}

bool Ade9000Bus::read_burst(uint16_t address, uint32_t *words, size_t count) {
  uint8_t frame[HEADER_SIZE + MAX_BURST_WORDS * sizeof(uint32_t)] = {};
  count = std::min(count, MAX_BURST_WORDS);
  put_header(frame, address, READ_BIT);
  this->transport_->transfer(frame, HEADER_SIZE + count * sizeof(uint32_t));
  const uint8_t *data = frame + HEADER_SIZE;
  for (size_t i = 0; i < count; i++)
    words[i] = get_big_endian(data + i * sizeof(uint32_t), sizeof(uint32_t));
  return !does_not_move(data, count * sizeof(uint32_t));
}

void Ade9000Bus::read_samples(uint16_t address, int16_t *samples, size_t count) {
  uint8_t frame[HEADER_SIZE + MAX_SAMPLES * sizeof(int16_t)] = {};
  count = std::min(count, MAX_SAMPLES);
  put_header(frame, address, READ_BIT);
  this->transport_->transfer(frame, HEADER_SIZE + count * sizeof(int16_t));
  const uint8_t *data = frame + HEADER_SIZE;
  for (size_t i = 0; i < count; i++)
    samples[i] = static_cast<int16_t>(get_big_endian(data + i * sizeof(int16_t), sizeof(int16_t)));
}

}  // namespace esphome::ade9000

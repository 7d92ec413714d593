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
constexpr int ATTEMPTS = 3;

uint16_t header_of(uint16_t address, uint16_t flags) { return static_cast<uint16_t>(address << 4) | flags; }

void put_header(uint8_t *frame, uint16_t header) {
  frame[0] = header >> 8;
  frame[1] = header & 0xFF;
}

void put_big_endian(uint8_t *data, size_t size, uint32_t value) {
  for (size_t i = 0; i < size; i++)
    data[i] = value >> (8 * (size - 1 - i));
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

bool Ade9000Bus::read(uint16_t address, uint32_t &value, uint32_t expected) {
  const size_t width = width_of(address);
  uint8_t frame[HEADER_SIZE + sizeof(uint32_t) + CRC_SIZE] = {};
  const uint16_t header = header_of(address, READ_BIT);
  put_header(frame, header);
  put_big_endian(frame + HEADER_SIZE, width, expected);
  this->transport_->transfer(frame, HEADER_SIZE + width + CRC_SIZE);
  // The chip does not count the reading of LAST_CMD (TRM p. 35).
  if (address != reg::LAST_CMD)
    this->last_header_ = header;
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

bool Ade9000Bus::read_last_command_(uint16_t &header) {
  // Reading it does not change it, so it can be read again.
  for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
    uint32_t command;
    if (this->read(reg::LAST_CMD, command)) {
      header = command;
      return true;
    }
  }
  return false;
}

bool Ade9000Bus::read_confirmed(uint16_t address, uint32_t &value, uint32_t expected) {
  for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
    uint32_t code;
    if (!this->read(address, code, expected))
      continue;
    uint16_t header;
    if (!this->read_last_command_(header))
      return false;
    if (header == header_of(address, READ_BIT)) {
      value = code;
      return true;
    }
    this->reject_frame();
  }
  return false;
}

void Ade9000Bus::write_blindly(uint16_t address, uint32_t value) {
  const size_t width = width_of(address);
  uint8_t frame[HEADER_SIZE + sizeof(uint32_t)];
  this->last_header_ = header_of(address, 0);
  put_header(frame, this->last_header_);
  put_big_endian(frame + HEADER_SIZE, width, value);
  this->transport_->transfer(frame, HEADER_SIZE + width);
}

void Ade9000Bus::write(uint16_t address, uint32_t value) {
  const uint16_t before = this->last_header_;
  this->write_blindly(address, value);
  // A chip that still tells of the frame before has not got this one. The answer itself may be another register's.
  const auto is_stray = [&](uint16_t header) {
    return header != header_of(address, 0) && header != before && (header & READ_BIT) == 0;
  };
  uint16_t header;
  if (this->read_last_command_(header) && is_stray(header) && this->read_last_command_(header) && is_stray(header)) {
    this->reject_frame();
    this->stray_write_ = true;
  }
}

bool Ade9000Bus::write_checked(uint16_t address, uint32_t value) {
  for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
    this->write(address, value);
    uint32_t stored;
    if (this->read(address, stored, value) && stored == value)
      return true;
  }
  return false;
}

void Ade9000Bus::read_samples(uint16_t address, int16_t *samples, size_t count) {
  uint8_t frame[HEADER_SIZE + MAX_SAMPLES * sizeof(int16_t)] = {};
  count = std::min(count, MAX_SAMPLES);
  put_header(frame, header_of(address, READ_BIT));
  this->transport_->transfer(frame, HEADER_SIZE + count * sizeof(int16_t));
  const uint8_t *data = frame + HEADER_SIZE;
  for (size_t i = 0; i < count; i++)
    samples[i] = static_cast<int16_t>(get_big_endian(data + i * sizeof(int16_t), sizeof(int16_t)));
}

}  // namespace esphome::ade9000

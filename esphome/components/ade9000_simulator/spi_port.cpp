#include "spi_port.h"

#include "chip_addresses.h"
#include "crc16.h"

#include <algorithm>

namespace esphome::ade9000_simulator {

namespace {

constexpr size_t HEADER_BYTES = 2;
constexpr uint16_t READ_BIT = 1u << 3;

constexpr uint16_t address_of(uint16_t header) { return header >> 4; }

constexpr bool in_burst_region(uint16_t address) {
  return (address >= 0x500 && address <= 0x63C) || (address >= 0x680 && address <= 0x6BC);
}

size_t width_of(uint16_t address) { return RegisterFile::is_16_bit(address) ? 2 : 4; }

/// Most significant byte first, as far as there is room.
size_t shift_out(uint32_t value, size_t width, uint8_t *data, size_t length) {
  const size_t count = std::min(width, length);
  for (size_t i = 0; i < count; i++)
    data[i] = static_cast<uint8_t>(value >> (8 * (width - 1 - i)));
  return count;
}

/// Registers that tell of the last communication and are not changed by reading them.
constexpr bool tells_of_communication(uint16_t address) {
  return address == address::LAST_CMD || address == address::LAST_DATA_16 || address == address::LAST_DATA_32 ||
         address == address::CRC_SPI;
}

}  // namespace

void SpiPort::exchange(uint8_t *data, size_t length) {
  if (length < HEADER_BYTES) {
    std::fill(data, data + length, 0);
    return;
  }
  const auto header = static_cast<uint16_t>(data[0] << 8 | data[1]);
  uint8_t *payload = data + HEADER_BYTES;
  const size_t payload_length = length - HEADER_BYTES;
  if ((header & READ_BIT) == 0)
    this->write_(header, payload, payload_length);
  std::fill(data, data + length, 0);
  if ((header & READ_BIT) != 0)
    this->read_(header, payload, payload_length);
}

void SpiPort::read_(uint16_t header, uint8_t *data, size_t length) {
  const uint16_t address = address_of(header);
  if (address >= address::WAVEFORM_BUFFER) {
    this->listener_.on_waveform_read(address, data, length);
    return;
  }
  const bool burst = this->registers_.any(address::CONFIG1, bits::CONFIG1_BURST_EN);
  if (burst && in_burst_region(address)) {
    this->read_burst_(address, data, length);
    return;
  }
  const uint32_t value = this->registers_.read(address);
  const size_t width = width_of(address);
  // As soon as the header is there (UG-1098 p. 35), however much of the reply is fetched.
  if (!tells_of_communication(address))
    this->remember_(header, value);
  if (shift_out(value, width, data, length) < width)
    return;
  const uint16_t crc = crc16_ccitt(data, width);
  if (!burst)
    shift_out(crc, 2, data + width, length - width);
  if (!tells_of_communication(address))
    this->registers_.store(address::CRC_SPI, crc);
  this->listener_.on_register_read(address);
}

void SpiPort::read_burst_(uint16_t address, uint8_t *data, size_t length) {
  size_t done = 0;
  while (length > 0 && in_burst_region(address)) {
    this->listener_.on_burst_progress(done);
    const size_t count = shift_out(this->registers_.read(address), width_of(address), data, length);
    data += count;
    done += count;
    length -= count;
    address++;
  }
}

void SpiPort::write_(uint16_t header, const uint8_t *data, size_t length) {
  const uint16_t address = address_of(header);
  const size_t width = width_of(address);
  if (length < width)
    return;
  uint32_t value = 0;
  for (size_t i = 0; i < width; i++)
    value = value << 8 | data[i];
  this->remember_(header, value);
  if (this->registers_.write(address, value))
    this->listener_.on_register_written(address, value);
}

void SpiPort::remember_(uint16_t header, uint32_t value) {
  this->registers_.store(address::LAST_CMD, header);
  if (RegisterFile::is_16_bit(address_of(header)))
    this->registers_.store(address::LAST_DATA_16, value);
  else
    this->registers_.store(address::LAST_DATA_32, value);
}

}  // namespace esphome::ade9000_simulator

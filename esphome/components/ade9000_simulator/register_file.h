#pragma once

#include <array>
#include <cstdint>

namespace esphome::ade9000_simulator {

/// Address space of the chip, 12 bits.
constexpr uint16_t ADDRESS_COUNT = 0x1000;

/// The chip's registers as the SPI port sees them: what they hold, who may write them, what a reset makes of them.
class RegisterFile {
 public:
  RegisterFile() { this->reset(); }

  /// 16-bit registers lie at 0x480..0x4FE, all others have 32 bits.
  static bool is_16_bit(uint16_t address) { return address >= 0x480 && address <= 0x4FE; }

  /// All registers as after power-up.
  void reset();

  /// What the SPI port reads; reserved addresses read 0.
  uint32_t read(uint16_t address) const { return this->values_[resolve_(address)]; }
  int32_t read_signed(uint16_t address) const { return static_cast<int32_t>(this->read(address)); }
  bool any(uint16_t address, uint32_t mask) const { return (this->read(address) & mask) != 0; }

  /// A write over SPI: read-only and locked registers keep their value, status bits written 1 clear.
  /// @return whether the register was writable.
  bool write(uint16_t address, uint32_t value);

  /// Sets a register from inside the chip, whatever the SPI port may write.
  void store(uint16_t address, uint32_t value) { this->values_[address] = value; }
  void store_signed(uint16_t address, double value);
  void set_bits(uint16_t address, uint32_t mask) { this->values_[address] |= mask; }
  void clear_bits(uint16_t address, uint32_t mask) { this->values_[address] &= ~mask; }

  /// CRC-16 over everything a person configures; status and results are no part of it.
  uint16_t configuration_crc() const;

 protected:
  /// Where a mirrored address (the burst regions) really lies.
  static uint16_t resolve_(uint16_t address);
  bool locked_(uint16_t address) const;
  /// Always part of the configuration checksum, or included by CRC_OPTEN.
  bool in_configuration_crc_(uint16_t address) const;

  std::array<uint32_t, ADDRESS_COUNT> values_{};
};

}  // namespace esphome::ade9000_simulator

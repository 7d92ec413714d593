#pragma once

#include <array>
#include <cstdint>

namespace esphome::ade9000_simulator {

/// Address space of the chip, 12 bits.
constexpr uint16_t ADDRESS_COUNT = 0x1000;

/// Holds the chip's registers: their values, whether they can be written, and their reset values.
class RegisterFile {
 public:
  RegisterFile() { this->reset(); }

  /// Returns whether a register has 16 bits, as those at 0x480..0x4FE do; all others have 32.
  static bool is_16_bit(uint16_t address) { return address >= 0x480 && address <= 0x4FE; }

  /// Sets all registers to their reset values.
  void reset();

  /// Reads a register for the SPI port; reserved addresses read 0.
  uint32_t read(uint16_t address) const { return this->values_[resolve_(address)]; }
  int32_t read_signed(uint16_t address) const { return static_cast<int32_t>(this->read(address)); }
  bool any(uint16_t address, uint32_t mask) const { return (this->read(address) & mask) != 0; }

  /// Writes a register for the SPI port: read-only and locked registers keep their value, status bits written 1 clear.
  /// @return whether the register was writable.
  bool write(uint16_t address, uint32_t value);

  /// Sets a register from inside the chip, whatever the SPI port may write.
  void store(uint16_t address, uint32_t value) { this->values_[address] = value; }
  void store_signed(uint16_t address, double value);
  void set_bits(uint16_t address, uint32_t mask) { this->values_[address] |= mask; }
  void clear_bits(uint16_t address, uint32_t mask) { this->values_[address] &= ~mask; }

  /// Computes the CRC-16 of the configuration registers; status and results are left out.
  uint16_t configuration_crc() const;

 protected:
  /// Returns the address of the register that a mirrored address (of a burst region) stands for.
  static uint16_t resolve_(uint16_t address);
  bool locked_(uint16_t address) const;
  /// Returns whether a register is part of the configuration checksum, always or by CRC_OPTEN.
  bool in_configuration_crc_(uint16_t address) const;

  std::array<uint32_t, ADDRESS_COUNT> values_{};
};

}  // namespace esphome::ade9000_simulator

#pragma once

#include "ade9000_bus.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace esphome::ade9000 {

/// Registers set by the driver, with their values, in the order of writing.
class ChipSettings {
 public:
  struct Setting {
    uint16_t address;
    uint32_t value;
  };
  static constexpr size_t MAX_SETTINGS = 48;

  /// Adds a register, or changes the value of a register. @return false if there is no room (MAX_SETTINGS).
  bool set(uint16_t address, uint32_t value);
  /// Value of a register; 0 if it is not set here.
  uint32_t get(uint16_t address) const;
  /// Whether a register is set here.
  bool has(uint16_t address) const;

  const Setting *begin() const { return this->settings_.data(); }
  const Setting *end() const { return this->settings_.data() + this->count_; }

  /// Writes every register and reads the values back. @return the first register that refused its value, else nullptr.
  const Setting *write_to(Ade9000Bus &bus) const;

  /** Writes back what a disturbed frame may have written: the settings, and the reset values of registers that nobody
   * sets.
   *
   * @return false if a register did not take its value.
   */
  bool repair(Ade9000Bus &bus) const;

  enum class Comparison : uint8_t { EQUAL, DIFFERENT, UNREADABLE };
  /// Compares every register of the chip with its setting.
  Comparison compare_with(Ade9000Bus &bus) const;

 protected:
  std::array<Setting, MAX_SETTINGS> settings_{};
  size_t count_{0};
};

}  // namespace esphome::ade9000

#pragma once

#include "chip_addresses.h"
#include "register_file.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace esphome::ade9000_simulator {

/// Simulates the chip's thermometer: TEMP_CFG starts a conversion, TEMP_RSLT has 12 bits, and
/// degrees = TEMP_RSLT * -GAIN / 65536 + OFFSET / 32 with the factory's TEMP_TRIM (data sheet Rev B, Temperature).
class TemperatureSensor {
 public:
  /// Sets the temperature of the chip, degrees Celsius.
  void set(double temperature) { this->temperature_ = temperature; }
  void reset() { this->ready_at_ = std::numeric_limits<double>::infinity(); }
  void on_register_written(RegisterFile &registers, double real_now) {
    constexpr uint32_t START = bits::TEMP_CFG_TEMP_EN | bits::TEMP_CFG_TEMP_START;
    if ((registers.read(address::TEMP_CFG) & START) == START)
      this->ready_at_ = real_now + CONVERSION_TIME;
  }
  void advance(RegisterFile &registers, double real_now) {
    if (real_now < this->ready_at_)
      return;
    this->reset();
    const uint32_t trim = registers.read(address::TEMP_TRIM);
    const double steps = ((trim >> 16) / 32.0 - this->temperature_) * 65536.0 / (trim & 0xFFFF);
    registers.store(address::TEMP_RSLT, static_cast<uint32_t>(std::lround(std::clamp(steps, 0.0, 4095.0))));
    registers.clear_bits(address::TEMP_CFG, bits::TEMP_CFG_TEMP_START);
    registers.set_bits(address::STATUS0, bits::STATUS0_TEMP_RDY);
  }

 protected:
  /// Duration of a conversion, s. Assumption: always the shortest of TEMP_CFG.TEMP_TIME, 1 to 1024 samples.
  static constexpr double CONVERSION_TIME = 0.00125;

  double temperature_{38.0};
  double ready_at_{std::numeric_limits<double>::infinity()};
};

}  // namespace esphome::ade9000_simulator

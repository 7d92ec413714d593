#pragma once

#include "ade9000_registers.h"

#include <cstdint>

namespace esphome::ade9000 {

/// Turns the chip's codes into units of the mains, from the two ratios of the analogue front end.
struct Scaling {
  /// Mains volts per volt at a voltage pin.
  double voltage_divider;
  /// Volts at a current pin per ampere of mains current.
  double current_sensitivity;

  /// Mains rms volts at full scale.
  double full_scale_voltage() const { return reg::FULL_SCALE_PIN_RMS * this->voltage_divider; }
  /// Mains rms amperes at full scale.
  double full_scale_current() const { return reg::FULL_SCALE_PIN_RMS / this->current_sensitivity; }

  double volts(uint32_t code) const { return code / reg::FULL_SCALE_RMS * this->full_scale_voltage(); }
  double amperes(uint32_t code) const { return code / reg::FULL_SCALE_RMS * this->full_scale_current(); }
  /// Watts, vars or volt-amperes.
  double power(int32_t code) const {
    return code / reg::FULL_SCALE_POWER * this->full_scale_voltage() * this->full_scale_current();
  }
  /// Nanowatt-hours of one code of an energy accumulator, which adds the power code once a sample.
  double nanowatt_hours_per_code() const {
    return this->full_scale_voltage() * this->full_scale_current() / reg::FULL_SCALE_POWER / reg::SAMPLE_RATE / 3600.0 *
           1e9;
  }
  static double power_factor(int32_t code) { return code / reg::FIXED_5_27; }
  /// Hertz, from the period in 1/65536 of a sample (data sheet "Line period calculation").
  static double hertz(uint32_t period) { return reg::SAMPLE_RATE * 65536.0 / (period + 1.0); }
};

}  // namespace esphome::ade9000

#pragma once

#include "ade9000_registers.h"

#include <cmath>
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
  /// Value of a no-load register below which the chip counts nothing: watts, vars or volt-amperes of a phase.
  uint32_t no_load_level(double power) const {
    const double full_scale = this->full_scale_voltage() * this->full_scale_current();
    return static_cast<uint32_t>(std::lround(power / full_scale * reg::FULL_SCALE_POWER * reg::NO_LOAD_STEPS));
  }
  /// Nanowatt-hours of one code of an energy accumulator, which adds the power code once a sample.
  double nanowatt_hours_per_code() const {
    return this->full_scale_voltage() * this->full_scale_current() / reg::FULL_SCALE_POWER / reg::SAMPLE_RATE / 3600.0 *
           1e9;
  }
  /// Codes that an accumulator gains at a steady power, in W, var or VA.
  double energy_codes(double power, double seconds) const {
    return power * seconds / 3600.0 * 1e9 / this->nanowatt_hours_per_code();
  }
  /// Mains volts at the crest, from a VPEAK register.
  double peak_volts(uint32_t code) const { return peak_at_pin(code) * this->voltage_divider; }
  /// Mains amperes at the crest, from an IPEAK register.
  double peak_amperes(uint32_t code) const { return peak_at_pin(code) / this->current_sensitivity; }
  /// Magnitude of the greatest sample, which may be one of the negative half of the wave, V.
  static double peak_at_pin(uint32_t code) {
    constexpr int SPARE_BITS = 32 - reg::PEAK_BITS;
    const int32_t value = static_cast<int32_t>(code << SPARE_BITS) >> SPARE_BITS;
    return std::abs(value * reg::PEAK_DIVISOR / reg::FULL_SCALE_PCF);
  }
  /// Hertz, from the period in 1/65536 of a sample (data sheet "Line period calculation").
  static double hertz(uint32_t period) { return reg::SAMPLE_RATE * 65536.0 / (period + 1.0); }
  /// Percent of the fundamental, from a THD register.
  static double percent(int32_t code) { return code / reg::FIXED_5_27 * 100; }
  /** Degrees by which the second signal lags the first, above -180, up to 180.
   *
   * @param code of an angle register (TRM "Angle Measurement").
   * @param frequency hertz.
   */
  static double degrees(uint32_t code, double frequency) {
    const double lag = code * 360.0 * frequency / reg::ANGLE_CLOCK;
    return -std::remainder(-lag, 360.0);
  }
  /// Degrees Celsius (data sheet "Temperature"): TEMP_TRIM holds offset (31:16, 1/32) and gain (15:0, 1/65536 a step).
  static double celsius(uint32_t result, uint32_t trim) {
    return (trim >> 16) / 32.0 - static_cast<double>(result) * (trim & 0xFFFF) / 65536.0;
  }
};

}  // namespace esphome::ade9000

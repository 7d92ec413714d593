#pragma once

#include "signal_model.h"

namespace esphome::ade9000_simulator {

/// What lies between the mains and the pins of the chip.
struct FrontEnd {
  /// Mains volts per volt at the pin.
  double voltage_divider{1000.4};
  /// Volts at the pin per mains ampere.
  double current_sensitivity{0.0066965};
};

/// Codes of the chip at full scale: 1 V peak at the pin, all gains 1 (data sheet Rev B; UG-1098).
constexpr double RMS_FULL_SCALE_CODE = 52702092.0;
constexpr double POWER_FULL_SCALE_CODE = 20694066.0;
constexpr double PCF_FULL_SCALE_CODE = 74532013.0;
/// V rms at the pin at full scale: 1/sqrt(2).
constexpr double PIN_FULL_SCALE = 0.70710678118654752;

}  // namespace esphome::ade9000_simulator

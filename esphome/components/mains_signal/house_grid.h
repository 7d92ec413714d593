#pragma once

#include "house_time.h"
#include "signal_model.h"

namespace esphome::mains_signal {

/// Returns the frequency of the synchronous area, Hz, within 49.95..50.05.
double grid_frequency(const HouseTime &time);

/// Returns the voltage at the house, V rms: the voltage of the street, less the drop of the house's own current in the
/// line, a rise when the house exports.
double connection_voltage(const HouseTime &time, int phase, const LoadDemand &demand);

/// Returns the harmonics of the street's voltage; within EN 50160, most in the evening, when the televisions run.
Harmonics background_harmonics(const HouseTime &time, int phase);

}  // namespace esphome::mains_signal

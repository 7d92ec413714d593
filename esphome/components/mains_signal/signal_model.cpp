#include "signal_model.h"

#include "spectrum.h"

#include <algorithm>
#include <cmath>

namespace esphome::mains_signal {

namespace {
constexpr double DEAD_LINE_VOLTAGE = 0.1 * NOMINAL_VOLTAGE;
}

double total_distortion(const Harmonics &harmonics) {
  double squares = 0.0;
  for (const Harmonic &harmonic : harmonics)
    squares += harmonic.ratio * harmonic.ratio;
  return std::sqrt(squares);
}

double PhaseSignal::rms_voltage() const {
  return this->voltage * std::hypot(1.0, total_distortion(this->voltage_harmonics));
}

double PhaseSignal::current() const { return current_spectrum(*this, 0).rms(); }

double PhaseSignal::total_active_power() const {
  Spectrum harmonics = voltage_spectrum(*this, 0);
  harmonics.set(1, 0.0);
  return this->active_power + mains_signal::active_power(harmonics, current_spectrum(*this, 0));
}

double PhaseSignal::lag() const { return std::atan2(this->reactive_power, this->active_power); }

PhaseSignal PhaseSignal::from_power(double voltage, double active_power, double reactive_power,
                                    double distortion_current) {
  const double supply = std::min(1.0, voltage / DEAD_LINE_VOLTAGE);
  PhaseSignal phase;
  phase.voltage = voltage;
  phase.active_power = active_power * supply * supply;
  phase.reactive_power = reactive_power * supply * supply;
  phase.fundamental_current = std::hypot(active_power, reactive_power) * supply / std::max(voltage, DEAD_LINE_VOLTAGE);
  phase.distortion_current = distortion_current;
  return phase;
}

}  // namespace esphome::mains_signal

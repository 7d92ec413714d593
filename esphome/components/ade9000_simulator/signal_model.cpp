#include "signal_model.h"

#include <algorithm>
#include <cmath>

namespace esphome::ade9000_simulator {

namespace {
constexpr double DEAD_LINE_VOLTAGE = 0.1 * NOMINAL_VOLTAGE;
}

double PhaseSignal::current() const { return std::hypot(this->fundamental_current, this->distortion_current); }

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

}  // namespace esphome::ade9000_simulator

#include "recorded_phase.h"

#include <algorithm>
#include <cmath>

namespace esphome::ade9000_simulator {

namespace {

/// Length of the other leg of a right triangle; 0 where rounding in the recording makes the leg the longer side.
double other_leg(double hypotenuse, double leg) {
  return std::sqrt(std::max(0.0, hypotenuse * hypotenuse - leg * leg));
}

}  // namespace

PhaseSignal reconstruct_phase(const RecordedPhase &recorded) {
  if (!recorded.voltage && !recorded.current && !recorded.active_power && !recorded.reactive_power)
    return {};
  const double voltage = recorded.voltage.value_or(NOMINAL_VOLTAGE);
  const double reactive_power = recorded.reactive_power.value_or(0.0);
  if (recorded.active_power || !recorded.current) {
    PhaseSignal phase = PhaseSignal::from_power(voltage, recorded.active_power.value_or(0.0), reactive_power);
    if (recorded.current)
      phase.distortion_current = other_leg(*recorded.current, phase.fundamental_current);
    return phase;
  }
  const double active_power = std::copysign(other_leg(voltage * *recorded.current, reactive_power), *recorded.current);
  PhaseSignal phase;
  phase.voltage = voltage;
  phase.active_power = active_power;
  // A recorded current is exact: it flows at any voltage, and bounds the reactive power.
  const double apparent_power = voltage * std::abs(*recorded.current);
  phase.reactive_power = std::clamp(reactive_power, -apparent_power, apparent_power);
  phase.fundamental_current = std::abs(*recorded.current);
  return phase;
}

}  // namespace esphome::ade9000_simulator

#include "recorded_phase.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace esphome::mains_signal {

namespace {

constexpr double DEGREE = std::numbers::pi / 180.0;
constexpr int HARMONIC_POWER_ROUNDS = 8;

/// Length of the other leg of a right triangle; 0 where rounding in the recording makes the leg the longer side.
double other_leg(double hypotenuse, double leg) {
  return std::sqrt(std::max(0.0, hypotenuse * hypotenuse - leg * leg));
}

/// The phase whose voltage and powers these are, of the fundamental.
PhaseSignal reconstruct_fundamental(const RecordedPhase &recorded, double voltage) {
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

}  // namespace

PhaseSignal reconstruct_phase(const RecordedPhase &recorded) {
  if (!recorded.voltage && !recorded.current && !recorded.active_power && !recorded.reactive_power)
    return {};
  const double voltage =
      recorded.voltage.value_or(NOMINAL_VOLTAGE) / std::hypot(1.0, total_distortion(recorded.voltage_harmonics));
  RecordedPhase fundamental = recorded;
  if (recorded.current)
    fundamental.current = *recorded.current / std::hypot(1.0, total_distortion(recorded.current_harmonics));
  PhaseSignal phase;
  // The harmonics carry power too, which depends on the fundamental current: settled after a few rounds.
  for (int round = 0; round < HARMONIC_POWER_ROUNDS; round++) {
    phase = reconstruct_fundamental(fundamental, voltage);
    phase.voltage_harmonics = recorded.voltage_harmonics;
    phase.current_harmonics = recorded.current_harmonics;
    if (!recorded.active_power || recorded.voltage_harmonics.empty())
      break;
    fundamental.active_power = *recorded.active_power - (phase.total_active_power() - phase.active_power);
  }
  phase.voltage_angle = recorded.voltage_angle * DEGREE;
  return phase;
}

}  // namespace esphome::mains_signal

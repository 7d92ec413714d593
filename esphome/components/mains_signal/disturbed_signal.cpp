#include "disturbed_signal.h"

#include <numbers>

namespace esphome::mains_signal {

namespace {

/// Disturbances kept; an older one gives way.
constexpr size_t MOST_DISTURBANCES = 64;

void apply(Signal &signal, const Disturbance &disturbance) {
  for (int i = 0; i < PHASES; i++) {
    if (((disturbance.phases >> i) & 1) == 0)
      continue;
    PhaseSignal &phase = signal.phases[i];
    const double power_factor = disturbance.voltage_factor * disturbance.current_factor;
    phase.voltage *= disturbance.voltage_factor;
    phase.fundamental_current *= disturbance.current_factor;
    phase.distortion_current *= disturbance.current_factor;
    phase.active_power *= power_factor;
    phase.reactive_power *= power_factor;
  }
  if (disturbance.wrong_sequence) {
    // L2 takes the place of L3, a third of a turn later, and L3 that of L2.
    signal.phases[1].voltage_angle -= 2.0 * std::numbers::pi / PHASES;
    signal.phases[2].voltage_angle += 2.0 * std::numbers::pi / PHASES;
  }
}

}  // namespace

void DisturbedSignal::add(const Disturbance &disturbance) {
  if (this->disturbances_.size() == MOST_DISTURBANCES)
    this->disturbances_.erase(this->disturbances_.begin());
  this->disturbances_.push_back(disturbance);
}

Signal DisturbedSignal::at(double seconds) const {
  Signal signal = this->undisturbed_->at(seconds);
  for (const Disturbance &disturbance : this->disturbances_) {
    if (seconds >= disturbance.from && seconds < disturbance.to)
      apply(signal, disturbance);
  }
  return signal;
}

}  // namespace esphome::mains_signal

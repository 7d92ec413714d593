#include "snapshot.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace esphome::ade9000 {

namespace {

constexpr float NOTHING = std::numeric_limits<float>::quiet_NaN();

/// Median of the first `count` values; of two, their mean. NaN of none.
float median(std::array<float, PHASES> values, size_t count) {
  if (count == 0)
    return NOTHING;
  std::sort(values.begin(), values.begin() + count);
  return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

}  // namespace

Snapshot::Snapshot() {
  for (auto &channel : this->values_)
    channel.fill(NOTHING);
}

Snapshot make_snapshot(const std::array<PhaseValues, PHASES> &phases, const Validity &validity) {
  Snapshot snapshot;
  std::array<float, PHASES> frequencies{};
  size_t with_frequency = 0;
  double active = 0, reactive = 0, apparent = 0;
  for (size_t i = 0; i < PHASES; i++) {
    const PhaseValues &phase = phases[i];
    const auto channel = static_cast<Channel>(i);
    snapshot.at(channel, Quantity::VOLTAGE) = phase.voltage;
    snapshot.at(channel, Quantity::CURRENT) = phase.current;
    snapshot.at(channel, Quantity::ACTIVE_POWER) = phase.active_power;
    snapshot.at(channel, Quantity::REACTIVE_POWER) = phase.reactive_power;
    snapshot.at(channel, Quantity::APPARENT_POWER) = phase.apparent_power;
    if (phase.apparent_power >= validity.minimum_apparent_power)
      snapshot.at(channel, Quantity::POWER_FACTOR) = std::clamp(phase.power_factor, -1.0, 1.0);
    if (phase.voltage >= validity.minimum_voltage) {
      snapshot.at(channel, Quantity::FREQUENCY) = phase.frequency;
      frequencies[with_frequency++] = phase.frequency;
    }
    active += phase.active_power;
    reactive += phase.reactive_power;
    apparent += phase.apparent_power;
  }
  snapshot.at(Channel::TOTAL, Quantity::ACTIVE_POWER) = active;
  snapshot.at(Channel::TOTAL, Quantity::REACTIVE_POWER) = reactive;
  snapshot.at(Channel::TOTAL, Quantity::APPARENT_POWER) = apparent;
  if (apparent >= validity.minimum_apparent_power)
    snapshot.at(Channel::TOTAL, Quantity::POWER_FACTOR) = std::clamp(active / apparent, -1.0, 1.0);
  snapshot.at(Channel::TOTAL, Quantity::FREQUENCY) = median(frequencies, with_frequency);
  return snapshot;
}

}  // namespace esphome::ade9000

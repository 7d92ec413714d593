#include "snapshot.h"

#include "symmetrical_components.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace esphome::ade9000 {

namespace {

/// Median of the first `count` values; of two, their mean. NaN of none.
float median(std::array<float, PHASES> values, size_t count) {
  if (count == 0)
    return NO_VALUE;
  std::sort(values.begin(), values.begin() + count);
  return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

double value_if(bool valid, double value) { return valid ? value : NO_VALUE; }

struct PhaseQuantity {
  Quantity quantity;
  double PhaseValues::*value;
};

/// What a phase says whatever its voltage and current are.
constexpr PhaseQuantity ALWAYS[] = {
    {Quantity::VOLTAGE, &PhaseValues::voltage},
    {Quantity::CURRENT, &PhaseValues::current},
    {Quantity::ACTIVE_POWER, &PhaseValues::active_power},
    {Quantity::REACTIVE_POWER, &PhaseValues::reactive_power},
    {Quantity::APPARENT_POWER, &PhaseValues::apparent_power},
    {Quantity::FUNDAMENTAL_ACTIVE_POWER, &PhaseValues::fundamental_active_power},
    {Quantity::FUNDAMENTAL_REACTIVE_POWER, &PhaseValues::fundamental_reactive_power},
    {Quantity::VOLTAGE_HALF_CYCLE, &PhaseValues::voltage_half_cycle},
    {Quantity::CURRENT_HALF_CYCLE, &PhaseValues::current_half_cycle},
    {Quantity::VOLTAGE_10_12_CYCLES, &PhaseValues::voltage_10_12_cycles},
    {Quantity::CURRENT_10_12_CYCLES, &PhaseValues::current_10_12_cycles},
};

/// What the three phases have in sum.
constexpr PhaseQuantity SUMMED[] = {
    {Quantity::ACTIVE_POWER, &PhaseValues::active_power},
    {Quantity::REACTIVE_POWER, &PhaseValues::reactive_power},
    {Quantity::APPARENT_POWER, &PhaseValues::apparent_power},
    {Quantity::FUNDAMENTAL_ACTIVE_POWER, &PhaseValues::fundamental_active_power},
    {Quantity::FUNDAMENTAL_REACTIVE_POWER, &PhaseValues::fundamental_reactive_power},
};

/// Angles are measured only between voltages that cross zero, so they are counted from a phase that has voltage.
SequenceRatios unbalance(const std::array<PhaseValues, PHASES> &phases, const std::array<bool, PHASES> &alive,
                         const std::array<double, PHASES> &lags) {
  if (alive[0] + alive[1] + alive[2] < 2)
    return {NO_VALUE, NO_VALUE};
  constexpr double RADIANS = std::numbers::pi / 180;
  std::array<double, PHASES> magnitudes;
  for (size_t i = 0; i < PHASES; i++)
    magnitudes[i] = phases[i].fundamental_voltage;
  std::array<double, PHASES> angles{};
  if (alive[0]) {
    angles[1] = -lags[0] * RADIANS;
    angles[2] = -lags[2] * RADIANS;
  } else {
    angles[2] = -lags[1] * RADIANS;
  }
  return voltage_unbalance(magnitudes, angles);
}

void put_device_values(Snapshot &snapshot, const std::array<PhaseValues, PHASES> &phases, const DeviceValues &device,
                       const std::array<bool, PHASES> &alive) {
  constexpr Channel TOTAL = Channel::TOTAL;
  snapshot.at(TOTAL, Quantity::VOLTAGE_ANGLE_L1_L2) = value_if(alive[0] && alive[1], device.voltage_angles[0]);
  snapshot.at(TOTAL, Quantity::VOLTAGE_ANGLE_L2_L3) = value_if(alive[1] && alive[2], device.voltage_angles[1]);
  snapshot.at(TOTAL, Quantity::VOLTAGE_ANGLE_L1_L3) = value_if(alive[0] && alive[2], device.voltage_angles[2]);
  const SequenceRatios ratios = unbalance(phases, alive, device.voltage_angles);
  snapshot.at(TOTAL, Quantity::VOLTAGE_UNBALANCE) = ratios.negative * 100;
  snapshot.at(TOTAL, Quantity::VOLTAGE_ZERO_SEQUENCE) = ratios.zero * 100;
  snapshot.at(TOTAL, Quantity::VOLTAGE_PEAK) = device.voltage_peak;
  snapshot.at(TOTAL, Quantity::CURRENT_PEAK) = device.current_peak;
  snapshot.at(TOTAL, Quantity::NEUTRAL_CURRENT) = device.neutral_current;
  snapshot.at(TOTAL, Quantity::SUM_CURRENT) = device.sum_current;
  snapshot.at(TOTAL, Quantity::CHIP_TEMPERATURE) = device.temperature;
}

/// What the chip compares with its no-load levels, before it counts.
constexpr double PhaseValues::*COUNTED[] = {
    &PhaseValues::active_power,
    &PhaseValues::reactive_power,
    &PhaseValues::apparent_power,
    &PhaseValues::fundamental_active_power,
    &PhaseValues::fundamental_reactive_power,
};

/// Takes away the powers that the chip does not count: power and its integral, the energy, then agree.
std::array<PhaseValues, PHASES> without_uncounted(std::array<PhaseValues, PHASES> phases, double no_load_power) {
  for (PhaseValues &phase : phases) {
    for (double PhaseValues::*power : COUNTED) {
      // NaN, a quantity not read, stays.
      if (std::abs(phase.*power) < no_load_power)
        phase.*power = 0;
    }
  }
  return phases;
}

}  // namespace

void Snapshot::clear() {
  for (auto &channel : this->values_)
    channel.fill(NO_VALUE);
}

void fill_snapshot(Snapshot &snapshot, const std::array<PhaseValues, PHASES> &measured, const DeviceValues &device,
                   const Validity &validity) {
  const std::array<PhaseValues, PHASES> phases = without_uncounted(measured, validity.no_load_power);
  snapshot.clear();
  std::array<float, PHASES> frequencies{};
  std::array<bool, PHASES> alive{};
  size_t with_frequency = 0;
  for (size_t i = 0; i < PHASES; i++) {
    const PhaseValues &phase = phases[i];
    const auto channel = static_cast<Channel>(i);
    for (const PhaseQuantity &entry : ALWAYS)
      snapshot.at(channel, entry.quantity) = phase.*entry.value;
    alive[i] = phase.voltage >= validity.minimum_voltage;
    const bool loaded = phase.apparent_power >= validity.minimum_apparent_power;
    snapshot.at(channel, Quantity::POWER_FACTOR) = value_if(loaded, std::clamp(phase.power_factor, -1.0, 1.0));
    snapshot.at(channel, Quantity::FREQUENCY) = value_if(alive[i], phase.frequency);
    snapshot.at(channel, Quantity::VOLTAGE_THD) = value_if(alive[i], phase.voltage_thd);
    snapshot.at(channel, Quantity::CURRENT_THD) = value_if(alive[i] && loaded, phase.current_thd);
    snapshot.at(channel, Quantity::PHASE_ANGLE) =
        value_if(alive[i] && loaded && phase.current >= validity.minimum_angle_current, phase.phase_angle);
    if (alive[i] && std::isfinite(phase.frequency))
      frequencies[with_frequency++] = phase.frequency;
  }
  for (const PhaseQuantity &entry : SUMMED)
    snapshot.at(Channel::TOTAL, entry.quantity) =
        phases[0].*entry.value + phases[1].*entry.value + phases[2].*entry.value;
  const double active = phases[0].active_power + phases[1].active_power + phases[2].active_power;
  const double apparent = phases[0].apparent_power + phases[1].apparent_power + phases[2].apparent_power;
  snapshot.at(Channel::TOTAL, Quantity::POWER_FACTOR) =
      value_if(apparent >= validity.minimum_apparent_power, std::clamp(active / apparent, -1.0, 1.0));
  snapshot.at(Channel::TOTAL, Quantity::FREQUENCY) = median(frequencies, with_frequency);
  put_device_values(snapshot, phases, device, alive);
}

}  // namespace esphome::ade9000

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace esphome::ade9000 {

static constexpr size_t PHASES = 3;

/// What is measured; the order is the order of the sensors in a snapshot.
enum class Quantity : uint8_t {
  VOLTAGE,
  CURRENT,
  ACTIVE_POWER,
  REACTIVE_POWER,
  APPARENT_POWER,
  POWER_FACTOR,
  FREQUENCY,
  IMPORT_ENERGY,
  EXPORT_ENERGY,
};
static constexpr size_t QUANTITIES = 9;

/// Where it is measured: a phase, or the three together.
enum class Channel : uint8_t { L1, L2, L3, TOTAL };
static constexpr size_t CHANNELS = 4;

/// All readings of one update, in V, A, W, var, VA, Hz and kWh; NaN where there is none.
class Snapshot {
 public:
  Snapshot();

  float &at(Channel channel, Quantity quantity) {
    return this->values_[static_cast<size_t>(channel)][static_cast<size_t>(quantity)];
  }
  float at(Channel channel, Quantity quantity) const {
    return this->values_[static_cast<size_t>(channel)][static_cast<size_t>(quantity)];
  }

 protected:
  std::array<std::array<float, QUANTITIES>, CHANNELS> values_;
};

/// The measured values of one phase, in mains units.
struct PhaseValues {
  double voltage;
  double current;
  double active_power;
  double reactive_power;
  double apparent_power;
  double power_factor;
  double frequency;
};

/// Limits below which a quantity exists only as noise.
struct Validity {
  /// Volts: frequency is valid only above.
  double minimum_voltage;
  /// Volt-amperes: the power factor is valid only above.
  double minimum_apparent_power;
};

/** Puts three phases and what follows from them into a snapshot. Energies are left NaN.
 *
 * Total active and reactive power are sums, total apparent power is the arithmetic sum (IEEE 1459), total power factor
 * is their quotient, and the frequency of the device is the median of the phases that have voltage.
 */
Snapshot make_snapshot(const std::array<PhaseValues, PHASES> &phases, const Validity &validity);

}  // namespace esphome::ade9000

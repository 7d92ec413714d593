#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace esphome::ade9000 {

static constexpr size_t PHASES = 3;

/// Measured quantities, in the order of a snapshot.
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
  IMPORT_ENERGY_SUM_OF_PHASES,
  EXPORT_ENERGY_SUM_OF_PHASES,
  REACTIVE_ENERGY_Q1,
  REACTIVE_ENERGY_Q2,
  REACTIVE_ENERGY_Q3,
  REACTIVE_ENERGY_Q4,
  APPARENT_ENERGY,
  FUNDAMENTAL_ACTIVE_POWER,
  FUNDAMENTAL_REACTIVE_POWER,
  VOLTAGE_HALF_CYCLE,
  CURRENT_HALF_CYCLE,
  VOLTAGE_10_12_CYCLES,
  CURRENT_10_12_CYCLES,
  VOLTAGE_THD,
  CURRENT_THD,
  PHASE_ANGLE,
  VOLTAGE_ANGLE_L1_L2,
  VOLTAGE_ANGLE_L2_L3,
  VOLTAGE_ANGLE_L1_L3,
  VOLTAGE_UNBALANCE,
  VOLTAGE_ZERO_SEQUENCE,
  VOLTAGE_PEAK,
  CURRENT_PEAK,
  NEUTRAL_CURRENT,
  SUM_CURRENT,
  CHIP_TEMPERATURE,
};
static constexpr size_t QUANTITIES = 35;

/// Channel of a quantity: a phase, or the three phases together.
enum class Channel : uint8_t { L1, L2, L3, TOTAL };
static constexpr size_t CHANNELS = 4;

static constexpr double NO_VALUE = std::numeric_limits<double>::quiet_NaN();

/// All readings of one update, in V, A, W, var, VA, Hz, kWh (kvarh, kVAh), degrees, %, °C; NaN where there is none.
class Snapshot {
 public:
  Snapshot() { this->clear(); }
  /// Sets every quantity to NO_VALUE.
  void clear();

  float &at(Channel channel, Quantity quantity) {
    return this->values_[static_cast<size_t>(channel)][static_cast<size_t>(quantity)];
  }
  float at(Channel channel, Quantity quantity) const {
    return this->values_[static_cast<size_t>(channel)][static_cast<size_t>(quantity)];
  }

 protected:
  std::array<std::array<float, QUANTITIES>, CHANNELS> values_;
};

/// The measured values of one phase, in mains units; NO_VALUE where the update did not read it.
struct PhaseValues {
  double voltage;
  double current;
  double active_power;
  double reactive_power;
  double apparent_power;
  double power_factor;
  double frequency;
  double fundamental_voltage{NO_VALUE};
  double fundamental_active_power{NO_VALUE};
  double fundamental_reactive_power{NO_VALUE};
  double voltage_half_cycle{NO_VALUE};
  double current_half_cycle{NO_VALUE};
  double voltage_10_12_cycles{NO_VALUE};
  double current_10_12_cycles{NO_VALUE};
  /// Percent of the fundamental.
  double voltage_thd{NO_VALUE};
  double current_thd{NO_VALUE};
  /// Degrees by which the current lags the voltage.
  double phase_angle{NO_VALUE};
};

/// The measured values of the three phases together; NO_VALUE where the update did not read it.
struct DeviceValues {
  /// Degrees by which L2 lags L1, L3 lags L2, L3 lags L1.
  std::array<double, PHASES> voltage_angles{NO_VALUE, NO_VALUE, NO_VALUE};
  double voltage_peak{NO_VALUE};
  double current_peak{NO_VALUE};
  /// VPEAK and IPEAK as read, with the phases that reached them.
  uint32_t voltage_peak_code{0};
  uint32_t current_peak_code{0};
  double neutral_current{NO_VALUE};
  double sum_current{NO_VALUE};
  double temperature{NO_VALUE};
};

/// Limits below which a quantity exists only as noise.
struct Validity {
  /// Volts: frequency, THD and angles are valid only above.
  double minimum_voltage;
  /// Volt-amperes: power factor, current THD and phase angle are valid only above.
  double minimum_apparent_power;
  /// Amperes: below, the chip sees no zero crossings of the current, and keeps the last angle.
  double minimum_angle_current{0};
  /// W, var, VA: the chip counts nothing below, so a smaller power of a phase is shown as none.
  double no_load_power{0};
};

/** Fills a snapshot with three phases and the quantities derived from them. Energies are left NaN.
 *
 * Total active and reactive power (also of the fundamental) are sums, total apparent power is the arithmetic sum
 * (IEEE 1459), total power factor is their quotient, and the frequency of the device is the median of the phases that
 * have voltage and a frequency of their own. Unbalance takes at least two phases with voltage.
 */
void fill_snapshot(Snapshot &snapshot, const std::array<PhaseValues, PHASES> &measured, const DeviceValues &device,
                   const Validity &validity);

/// Returns the snapshot of fill_snapshot(), for callers with room on their stack.
inline Snapshot make_snapshot(const std::array<PhaseValues, PHASES> &measured, const DeviceValues &device,
                              const Validity &validity) {
  Snapshot snapshot;
  fill_snapshot(snapshot, measured, device, validity);
  return snapshot;
}

}  // namespace esphome::ade9000

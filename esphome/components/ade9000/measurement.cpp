#include "measurement.h"

#include "ade9000_registers.h"

#include <algorithm>
#include <cmath>

namespace esphome::ade9000 {

namespace {

// Of a full-scale sine's rms: a converter that cuts off every crest gives a square wave, behind the greatest gain of a
// calibration.
constexpr double GREATEST_RMS = 1.41421356237309505 * 1.25;
// Apparent power is the product of the rms values (data sheet "Apparent power"): where it is not, the registers were
// not those of this chip, or the chip has lost its way.
constexpr double APPARENT_TOLERANCE = 0.05;
constexpr double APPARENT_TOLERANCE_FRACTION = 1e-3;

enum class Kind : uint8_t { VOLTAGE, CURRENT, POWER, PERCENT };

/// A register with a result of each phase.
struct PhaseResult {
  Quantity quantity;
  uint16_t address;
  Kind kind;
  double PhaseValues::*value;
};

constexpr PhaseResult VOLTAGE = {Quantity::VOLTAGE, reg::AVRMS, Kind::VOLTAGE, &PhaseValues::voltage};
constexpr PhaseResult CURRENT = {Quantity::CURRENT, reg::AIRMS, Kind::CURRENT, &PhaseValues::current};
// Always read, and together: the five of a phase belong to one another.
constexpr PhaseResult ALWAYS_READ[] = {
    VOLTAGE,
    CURRENT,
    {Quantity::APPARENT_POWER, reg::AVA, Kind::POWER, &PhaseValues::apparent_power},
    {Quantity::ACTIVE_POWER, reg::AWATT, Kind::POWER, &PhaseValues::active_power},
    {Quantity::REACTIVE_POWER, reg::AVAR, Kind::POWER, &PhaseValues::reactive_power},
};
constexpr PhaseResult READ_ON_DEMAND[] = {
    {Quantity::FUNDAMENTAL_ACTIVE_POWER, reg::AFWATT, Kind::POWER, &PhaseValues::fundamental_active_power},
    {Quantity::FUNDAMENTAL_REACTIVE_POWER, reg::AFVAR, Kind::POWER, &PhaseValues::fundamental_reactive_power},
    {Quantity::VOLTAGE_UNBALANCE, reg::AFVRMS, Kind::VOLTAGE, &PhaseValues::fundamental_voltage},
    {Quantity::VOLTAGE_HALF_CYCLE, reg::AVRMSONE, Kind::VOLTAGE, &PhaseValues::voltage_half_cycle},
    {Quantity::CURRENT_HALF_CYCLE, reg::AIRMSONE, Kind::CURRENT, &PhaseValues::current_half_cycle},
    {Quantity::VOLTAGE_10_12_CYCLES, reg::AVRMS1012, Kind::VOLTAGE, &PhaseValues::voltage_10_12_cycles},
    {Quantity::CURRENT_10_12_CYCLES, reg::AIRMS1012, Kind::CURRENT, &PhaseValues::current_10_12_cycles},
    {Quantity::VOLTAGE_THD, reg::AVTHD, Kind::PERCENT, &PhaseValues::voltage_thd},
    {Quantity::CURRENT_THD, reg::AITHD, Kind::PERCENT, &PhaseValues::current_thd},
};

double convert(const Scaling &scaling, Kind kind, uint32_t word) {
  const auto code = static_cast<int32_t>(word);
  switch (kind) {
    case Kind::VOLTAGE:
      return scaling.volts(word);
    case Kind::CURRENT:
      return scaling.amperes(word);
    case Kind::POWER:
      return scaling.power(code);
    case Kind::PERCENT:
      return Scaling::percent(code);
  }
  return NO_VALUE;
}

bool is_wanted(const WantedQuantities &wanted, Quantity quantity) {
  // Both ratios come from the same voltages.
  if (quantity == Quantity::VOLTAGE_UNBALANCE && wanted[static_cast<size_t>(Quantity::VOLTAGE_ZERO_SEQUENCE)])
    return true;
  return wanted[static_cast<size_t>(quantity)];
}

bool read_result(Ade9000Bus &bus, const Scaling &scaling, const PhaseResult &result, size_t index, double &value) {
  uint32_t code;
  if (!bus.read_confirmed(result.address + index * reg::PHASE_STRIDE, code))
    return false;
  value = convert(scaling, result.kind, code);
  return true;
}

/** Whether the apparent power is the product of voltage and current.
 *
 * After a step of the load all three are on their way to new values: then the apparent power lies between the products
 * of before and after it was read.
 */
bool is_apparent_power_possible(Ade9000Bus &bus, const Scaling &scaling, size_t index, const PhaseValues &phase) {
  const double full_scale_power = scaling.full_scale_voltage() * scaling.full_scale_current();
  const auto lies_between = [&](double low, double high) {
    return phase.apparent_power >= low - APPARENT_TOLERANCE * low - APPARENT_TOLERANCE_FRACTION * full_scale_power &&
           phase.apparent_power <= high + APPARENT_TOLERANCE * high + APPARENT_TOLERANCE_FRACTION * full_scale_power;
  };
  const double before = phase.voltage * phase.current;
  if (lies_between(before, before))
    return true;
  double voltage, current;
  if (!read_result(bus, scaling, VOLTAGE, index, voltage) || !read_result(bus, scaling, CURRENT, index, current))
    return false;
  const double after = voltage * current;
  return lies_between(std::min(before, after), std::max(before, after));
}

bool is_possible(Ade9000Bus &bus, const Scaling &scaling, size_t index, const PhaseValues &phase) {
  const double full_scale_power = scaling.full_scale_voltage() * scaling.full_scale_current();
  const double limit = GREATEST_RMS * GREATEST_RMS * full_scale_power;
  return phase.voltage <= GREATEST_RMS * scaling.full_scale_voltage() &&
         phase.current <= GREATEST_RMS * scaling.full_scale_current() && std::abs(phase.active_power) <= limit &&
         std::abs(phase.reactive_power) <= limit && is_apparent_power_possible(bus, scaling, index, phase);
}

double power_factor_of(const PhaseValues &phase) {
  if (phase.apparent_power <= 0)
    return NO_VALUE;
  return std::clamp(phase.active_power / phase.apparent_power, -1.0, 1.0);
}

bool measure_phases(Ade9000Bus &bus, const Scaling &scaling, const WantedQuantities &wanted, Measurement &measurement) {
  for (size_t i = 0; i < PHASES; i++) {
    PhaseValues &phase = measurement.phases[i];
    phase = {};
    for (const PhaseResult &result : ALWAYS_READ) {
      if (!read_result(bus, scaling, result, i, phase.*result.value))
        return false;
    }
    if (!is_possible(bus, scaling, i, phase)) {
      bus.reject_frame(Rejection::IMPLAUSIBLE);
      return false;
    }
    phase.power_factor = power_factor_of(phase);
  }
  for (const PhaseResult &result : READ_ON_DEMAND) {
    if (!is_wanted(wanted, result.quantity))
      continue;
    for (size_t i = 0; i < PHASES; i++) {
      if (!read_result(bus, scaling, result, i, measurement.phases[i].*result.value))
        return false;
    }
  }
  return true;
}

bool measure_frequencies(Ade9000Bus &bus, const PhaseSet &inputs, Measurement &measurement) {
  for (size_t i = 0; i < PHASES; i++) {
    measurement.phases[i].frequency = NO_VALUE;
    if (!inputs[i])
      continue;
    uint32_t period;
    if (!bus.read_confirmed(reg::APERIOD + i, period))
      return false;
    measurement.phases[i].frequency = Scaling::hertz(period);
  }
  return true;
}

/// @param frequency of each angle, hertz.
bool read_angle(Ade9000Bus &bus, uint16_t address, double frequency, double &angle) {
  uint32_t code;
  if (!bus.read_confirmed(address, code))
    return false;
  angle = Scaling::degrees(code, frequency);
  return true;
}

bool measure_voltage_angles(Ade9000Bus &bus, Measurement &measurement) {
  for (size_t i = 0; i < PHASES; i++) {
    // The angle from L2 to L3 counts on L2's clock, the others on L1's: the same, but for a dead phase.
    const double frequency = measurement.phases[i == 1 ? 1 : 0].frequency;
    if (!read_angle(bus, reg::ANGL_VA_VB + i, frequency, measurement.device.voltage_angles[i]))
      return false;
  }
  return true;
}

bool measure_phase_angles(Ade9000Bus &bus, Measurement &measurement) {
  for (size_t i = 0; i < PHASES; i++) {
    PhaseValues &phase = measurement.phases[i];
    if (!read_angle(bus, reg::ANGL_VA_IA + i, phase.frequency, phase.phase_angle))
      return false;
  }
  return true;
}

bool measure_temperature(Ade9000Bus &bus, Measurement &measurement) {
  uint32_t status, trim, result;
  if (!bus.read_confirmed(reg::STATUS0, status))
    return false;
  // Set by the first conversion after a reset, and never cleared.
  if (status & reg::STATUS0_TEMP_RDY) {
    if (!bus.read_confirmed(reg::TEMP_TRIM, trim) || !bus.read_confirmed(reg::TEMP_RSLT, result))
      return false;
    measurement.device.temperature = Scaling::celsius(result, trim);
  }
  // The next one, for the next time.
  bus.write(reg::TEMP_CFG, reg::TEMP_CFG_CONVERT);
  return true;
}

bool measure_peaks(Ade9000Bus &bus, const Scaling &scaling, Measurement &measurement) {
  DeviceValues &device = measurement.device;
  if (!bus.read_confirmed(reg::VPEAK, device.voltage_peak_code) ||
      !bus.read_confirmed(reg::IPEAK, device.current_peak_code))
    return false;
  device.voltage_peak = scaling.peak_volts(device.voltage_peak_code);
  device.current_peak = scaling.peak_amperes(device.current_peak_code);
  return true;
}

bool measure_current(Ade9000Bus &bus, const Scaling &scaling, uint16_t address, double &current) {
  uint32_t code;
  if (!bus.read_confirmed(address, code))
    return false;
  current = scaling.amperes(code);
  return true;
}

}  // namespace

PhaseSet own_voltage_inputs(const ChipSettings &settings) {
  return PhaseSet(~settings.get(reg::CHNL_DIS) >> reg::CHNL_DIS_VA_BIT);
}

bool measure(Ade9000Bus &bus, const Scaling &scaling, const ChipSettings &settings, const WantedQuantities &wanted,
             Measurement &measurement) {
  const auto any = [&wanted](auto... quantities) { return (wanted[static_cast<size_t>(quantities)] || ...); };
  DeviceValues &device = measurement.device;
  if (!measure_phases(bus, scaling, wanted, measurement) ||
      !measure_frequencies(bus, own_voltage_inputs(settings), measurement))
    return false;
  return (!any(Quantity::VOLTAGE_ANGLE_L1_L2, Quantity::VOLTAGE_ANGLE_L2_L3, Quantity::VOLTAGE_ANGLE_L1_L3,
               Quantity::VOLTAGE_UNBALANCE, Quantity::VOLTAGE_ZERO_SEQUENCE) ||
          measure_voltage_angles(bus, measurement)) &&
         (!any(Quantity::PHASE_ANGLE) || measure_phase_angles(bus, measurement)) &&
         (!any(Quantity::NEUTRAL_CURRENT) || measure_current(bus, scaling, reg::NIRMS, device.neutral_current)) &&
         (!any(Quantity::SUM_CURRENT) || measure_current(bus, scaling, reg::ISUMRMS, device.sum_current)) &&
         (!any(Quantity::CHIP_TEMPERATURE) || measure_temperature(bus, measurement)) &&
         // Last: reading them lets the chip begin anew.
         measure_peaks(bus, scaling, measurement);
}

}  // namespace esphome::ade9000

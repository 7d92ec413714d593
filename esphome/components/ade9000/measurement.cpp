#include "measurement.h"

#include "ade9000_registers.h"
#include "burst.h"

#include <algorithm>
#include <cmath>

namespace esphome::ade9000 {

namespace {

// Of a full-scale sine's rms: a converter that cuts off every crest gives a square wave, behind the greatest gain of a
// calibration.
constexpr double GREATEST_RMS = 1.41421356237309505 * 1.25;
// Apparent power is the product of the rms values (data sheet "Apparent power"): a burst in which it is not was read at
// the wrong place, or from a chip that has lost its way.
constexpr double APPARENT_TOLERANCE = 0.05;
constexpr double APPARENT_TOLERANCE_FRACTION = 1e-3;
// After a step of the load the apparent power of a burst is read up to 0.2 ms later than its current, and up to one
// sample more: by this share of full scale the square of an rms value moves in 0.47 ms (99 % in 0.43 s; TRM, table 11).
constexpr double SETTLING_FRACTION = 0.005;

// Between two readings of a period at once, codes: 0.08 Hz at 50 Hz.
constexpr uint32_t PERIOD_TOLERANCE = 0x4000;
// The same of an angle: 0.3 degrees at 50 Hz.
constexpr uint32_t ANGLE_TOLERANCE = 16;

enum class Kind : uint8_t { VOLTAGE, CURRENT, POWER, RATIO, PERCENT };

/// A result that the burst holds for each phase.
struct BurstResult {
  Quantity quantity;
  uint16_t address;
  Kind kind;
  double PhaseValues::*value;
};

// By address: a burst ends with the last one wanted.
constexpr BurstResult BURST_RESULTS[] = {
    {Quantity::CURRENT, reg::BURST_AIRMS, Kind::CURRENT, &PhaseValues::current},
    {Quantity::VOLTAGE, reg::BURST_AVRMS, Kind::VOLTAGE, &PhaseValues::voltage},
    {Quantity::ACTIVE_POWER, reg::BURST_AWATT, Kind::POWER, &PhaseValues::active_power},
    {Quantity::APPARENT_POWER, reg::BURST_AVA, Kind::POWER, &PhaseValues::apparent_power},
    {Quantity::REACTIVE_POWER, reg::BURST_AVAR, Kind::POWER, &PhaseValues::reactive_power},
    {Quantity::FUNDAMENTAL_REACTIVE_POWER, reg::BURST_AFVAR, Kind::POWER, &PhaseValues::fundamental_reactive_power},
    {Quantity::POWER_FACTOR, reg::BURST_APF, Kind::RATIO, &PhaseValues::power_factor},
    {Quantity::VOLTAGE_THD, reg::BURST_AVTHD, Kind::PERCENT, &PhaseValues::voltage_thd},
    {Quantity::CURRENT_THD, reg::BURST_AITHD, Kind::PERCENT, &PhaseValues::current_thd},
    {Quantity::FUNDAMENTAL_ACTIVE_POWER, reg::BURST_AFWATT, Kind::POWER, &PhaseValues::fundamental_active_power},
    {Quantity::VOLTAGE_UNBALANCE, reg::BURST_AFVRMS, Kind::VOLTAGE, &PhaseValues::fundamental_voltage},
    {Quantity::CURRENT_HALF_CYCLE, reg::BURST_AIRMSONE, Kind::CURRENT, &PhaseValues::current_half_cycle},
    {Quantity::VOLTAGE_HALF_CYCLE, reg::BURST_AVRMSONE, Kind::VOLTAGE, &PhaseValues::voltage_half_cycle},
    {Quantity::CURRENT_10_12_CYCLES, reg::BURST_AIRMS1012, Kind::CURRENT, &PhaseValues::current_10_12_cycles},
    {Quantity::VOLTAGE_10_12_CYCLES, reg::BURST_AVRMS1012, Kind::VOLTAGE, &PhaseValues::voltage_10_12_cycles},
};
constexpr uint16_t ALWAYS_READ = reg::BURST_AVAR + PHASES - 1;

double convert(const Scaling &scaling, Kind kind, uint32_t word) {
  const auto code = static_cast<int32_t>(word);
  switch (kind) {
    case Kind::VOLTAGE:
      return scaling.volts(word);
    case Kind::CURRENT:
      return scaling.amperes(word);
    case Kind::POWER:
      return scaling.power(code);
    case Kind::RATIO:
      return Scaling::power_factor(code);
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

/// @param settling whether the results are on their way to new values.
bool is_apparent_power_possible(const PhaseValues &phase, const Scaling &scaling, bool settling) {
  const double full_scale_power = scaling.full_scale_voltage() * scaling.full_scale_current();
  const double product = phase.voltage * phase.current;
  if (std::abs(phase.apparent_power - product) <=
      APPARENT_TOLERANCE * product + APPARENT_TOLERANCE_FRACTION * full_scale_power)
    return true;
  const double moved = SETTLING_FRACTION * (std::pow(phase.voltage * scaling.full_scale_current(), 2) +
                                            std::pow(phase.current * scaling.full_scale_voltage(), 2));
  return settling && std::abs(phase.apparent_power * phase.apparent_power - product * product) <= moved;
}

/// @param settling whether the results are on their way to new values.
bool is_possible(const PhaseValues &phase, const Scaling &scaling, bool settling) {
  const double full_scale_power = scaling.full_scale_voltage() * scaling.full_scale_current();
  const double limit = GREATEST_RMS * GREATEST_RMS * full_scale_power;
  return phase.voltage <= GREATEST_RMS * scaling.full_scale_voltage() &&
         phase.current <= GREATEST_RMS * scaling.full_scale_current() && std::abs(phase.active_power) <= limit &&
         std::abs(phase.reactive_power) <= limit && is_apparent_power_possible(phase, scaling, settling);
}

bool measure_burst(Ade9000Bus &bus, const Scaling &scaling, uint16_t configuration, const WantedQuantities &wanted,
                   Measurement &measurement) {
  uint16_t last = ALWAYS_READ;
  for (const BurstResult &result : BURST_RESULTS) {
    if (is_wanted(wanted, result.quantity))
      last = std::max<uint16_t>(last, result.address + PHASES - 1);
  }
  Burst burst;
  if (!read_burst(bus, last, configuration, burst))
    return false;
  for (size_t i = 0; i < PHASES; i++) {
    PhaseValues &phase = measurement.phases[i];
    phase = {};
    phase.power_factor = NO_VALUE;
    for (const BurstResult &result : BURST_RESULTS) {
      if (result.address <= last)
        phase.*result.value = convert(scaling, result.kind, burst.at(result.address, i));
    }
    if (!is_possible(phase, scaling, burst.is_settling())) {
      bus.reject_frame(Rejection::IMPLAUSIBLE);
      return false;
    }
  }
  measurement.device.neutral_current = scaling.amperes(burst.at(reg::BURST_NIRMS));
  return true;
}

bool measure_frequencies(Ade9000Bus &bus, const PhaseSet &inputs, Measurement &measurement) {
  for (size_t i = 0; i < PHASES; i++) {
    measurement.phases[i].frequency = NO_VALUE;
    if (!inputs[i])
      continue;
    uint32_t period;
    if (!bus.read_confirmed(reg::APERIOD + i, period, PERIOD_TOLERANCE))
      return false;
    measurement.phases[i].frequency = Scaling::hertz(period);
  }
  return true;
}

/// @param frequency of each angle, hertz.
bool read_angle(Ade9000Bus &bus, uint16_t address, double frequency, double &angle) {
  uint32_t code;
  if (!bus.read_confirmed(address, code, ANGLE_TOLERANCE))
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
  if (!bus.read(reg::STATUS0, status))
    return false;
  if (status & reg::STATUS0_TEMP_RDY) {
    if (!bus.read(reg::TEMP_TRIM, trim) || !bus.read(reg::TEMP_RSLT, result))
      return false;
    measurement.device.temperature = Scaling::celsius(result, trim);
    bus.write(reg::STATUS0, reg::STATUS0_TEMP_RDY);
  }
  // The next one, for the next time.
  bus.write(reg::TEMP_CFG, reg::TEMP_CFG_CONVERT);
  return true;
}

bool measure_peaks(Ade9000Bus &bus, const Scaling &scaling, Measurement &measurement) {
  DeviceValues &device = measurement.device;
  if (!bus.read(reg::VPEAK, device.voltage_peak_code) || !bus.read(reg::IPEAK, device.current_peak_code))
    return false;
  device.voltage_peak = scaling.peak_volts(device.voltage_peak_code);
  device.current_peak = scaling.peak_amperes(device.current_peak_code);
  return true;
}

bool measure_sum_current(Ade9000Bus &bus, const Scaling &scaling, Measurement &measurement) {
  uint32_t code;
  if (!bus.read(reg::ISUMRMS, code))
    return false;
  measurement.device.sum_current = scaling.amperes(code);
  return true;
}

}  // namespace

PhaseSet own_voltage_inputs(const ChipSettings &settings) {
  return PhaseSet(~settings.get(reg::CHNL_DIS) >> reg::CHNL_DIS_VA_BIT);
}

bool measure(Ade9000Bus &bus, const Scaling &scaling, const ChipSettings &settings, const WantedQuantities &wanted,
             Measurement &measurement) {
  const auto any = [&wanted](auto... quantities) { return (wanted[static_cast<size_t>(quantities)] || ...); };
  if (!measure_burst(bus, scaling, settings.get(reg::CONFIG1), wanted, measurement) ||
      !measure_frequencies(bus, own_voltage_inputs(settings), measurement))
    return false;
  return (!any(Quantity::VOLTAGE_ANGLE_L1_L2, Quantity::VOLTAGE_ANGLE_L2_L3, Quantity::VOLTAGE_ANGLE_L1_L3,
               Quantity::VOLTAGE_UNBALANCE, Quantity::VOLTAGE_ZERO_SEQUENCE) ||
          measure_voltage_angles(bus, measurement)) &&
         (!any(Quantity::PHASE_ANGLE) || measure_phase_angles(bus, measurement)) &&
         (!any(Quantity::SUM_CURRENT) || measure_sum_current(bus, scaling, measurement)) &&
         (!any(Quantity::CHIP_TEMPERATURE) || measure_temperature(bus, measurement)) &&
         // Last: reading them lets the chip begin anew.
         measure_peaks(bus, scaling, measurement);
}

}  // namespace esphome::ade9000

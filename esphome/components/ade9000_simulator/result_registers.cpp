#include "result_registers.h"

#include "chip_addresses.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace esphome::ade9000_simulator {

using mains_signal::Instant;
using mains_signal::PHASES;
using mains_signal::Spectrum;

namespace {

constexpr double FULL_TURN = 2.0 * std::numbers::pi;
/// 1 in the 5.27 format of power factor and THD.
constexpr double ONE_5_27 = 0x1p27;
/// The range in which the chip believes a line period, Hz.
constexpr double LOWEST_FREQUENCY = 40.0;
constexpr double HIGHEST_FREQUENCY = 70.0;
/// Slower waves do not cross zero for the chip: its high-pass filters take them, and an angle would not fit 16 bits.
constexpr double SLOWEST_CROSSING = 16.0;
/// What the period registers hold without a believable period (UG-1098, Line Period Calculation).
constexpr uint32_t PERIOD_AT_50_HZ = 0x00A00000;
constexpr uint32_t PERIOD_AT_60_HZ = 0x00855554;
/// An instantaneous value, given as a share of full scale rms, in PCF codes.
constexpr double pcf_code(double sample) { return sample / std::numbers::sqrt2 * PCF_FULL_SCALE_CODE; }

uint16_t of_phase(uint16_t phase_a, int phase) {
  return static_cast<uint16_t>(phase_a + phase * address::PHASE_STRIDE);
}

void store_phase(RegisterFile &registers, const PhaseCodes &codes, int phase) {
  const auto store = [&](uint16_t phase_a, double value) { registers.store_signed(of_phase(phase_a, phase), value); };
  store(address::VRMS, codes.vrms);
  store(address::IRMS, codes.irms);
  store(address::VFRMS, codes.vfrms);
  store(address::IFRMS, codes.ifrms);
  store(address::WATT, codes.watt);
  store(address::VAR, codes.var);
  store(address::VA, codes.va);
  store(address::FWATT, codes.fwatt);
  store(address::FVAR, codes.fvar);
  store(address::FVA, codes.fva);
}

void store_samples(RegisterFile &registers, const Waves &waves, double line_angle) {
  for (int phase = 0; phase < PHASES; phase++) {
    registers.store_signed(of_phase(address::V_PCF, phase), pcf_code(waves.voltage[phase].sample(line_angle)));
    registers.store_signed(of_phase(address::I_PCF, phase), pcf_code(waves.current[phase].sample(line_angle)));
  }
  registers.store_signed(address::NI_PCF, pcf_code(waves.neutral.sample(line_angle)));
}

void store_power_factor(RegisterFile &registers, const Waves &waves, const PhaseCodes &codes, int phase) {
  const auto thd = [](const Spectrum &wave) {
    return wave.fundamental() > 0.0 ? wave.distortion() / wave.fundamental() : 0.0;
  };
  const double power_factor = codes.va > 0.0 ? std::clamp(codes.watt / codes.va, -1.0, 1.0) : 0.0;
  registers.store_signed(of_phase(address::PF, phase), power_factor * ONE_5_27);
  registers.store_signed(of_phase(address::VTHD, phase), thd(waves.voltage[phase]) * ONE_5_27);
  registers.store_signed(of_phase(address::ITHD, phase), thd(waves.current[phase]) * ONE_5_27);
}

void store_periods(RegisterFile &registers, double frequency, const std::array<bool, PHASES> &voltage_crosses,
                   bool combination_crosses) {
  const bool nominal_60 = registers.any(address::ACCMODE, bits::ACCMODE_SELFREQ);
  const uint32_t nominal = nominal_60 ? PERIOD_AT_60_HZ : PERIOD_AT_50_HZ;
  const bool believable = frequency >= LOWEST_FREQUENCY && frequency <= HIGHEST_FREQUENCY;
  const auto period = believable ? static_cast<uint32_t>(std::lround(period_code(frequency))) : nominal;
  for (int phase = 0; phase < PHASES; phase++) {
    registers.store(address::APERIOD + phase, voltage_crosses[phase] ? period : nominal);
  }
  registers.store(address::COM_PERIOD, combination_crosses ? period : nominal);
}

/// Angle registers keep their last value when one of the two signals does not cross zero.
void store_angles(RegisterFile &registers, const Waves &waves, double frequency,
                  const std::array<bool, PHASES> &voltage_crosses, const std::array<bool, PHASES> &current_crosses) {
  const auto store = [&](uint16_t address, const Spectrum &from, const Spectrum &to) {
    const double lag = std::arg(from[1]) - std::arg(to[1]);
    registers.store(address, static_cast<uint32_t>(std::lround(angle_code(lag, frequency))));
  };
  constexpr int PAIRS[][2] = {{0, 1}, {1, 2}, {0, 2}};
  for (int pair = 0; pair < 3; pair++) {
    const auto [from, to] = PAIRS[pair];
    if (voltage_crosses[from] && voltage_crosses[to])
      store(address::ANGL_VA_VB + pair, waves.voltage[from], waves.voltage[to]);
    if (current_crosses[from] && current_crosses[to])
      store(address::ANGL_IA_IB + pair, waves.current[from], waves.current[to]);
  }
  for (int phase = 0; phase < PHASES; phase++) {
    if (voltage_crosses[phase] && current_crosses[phase])
      store(address::ANGL_VA_IA + phase, waves.voltage[phase], waves.current[phase]);
  }
}

}  // namespace

void measure_neutral(const RegisterFile &registers, const Waves &waves, Readings &readings) {
  readings.neutral_rms =
      apply_rms_offset(waves.neutral.rms() * RMS_FULL_SCALE_CODE, registers.read_signed(address::NIRMSOS));
  // CONFIG0.ISUM_CFG: 0 and 3 the three lines, 1 plus the neutral, 2 minus the neutral.
  constexpr double NEUTRAL_SHARE[] = {0.0, 1.0, -1.0, 0.0};
  Spectrum sum = waves.neutral.delayed(0.0, NEUTRAL_SHARE[registers.read(address::CONFIG0) & 3]);
  for (const Spectrum &current : waves.current)
    sum += current;
  readings.sum_rms = apply_rms_offset(sum.rms() * RMS_FULL_SCALE_CODE, registers.read_signed(address::ISUMRMSOS));
}

double period_code(double frequency) { return SAMPLE_RATE * 65536.0 / frequency - 1.0; }

double angle_code(double radians, double frequency) {
  const double turns = radians / FULL_TURN;
  return (turns - std::floor(turns)) * 1024000.0 / frequency;
}

bool crosses_zero(double rms_code, double frequency, uint32_t threshold) {
  if (!(frequency >= SLOWEST_CROSSING))
    return false;
  // ZXTHRSH counts 32 * 2^8 codes of the low-pass filtered wave; the filter passes 0.86 at 50 Hz, 0.81 at 60 Hz.
  const double passed = frequency < 55.0 ? 0.86 : 0.81;
  return rms_code * PCF_FULL_SCALE_CODE / RMS_FULL_SCALE_CODE * passed / (32.0 * 256.0) >= threshold;
}

bool ResultRegisters::Cadence::due(const Instant &now) {
  if (this->started && now.real - this->last.real < this->period && now.elapsed - this->last.elapsed < this->period)
    return false;
  this->started = true;
  this->last = now;
  return true;
}

void ResultRegisters::store_readings(RegisterFile &registers, const Readings &readings) {
  for (int phase = 0; phase < PHASES; phase++)
    store_phase(registers, readings.phases[phase], phase);
  registers.store_signed(address::NIRMS, readings.neutral_rms);
  registers.store_signed(address::ISUMRMS, readings.sum_rms);
}

void ResultRegisters::update(RegisterFile &registers, const Waves &waves, const Readings &readings, double frequency,
                             double line_angle, const Instant &now) {
  const ThreePhaseCodes &codes = readings.phases;
  store_readings(registers, readings);
  store_samples(registers, waves, line_angle);
  const uint32_t threshold = registers.read(address::ZXTHRSH);
  const bool power_factor_due = this->power_factor_.due(now);
  std::array<bool, PHASES> voltage_crosses{};
  std::array<bool, PHASES> current_crosses{};
  for (int phase = 0; phase < PHASES; phase++) {
    if (power_factor_due)
      store_power_factor(registers, waves, codes[phase], phase);
    voltage_crosses[phase] = crosses_zero(waves.own_voltage[phase] * RMS_FULL_SCALE_CODE, frequency, threshold);
    current_crosses[phase] = crosses_zero(codes[phase].current_raw, frequency, threshold);
  }
  // Data sheet Rev B, p. 37: (VA + VB - VC) / 2.
  Spectrum combination = waves.voltage[0].delayed(0.0, 0.5);
  combination += waves.voltage[1].delayed(0.0, 0.5);
  combination += waves.voltage[2].delayed(0.0, -0.5);
  store_periods(registers, frequency, voltage_crosses,
                crosses_zero(combination.rms() * RMS_FULL_SCALE_CODE, frequency, threshold));
  store_angles(registers, waves, frequency, voltage_crosses, current_crosses);

  registers.set_bits(address::STATUS0, bits::STATUS0_DREADY);
  if (power_factor_due)
    registers.set_bits(address::STATUS0, bits::STATUS0_THD_PF_RDY);
}

}  // namespace esphome::ade9000_simulator

#include "result_registers.h"

#include "chip_addresses.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

namespace esphome::ade9000_simulator {

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
/// Phase B lags A by a third of a turn, C by two.
constexpr double phase_angle(int phase) { return FULL_TURN * phase / PHASES; }

uint16_t of_phase(uint16_t phase_a, int phase) {
  return static_cast<uint16_t>(phase_a + phase * address::PHASE_STRIDE);
}

void store_phase(RegisterFile &registers, const PhaseSignal &signal, const PhaseCodes &codes, int phase,
                 double line_angle) {
  const auto store = [&](uint16_t phase_a, double value) { registers.store_signed(of_phase(phase_a, phase), value); };
  const auto offset = [&](uint16_t phase_a) { return registers.read_signed(of_phase(phase_a, phase)); };
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
  store(address::VRMSONE, apply_rms_offset(codes.voltage_raw, offset(address::VRMSONEOS)));
  store(address::IRMSONE, apply_rms_offset(codes.current_raw, offset(address::IRMSONEOS)));
  store(address::VRMS1012, apply_rms_offset(codes.voltage_raw, offset(address::VRMS1012OS)));
  store(address::IRMS1012, apply_rms_offset(codes.current_raw, offset(address::IRMS1012OS)));
  // An instantaneous sample; the rms codes' full scale is a sine of the PCF codes' full-scale amplitude.
  const double sample_per_rms = PCF_FULL_SCALE_CODE / RMS_FULL_SCALE_CODE;
  const double angle = line_angle - phase_angle(phase);
  store(address::V_PCF, codes.voltage_raw * sample_per_rms * std::sin(angle));
  store(address::I_PCF, codes.current_raw * sample_per_rms * std::sin(angle - signal.lag()));
}

void store_power_factor(RegisterFile &registers, const PhaseSignal &signal, const PhaseCodes &codes, int phase) {
  const double power_factor = codes.va > 0.0 ? std::clamp(codes.watt / codes.va, -1.0, 1.0) : 0.0;
  const double distortion =
      signal.fundamental_current > 0.0 ? signal.distortion_current / signal.fundamental_current : 0.0;
  registers.store_signed(of_phase(address::PF, phase), power_factor * ONE_5_27);
  registers.store_signed(of_phase(address::VTHD, phase), 0.0);
  registers.store_signed(of_phase(address::ITHD, phase), distortion * ONE_5_27);
}

/// Rms of IA + IB + IC: the fundamentals as phasors, the harmonics as the triplens they mostly are, which add up.
double sum_current(const Signal &signal, const ThreePhaseCodes &codes) {
  std::complex<double> fundamental = 0.0;
  double distortion = 0.0;
  for (int phase = 0; phase < PHASES; phase++) {
    fundamental += std::polar(codes[phase].ifrms, -phase_angle(phase) - signal.phases[phase].lag());
    distortion +=
        std::sqrt(std::max(0.0, codes[phase].irms * codes[phase].irms - codes[phase].ifrms * codes[phase].ifrms));
  }
  return std::hypot(std::abs(fundamental), distortion);
}

void store_periods(RegisterFile &registers, const Signal &signal, const std::array<bool, PHASES> &voltage_crosses) {
  const bool nominal_60 = registers.any(address::ACCMODE, bits::ACCMODE_SELFREQ);
  const uint32_t nominal = nominal_60 ? PERIOD_AT_60_HZ : PERIOD_AT_50_HZ;
  const bool believable = signal.frequency >= LOWEST_FREQUENCY && signal.frequency <= HIGHEST_FREQUENCY;
  const auto period = believable ? static_cast<uint32_t>(std::lround(period_code(signal.frequency))) : nominal;
  bool any = false;
  for (int phase = 0; phase < PHASES; phase++) {
    registers.store(address::APERIOD + phase, voltage_crosses[phase] ? period : nominal);
    any = any || voltage_crosses[phase];
  }
  registers.store(address::COM_PERIOD, any ? period : nominal);
}

/// Angle registers keep their last value when one of the two signals does not cross zero.
void store_angles(RegisterFile &registers, const Signal &signal, const std::array<bool, PHASES> &voltage_crosses,
                  const std::array<bool, PHASES> &current_crosses) {
  const auto store = [&](uint16_t address, double radians) {
    registers.store(address, static_cast<uint32_t>(std::lround(angle_code(radians, signal.frequency))));
  };
  constexpr int PAIRS[][2] = {{0, 1}, {1, 2}, {0, 2}};
  for (int pair = 0; pair < 3; pair++) {
    const auto [from, to] = PAIRS[pair];
    const double apart = phase_angle(to) - phase_angle(from);
    if (voltage_crosses[from] && voltage_crosses[to])
      store(address::ANGL_VA_VB + pair, apart);
    if (current_crosses[from] && current_crosses[to])
      store(address::ANGL_IA_IB + pair, apart + signal.phases[to].lag() - signal.phases[from].lag());
  }
  for (int phase = 0; phase < PHASES; phase++) {
    if (voltage_crosses[phase] && current_crosses[phase])
      store(address::ANGL_VA_IA + phase, signal.phases[phase].lag());
  }
}

}  // namespace

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

void ResultRegisters::update(RegisterFile &registers, const Signal &signal, const ThreePhaseCodes &codes,
                             const Instant &now) {
  const double line_angle = FULL_TURN * std::fmod(signal.frequency * now.elapsed, 1.0);
  const uint32_t threshold = registers.read(address::ZXTHRSH);
  const bool power_factor_due = this->power_factor_.due(now);
  std::array<bool, PHASES> voltage_crosses{};
  std::array<bool, PHASES> current_crosses{};
  for (int phase = 0; phase < PHASES; phase++) {
    store_phase(registers, signal.phases[phase], codes[phase], phase, line_angle);
    if (power_factor_due)
      store_power_factor(registers, signal.phases[phase], codes[phase], phase);
    voltage_crosses[phase] = crosses_zero(codes[phase].voltage_raw, signal.frequency, threshold);
    current_crosses[phase] = crosses_zero(codes[phase].current_raw, signal.frequency, threshold);
  }
  registers.store_signed(address::ISUMRMS, sum_current(signal, codes));
  store_periods(registers, signal, voltage_crosses);
  store_angles(registers, signal, voltage_crosses, current_crosses);

  registers.set_bits(address::STATUS0, bits::STATUS0_DREADY);
  if (power_factor_due)
    registers.set_bits(address::STATUS0, bits::STATUS0_THD_PF_RDY);
  if (this->half_cycle_.due(now))
    registers.set_bits(address::STATUS0, bits::STATUS0_RMSONERDY);
  if (this->ten_cycles_.due(now))
    registers.set_bits(address::STATUS0, bits::STATUS0_RMS1012RDY);
}

}  // namespace esphome::ade9000_simulator

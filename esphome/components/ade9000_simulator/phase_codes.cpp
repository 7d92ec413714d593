#include "phase_codes.h"

#include "chip_addresses.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace esphome::ade9000_simulator {

using mains_signal::active_power;
using mains_signal::PHASES;
using mains_signal::reactive_power;
using mains_signal::Spectrum;

namespace {

/// 1 + x / 2^27 (data sheet Rev B, gain registers).
double gain(int32_t code) { return 1.0 + code * 0x1p-27; }

/// Amplification of a channel: two bits each, x1, x2, x4, x4.
double pga(uint32_t pga_gain, int shift) {
  constexpr double GAINS[] = {1.0, 2.0, 4.0, 4.0};
  return GAINS[(pga_gain >> shift) & 3];
}

/// From mains units to shares of full scale behind the gains. `per_unit`: volts at the pin per mains volt or ampere.
///
/// The converter cuts off what lies beyond 1 V peak. Assumption: the data sheet promises nothing beyond it, so a real
/// one may go a little further.
Spectrum processed(const Spectrum &input, double per_unit, double amplifier, double digital_gain, double advance) {
  const double factor = per_unit * amplifier / PIN_FULL_SCALE;
  const Spectrum converted = input.delayed(0.0, factor).clipped(std::numbers::sqrt2);
  return converted.delayed(-advance, digital_gain);
}

/// Puts computed waves in the place of those of the inputs (data sheet Rev B, ACCMODE.VCONSEL and ICONSEL).
void combine(Waves &waves, const InputSelection &inputs) {
  const auto minus = [](const Spectrum &one, const Spectrum &other) {
    Spectrum difference = one;
    difference += other.delayed(0.0, -1.0);
    return difference;
  };
  const auto [a, b, c] = waves.voltage;
  switch (inputs.voltages) {
    case 1:
      waves.voltage[1] = minus(a, c);
      break;
    case 2:
      waves.voltage[1] = minus(a.delayed(0.0, -1.0), c);
      break;
    case 3:
      waves.voltage[1] = a.delayed(0.0, -1.0);
      break;
    case 4:
      waves.voltage = {minus(a, b), minus(a, c), minus(c, b)};
      break;
    default:
      break;
  }
  if (inputs.computes_ib)
    waves.current[1] = minus(waves.current[0].delayed(0.0, -1.0), waves.current[2]);
}

}  // namespace

PhaseCalibration PhaseCalibration::from_registers(const RegisterFile &registers, int phase) {
  const auto offset = static_cast<uint16_t>(phase * address::PHASE_STRIDE);
  const auto value = [&](uint16_t phase_a) { return registers.read_signed(phase_a + offset); };
  const uint32_t pga_gain = registers.read(address::PGA_GAIN);
  PhaseCalibration calibration;
  calibration.voltage_gain = gain(value(address::VGAIN));
  calibration.current_gain = gain(value(address::IGAIN));
  calibration.power_gain = gain(value(address::PGAIN));
  calibration.irms_offset = value(address::IRMSOS);
  calibration.vrms_offset = value(address::VRMSOS);
  calibration.ifrms_offset = value(address::IFRMSOS);
  calibration.vfrms_offset = value(address::VFRMSOS);
  calibration.watt_offset = value(address::WATTOS);
  calibration.var_offset = value(address::VAROS);
  calibration.fwatt_offset = value(address::FWATTOS);
  calibration.fvar_offset = value(address::FVAROS);
  calibration.current_pga = pga(pga_gain, 2 * phase);
  calibration.voltage_pga = pga(pga_gain, 8 + 2 * phase);
  calibration.phase_compensation = value(address::PHCAL0);
  return calibration;
}

NeutralCalibration NeutralCalibration::from_registers(const RegisterFile &registers) {
  NeutralCalibration calibration;
  calibration.gain = ade9000_simulator::gain(registers.read_signed(address::NIGAIN));
  calibration.pga = ade9000_simulator::pga(registers.read(address::PGA_GAIN), 6);
  calibration.phase_compensation = registers.read_signed(address::NPHCAL);
  return calibration;
}

InputSelection InputSelection::from_registers(const RegisterFile &registers) {
  const uint32_t mode = registers.read(address::ACCMODE);
  return {registers.read(address::CHNL_DIS), mode >> 4 & 7, (mode >> 7 & 1) != 0};
}

Calibration Calibration::from_registers(const RegisterFile &registers) {
  Calibration calibration;
  for (int phase = 0; phase < PHASES; phase++)
    calibration.phases[phase] = PhaseCalibration::from_registers(registers, phase);
  calibration.neutral = NeutralCalibration::from_registers(registers);
  calibration.inputs = InputSelection::from_registers(registers);
  return calibration;
}

double apply_rms_offset(double raw, double offset) {
  return offset == 0.0 ? raw : std::sqrt(std::max(0.0, raw * raw + 0x1p15 * offset));
}

double compensated_angle(double code, double frequency) {
  if (code == 0.0)
    return 0.0;
  const double share = code * 0x1p-27;
  const double w = 2.0 * std::numbers::pi * frequency / SAMPLE_RATE;
  const double a = share * std::sin(2.0 * w) + std::sin(w);
  const double b = share * std::cos(2.0 * w) + std::cos(w);
  return std::acos(std::clamp(std::sin(w) / std::hypot(a, b), -1.0, 1.0)) - std::atan2(b, a);
}

Waves process_inputs(const Inputs &inputs, const FrontEnd &front_end, const Calibration &calibration,
                     double frequency) {
  Waves waves;
  for (int phase = 0; phase < PHASES; phase++) {
    const PhaseCalibration &settings = calibration.phases[phase];
    if (calibration.inputs.has_voltage(phase))
      waves.voltage[phase] = processed(inputs.voltage[phase], 1.0 / front_end.voltage_divider, settings.voltage_pga,
                                       settings.voltage_gain, 0.0);
    if (calibration.inputs.has_current(phase))
      waves.current[phase] =
          processed(inputs.current[phase], front_end.current_sensitivity, settings.current_pga, settings.current_gain,
                    compensated_angle(settings.phase_compensation, frequency));
    waves.own_voltage[phase] = waves.voltage[phase].rms();
  }
  if (calibration.inputs.has_neutral())
    waves.neutral =
        processed(inputs.neutral, front_end.current_sensitivity, calibration.neutral.pga, calibration.neutral.gain,
                  compensated_angle(calibration.neutral.phase_compensation, frequency));
  combine(waves, calibration.inputs);
  return waves;
}

PhaseCodes measure_phase(const Spectrum &voltage, const Spectrum &current, const PhaseCalibration &calibration) {
  PhaseCodes codes;
  codes.voltage_raw = voltage.rms() * RMS_FULL_SCALE_CODE;
  codes.current_raw = current.rms() * RMS_FULL_SCALE_CODE;
  codes.vrms = apply_rms_offset(codes.voltage_raw, calibration.vrms_offset);
  codes.irms = apply_rms_offset(codes.current_raw, calibration.irms_offset);
  codes.vfrms = apply_rms_offset(voltage.fundamental() * RMS_FULL_SCALE_CODE, calibration.vfrms_offset);
  codes.ifrms = apply_rms_offset(current.fundamental() * RMS_FULL_SCALE_CODE, calibration.ifrms_offset);

  const double power_share = calibration.power_gain * POWER_FULL_SCALE_CODE;
  const std::complex<double> fundamental = voltage[1] * std::conj(current[1]);
  codes.watt = active_power(voltage, current) * power_share + calibration.watt_offset;
  codes.var = reactive_power(voltage, current) * power_share + calibration.var_offset;
  codes.fwatt = fundamental.real() * power_share + calibration.fwatt_offset;
  codes.fvar = fundamental.imag() * power_share + calibration.fvar_offset;

  codes.va_per_rms = POWER_FULL_SCALE_CODE / (RMS_FULL_SCALE_CODE * RMS_FULL_SCALE_CODE) * calibration.power_gain;
  codes.va = codes.vrms * codes.irms * codes.va_per_rms;
  codes.fva = codes.vfrms * codes.ifrms * codes.va_per_rms;
  return codes;
}

}  // namespace esphome::ade9000_simulator

#include "phase_codes.h"

#include "chip_addresses.h"

#include <algorithm>
#include <cmath>

namespace esphome::ade9000_simulator {

namespace {

/// 1 + x / 2^27 (data sheet Rev B, gain registers).
double gain(int32_t code) { return 1.0 + code * 0x1p-27; }

/// Amplification of a channel: two bits each, x1, x2, x4, x4.
double pga(uint32_t pga_gain, int shift) {
  constexpr double GAINS[] = {1.0, 2.0, 4.0, 4.0};
  return GAINS[(pga_gain >> shift) & 3];
}

/// Share of a channel that passes the converter: all of it below full scale, less above.
double clipping(double pin_voltage) { return pin_voltage > PIN_FULL_SCALE ? PIN_FULL_SCALE / pin_voltage : 1.0; }

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
  return calibration;
}

double apply_rms_offset(double raw, double offset) {
  return offset == 0.0 ? raw : std::sqrt(std::max(0.0, raw * raw + 0x1p15 * offset));
}

PhaseCodes measure_phase(const PhaseSignal &signal, const FrontEnd &front_end, const PhaseCalibration &calibration) {
  const double voltage_at_pin = signal.voltage / front_end.voltage_divider * calibration.voltage_pga;
  const double current_at_pin = signal.current() * front_end.current_sensitivity * calibration.current_pga;
  // From mains units to shares of full scale behind the gains.
  const double voltage_share = calibration.voltage_pga / front_end.voltage_divider / PIN_FULL_SCALE *
                               calibration.voltage_gain * clipping(voltage_at_pin);
  const double current_share = calibration.current_pga * front_end.current_sensitivity / PIN_FULL_SCALE *
                               calibration.current_gain * clipping(current_at_pin);

  PhaseCodes codes;
  codes.voltage_raw = signal.voltage * voltage_share * RMS_FULL_SCALE_CODE;
  codes.current_raw = signal.current() * current_share * RMS_FULL_SCALE_CODE;
  const double fundamental_raw = signal.fundamental_current * current_share * RMS_FULL_SCALE_CODE;
  codes.vrms = apply_rms_offset(codes.voltage_raw, calibration.vrms_offset);
  codes.irms = apply_rms_offset(codes.current_raw, calibration.irms_offset);
  codes.vfrms = apply_rms_offset(codes.voltage_raw, calibration.vfrms_offset);
  codes.ifrms = apply_rms_offset(fundamental_raw, calibration.ifrms_offset);

  const double power_share = voltage_share * current_share * calibration.power_gain * POWER_FULL_SCALE_CODE;
  codes.watt = signal.active_power * power_share + calibration.watt_offset;
  codes.var = signal.reactive_power * power_share + calibration.var_offset;
  codes.fwatt = signal.active_power * power_share + calibration.fwatt_offset;
  codes.fvar = signal.reactive_power * power_share + calibration.fvar_offset;

  const double va_per_rms =
      POWER_FULL_SCALE_CODE / (RMS_FULL_SCALE_CODE * RMS_FULL_SCALE_CODE) * calibration.power_gain;
  codes.va = codes.vrms * codes.irms * va_per_rms;
  codes.fva = codes.vfrms * codes.ifrms * va_per_rms;
  return codes;
}

}  // namespace esphome::ade9000_simulator

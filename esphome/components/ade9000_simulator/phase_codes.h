#pragma once

#include "front_end.h"
#include "register_file.h"
#include "esphome/components/mains_signal/spectrum.h"

#include <array>

namespace esphome::ade9000_simulator {

/// Measurements of a phase in codes of the chip, before rounding into registers.
struct PhaseCodes {
  /// Before any rms offset.
  double voltage_raw{0.0};
  double current_raw{0.0};
  double vrms{0.0};
  double irms{0.0};
  double vfrms{0.0};
  double ifrms{0.0};
  double watt{0.0};
  double var{0.0};
  double va{0.0};
  double fwatt{0.0};
  double fvar{0.0};
  double fva{0.0};
  /// Apparent power for the product of the rms codes.
  double va_per_rms{0.0};
};

/// The calibration of one phase, read once from its registers.
struct PhaseCalibration {
  double voltage_gain{1.0};
  double current_gain{1.0};
  double power_gain{1.0};
  double irms_offset{0.0};
  double vrms_offset{0.0};
  double ifrms_offset{0.0};
  double vfrms_offset{0.0};
  double watt_offset{0.0};
  double var_offset{0.0};
  double fwatt_offset{0.0};
  double fvar_offset{0.0};
  double voltage_pga{1.0};
  double current_pga{1.0};
  /// xPHCAL0, as a signed code.
  double phase_compensation{0.0};

  static PhaseCalibration from_registers(const RegisterFile &registers, int phase);
};

/// The calibration of the neutral's current.
struct NeutralCalibration {
  double gain{1.0};
  double pga{1.0};
  double phase_compensation{0.0};

  static NeutralCalibration from_registers(const RegisterFile &registers);
};

/// Inputs that the chip converts, and those that the chip computes from others (data sheet Rev B, CHNL_DIS and
/// ACCMODE).
struct InputSelection {
  /// CHNL_DIS: IA, IB, IC, IN, VA, VB, VC from bit 0.
  uint32_t disabled{0};
  /// ACCMODE.VCONSEL.
  uint32_t voltages{0};
  /// ACCMODE.ICONSEL.
  bool computes_ib{false};

  static InputSelection from_registers(const RegisterFile &registers);
  bool has_current(int phase) const { return (this->disabled >> phase & 1) == 0; }
  bool has_neutral() const { return (this->disabled >> 3 & 1) == 0; }
  bool has_voltage(int phase) const { return (this->disabled >> (4 + phase) & 1) == 0; }
};

struct Calibration {
  std::array<PhaseCalibration, mains_signal::PHASES> phases;
  NeutralCalibration neutral;
  InputSelection inputs;

  static Calibration from_registers(const RegisterFile &registers);
};

/// Waves behind amplifier, converter (which clips at full scale), gains and phase compensation (the data sheet's
/// PCF waveforms), rms as shares of full scale.
struct Waves {
  std::array<mains_signal::Spectrum, mains_signal::PHASES> voltage;
  std::array<mains_signal::Spectrum, mains_signal::PHASES> current;
  mains_signal::Spectrum neutral;
  /// rms of each phase's own voltage input, whose zero crossings the chip sees, whatever voltage is computed from the
  /// inputs.
  std::array<double, mains_signal::PHASES> own_voltage{};
};

Waves process_inputs(const Inputs &inputs, const FrontEnd &front_end, const Calibration &calibration, double frequency);

/// Corrects an rms code by an offset as the chip does: sqrt(raw^2 + 2^15 * offset) (data sheet Rev B); never below 0.
double apply_rms_offset(double raw, double offset);

/// Computes the radians by which a phase compensation code brings the current forward at this frequency; the inverse of
/// xPHCAL = 2^27 * (sin(phi - w) + sin(w)) / sin(2w - phi), w = 2 * pi * f / 8000 (data sheet Rev B, Phase
/// Calibration). Assumption: a positive phi, "current lags voltage", takes that lag away.
double compensated_angle(double code, double frequency);

PhaseCodes measure_phase(const mains_signal::Spectrum &voltage, const mains_signal::Spectrum &current,
                         const PhaseCalibration &calibration);

}  // namespace esphome::ade9000_simulator

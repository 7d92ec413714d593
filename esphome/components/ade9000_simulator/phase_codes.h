#pragma once

#include "front_end.h"
#include "register_file.h"
#include "signal_model.h"

namespace esphome::ade9000_simulator {

/// What the signal processor makes of one phase, in codes of the chip, before they are rounded into registers.
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

  static PhaseCalibration from_registers(const RegisterFile &registers, int phase);
};

/// sqrt(raw^2 + 2^15 * offset), the chip's rms offset correction (data sheet Rev B); never below 0.
double apply_rms_offset(double raw, double offset);

/// The chain from the mains to the results: front end, amplifier, converter (which clips at full scale), gains,
/// offsets.
PhaseCodes measure_phase(const PhaseSignal &signal, const FrontEnd &front_end, const PhaseCalibration &calibration);

}  // namespace esphome::ade9000_simulator

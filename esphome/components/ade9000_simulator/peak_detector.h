#pragma once

#include "register_file.h"
#include "esphome/components/mains_signal/spectrum.h"

#include <array>

namespace esphome::ade9000_simulator {

/// Finds the greatest samples of the phases that CONFIG3.PEAKSEL selects, since their register was last read (data
/// sheet Rev B, Peak Detection), signed: of equal ones the first. Taken once a half cycle from the wave as it then is;
/// assumption: the sample is positive in a positive half cycle.
class PeakDetector {
 public:
  /// @param positive whether the half cycle of the voltage was a positive one.
  void on_half_cycle(RegisterFile &registers, int phase, bool positive, const mains_signal::Spectrum &voltage,
                     const mains_signal::Spectrum &current);
  void on_register_read(RegisterFile &registers, uint16_t address);

 protected:
  /// Bits 26:24 say which phases have reached the value (assumption: the latest alone, unless they are equal).
  static void raise_(RegisterFile &registers, uint16_t address, int phase, bool positive,
                     const mains_signal::Spectrum &wave);
};

}  // namespace esphome::ade9000_simulator

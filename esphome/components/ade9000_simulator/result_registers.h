#pragma once

#include "accumulators.h"
#include "playback_clock.h"
#include "register_file.h"
#include "signal_model.h"

namespace esphome::ade9000_simulator {

/// Writes what the signal processor measures into the result registers.
///
/// Idealised: the results follow the signal at once, where the chip's filters take up to 0.66 s to settle.
class ResultRegisters {
 public:
  void reset() { *this = ResultRegisters(); }
  void update(RegisterFile &registers, const Signal &signal, const ThreePhaseCodes &codes, const Instant &now);

 protected:
  /// Something that happens once a period, of real or simulated time, whichever is first past.
  struct Cadence {
    double period;
    Instant last{};
    bool started{false};
    bool due(const Instant &now);
  };

  // Half-cycle rms each 10 ms, 10-cycle rms each 200 ms (IEC 61000-4-30 at 50 Hz), power factor and THD each 1.024 s.
  Cadence half_cycle_{0.010};
  Cadence ten_cycles_{0.200};
  Cadence power_factor_{1.024};
};

/// Value of a period register: line period in 2^-16 samples, less one (UG-1098, Line Period Calculation).
double period_code(double frequency);

/// Value of an angle register: one step is 360 * f / 1,024,000 degrees (UG-1098, Angle Measurement); 0..360 degrees.
double angle_code(double radians, double frequency);

/// Whether a voltage or current of this rms code crosses zero for the chip, given ZXTHRSH.
bool crosses_zero(double rms_code, double frequency, uint32_t threshold);

}  // namespace esphome::ade9000_simulator

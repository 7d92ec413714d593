#pragma once

#include "accumulators.h"
#include "esphome/components/mains_signal/playback_clock.h"
#include "register_file.h"
#include "settling.h"

namespace esphome::ade9000_simulator {

/// Writes the measured values into the result registers.
///
/// Half-cycle and 10/12-cycle rms are written by the LineMonitor.
class ResultRegisters {
 public:
  void reset() { *this = ResultRegisters(); }
  /// @param line_angle angle of the line now, radians.
  void update(RegisterFile &registers, const Waves &waves, const Readings &readings, double frequency,
              double line_angle, const mains_signal::Instant &now);
  /// Writes the rms and power registers alone.
  static void store_readings(RegisterFile &registers, const Readings &readings);

 protected:
  /// Timer that is due once a period of real or simulated time, whichever is over first.
  struct Cadence {
    double period;
    mains_signal::Instant last{};
    bool started{false};
    bool due(const mains_signal::Instant &now);
  };

  // Data sheet Rev B, Power Factor and Total Harmonic Distortion.
  Cadence power_factor_{1.024};
};

/// Adds to the readings the rms of the neutral and of the sum of currents that CONFIG0.ISUM_CFG selects.
void measure_neutral(const RegisterFile &registers, const Waves &waves, Readings &readings);

/// Computes the value of a period register: line period in 2^-16 samples, less one (UG-1098, Line Period Calculation).
double period_code(double frequency);

/// Computes the value of an angle register: one step is 360 * f / 1,024,000 degrees (UG-1098, Angle Measurement);
/// 0..360 degrees.
double angle_code(double radians, double frequency);

/// Returns whether the chip sees zero crossings of a voltage or current with this rms code, given ZXTHRSH.
bool crosses_zero(double rms_code, double frequency, uint32_t threshold);

}  // namespace esphome::ade9000_simulator

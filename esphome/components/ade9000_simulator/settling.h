#pragma once

#include "accumulators.h"

namespace esphome::ade9000_simulator {

/// What the rms and power registers hold, in codes before rounding.
struct Readings {
  ThreePhaseCodes phases;
  double neutral_rms{0.0};
  double sum_rms{0.0};
};

/// The low-pass filters between the samples and the rms and power registers.
///
/// A filter of first order on powers and on the squares of rms values: 99 % of a step after 0.43 s and 99.9 % after
/// 0.65 s (UG-1098, table 11: 0.43 s and 0.66 s for active power; assumption: the others settle alike). Idealised:
/// filters are full at a start, a change of the calibration passes at once, and nothing ripples at twice the line
/// frequency.
class Settling {
 public:
  /// The next readings are taken as settled.
  void restart() { this->known_ = false; }
  /// Lets a signal of these readings last for some seconds.
  void follow(const Readings &target, double seconds);
  bool is_known() const { return this->known_; }
  const Readings &readings() const { return this->readings_; }

  /// From here on the past no longer shows, s.
  static constexpr double MEMORY = 1.5;

 protected:
  Readings readings_;
  bool known_{false};
};

}  // namespace esphome::ade9000_simulator

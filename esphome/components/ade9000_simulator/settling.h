#pragma once

#include "accumulators.h"

namespace esphome::ade9000_simulator {

/// Contents of the rms and power registers, in codes before rounding.
struct Readings {
  ThreePhaseCodes phases;
  double neutral_rms{0.0};
  double sum_rms{0.0};
};

/// Filters rms and power as the low-pass filters in front of the chip's registers do.
///
/// A filter of first order on powers and on the squares of rms values: 99 % of a step after 0.43 s and 99.9 % after
/// 0.65 s (UG-1098, table 11: 0.43 s and 0.66 s for active power; assumption: the others settle alike). Idealised:
/// filters are full at a start, a change of the calibration passes at once, and nothing ripples at twice the line
/// frequency.
class Settling {
 public:
  /// Forgets the past: the next readings are taken as settled.
  void restart() { this->known_ = false; }
  /// Settles towards the readings of a signal that lasts for some seconds.
  void follow(const Readings &target, double seconds);
  bool is_known() const { return this->known_; }
  const Readings &readings() const { return this->readings_; }

  /// Time after which the filters have forgotten the past, s.
  static constexpr double MEMORY = 1.5;

 protected:
  Readings readings_;
  bool known_{false};
};

}  // namespace esphome::ade9000_simulator

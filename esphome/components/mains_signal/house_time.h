#pragma once

#include <cstdint>

namespace esphome::mains_signal {

constexpr double SECONDS_PER_DAY = 86400.0;

/// Moment on the wall clock of the house.
struct HouseTime {
  /// Local calendar day since 1970-01-01, the seed of the differences between days.
  int64_t day{0};
  /// Seconds since the local midnight, 0..86400.
  double second{0.0};

  /// Returns the seconds since 1970-01-01 on the local wall clock, for loads that run through midnight.
  double continuous() const { return static_cast<double>(this->day) * SECONDS_PER_DAY + this->second; }
  double hour() const { return this->second / 3600.0; }
};

/// Demand of a load on its phase, or feed-in of a source.
struct LoadDemand {
  /// W, positive when taken from the grid.
  double active_power{0.0};
  /// var, positive when inductive.
  double reactive_power{0.0};
  /// A rms, all harmonics together.
  double distortion_current{0.0};
};

}  // namespace esphome::mains_signal

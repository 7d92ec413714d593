#pragma once

#include <cstdint>

namespace esphome::mains_signal {

constexpr double SECONDS_PER_DAY = 86400.0;

/// A moment on the wall clock of the house.
struct HouseTime {
  /// Local calendar day since 1970-01-01; seeds what differs from day to day.
  int64_t day{0};
  /// Seconds since the local midnight, 0..86400.
  double second{0.0};

  /// Seconds on one scale over all days, for what goes on through midnight.
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

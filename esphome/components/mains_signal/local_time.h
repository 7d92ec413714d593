#pragma once

#include <cstdint>
#include <ctime>

namespace esphome::mains_signal {

/// Moment on the wall clock of the house.
struct LocalTime {
  /// Days of the local calendar since 1970-01-01.
  int64_t day{0};
  /// Wall-clock seconds since the local midnight, 0..86399.
  double second{0.0};
};

/// Returns the wall clock at a Unix time, in the time zone of the process (TZ). On the two days a year when clocks
/// change, the wall clock jumps with them.
LocalTime local_time(std::time_t epoch);

}  // namespace esphome::mains_signal

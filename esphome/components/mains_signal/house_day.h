#pragma once

#include "signal_model.h"

#include <cstdint>

namespace esphome::mains_signal {

/// Simulates a three-phase house with solar panels, day after day, as a pure function of its wall clock.
///
/// Loads, sun and grid come from house_appliances, house_solar and house_grid; no two days are alike and each day is
/// the same whenever it is asked for, so that past statistics and the running meter tell one story.
class HouseDay : public SignalModel {
 public:
  /// @param first_day local calendar day (since 1970-01-01) whose midnight is second 0.
  explicit HouseDay(int64_t first_day) : first_day_(first_day) {}

  Signal at(double seconds) const override;

 protected:
  int64_t first_day_;
};

}  // namespace esphome::mains_signal

#pragma once

#include "journal_clock.h"

#include "esphome/components/time/real_time_clock.h"

namespace esphome::energy_journal {

/// The device's own clocks.
class DeviceClock : public JournalClock {
 public:
  void set_time(time::RealTimeClock *time) { this->time_ = time; }
  uint64_t uptime() override;
  std::optional<uint32_t> now() override;

#ifdef USE_HOST
  // For the simulation.
  /// So many milliseconds pass at once, by both clocks.
  void skip(uint64_t milliseconds) { this->skipped_ += milliseconds; }
  /// The wall clock is wrong by so many seconds.
  void set_error(int32_t seconds) { this->error_ = seconds; }
#endif

 protected:
  time::RealTimeClock *time_{nullptr};
  uint64_t skipped_{0};
  int32_t error_{0};
};

}  // namespace esphome::energy_journal

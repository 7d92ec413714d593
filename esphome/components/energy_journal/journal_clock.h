#pragma once

#include <cstdint>
#include <optional>

namespace esphome::energy_journal {

/// Clock of the journal.
class JournalClock {
 public:
  virtual ~JournalClock() = default;
  /// Milliseconds since the meter started; never goes back.
  virtual uint64_t uptime() = 0;
  /// Seconds since 1970; nothing before the clock is set.
  virtual std::optional<uint32_t> now() = 0;
};

}  // namespace esphome::energy_journal

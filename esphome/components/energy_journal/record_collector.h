#pragma once

#include "journal_record.h"

#include <cstdint>
#include <optional>

namespace esphome::energy_journal {

/// Accumulates readings into a record. Pure rules: no framework.
class RecordCollector {
 public:
  /// @param interval of the records, s.
  explicit RecordCollector(uint32_t interval) : interval_(interval) {}

  /// Starts a record at an uptime, s.
  void begin(uint32_t uptime);

  /// Adds a power; skips readings that are not a number.
  void add_power(size_t channel, float watts);
  void add_voltage(size_t phase, float volts);
  void add_frequency(float hertz);
  void flag(RecordFlag flag) { this->flags_ |= flag; }

  /** Whether the record ends: at multiples of the interval.
   *
   * @param boot when the uptime was 0, seconds since 1970; multiples of the uptime while it is not known.
   */
  bool is_due(uint32_t uptime, std::optional<uint32_t> boot) const;

  /// Finishes the record at an uptime, s, and starts the next record.
  JournalRecord finish(uint32_t uptime);

 protected:
  struct Mean {
    int64_t sum{0};
    uint32_t count{0};
    Extremes extremes;

    void add(float value, double step);
    Summary summary() const;
  };

  uint32_t interval_;
  uint32_t begin_{0};
  uint8_t flags_{0};
  std::array<Mean, CHANNELS> power_;
  std::array<Mean, PHASES> voltage_;
  Mean frequency_;
};

}  // namespace esphome::energy_journal

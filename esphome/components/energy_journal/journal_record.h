#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

/// Record of the journal, and its encoding. Pure rules: no framework.
namespace esphome::energy_journal {

static constexpr size_t PHASES = 3;
/// L1, L2, L3 and the three together.
static constexpr size_t CHANNELS = 4;
/// Import and export of each channel.
static constexpr size_t COUNTERS = 2 * CHANNELS;

/// Import of L1, L2, L3 and the three together, then their export, in mWh.
using Counters = std::array<uint64_t, COUNTERS>;

/// Flags of a record's readings.
enum RecordFlag : uint8_t {
  /// Nothing was measured: this is what was counted between the record before and the next start of the meter.
  FLAG_GAP = 1 << 0,
  /// The first record after a start of the meter; it says when it begins.
  FLAG_START = 1 << 1,
  /// The chip could not be read for a part of the time.
  FLAG_INCOMPLETE = 1 << 2,
  /// The clock was set by more than a second while the record was made.
  FLAG_CLOCK_SET = 1 << 3,
  /// An event of the supply began (IEC 61000-4-30, flagging).
  FLAG_EVENT = 1 << 4,
  /// The meter was off for a part of the time: the energy is exact, its place within the record is not.
  FLAG_HOLE = 1 << 5,
  /// A voltage or current was beyond the chip's range for a part of the time: what was measured is too low.
  FLAG_OVER_RANGE = 1 << 6,
};

/// The least and the greatest of some readings.
struct Extremes {
  int32_t minimum{0};
  int32_t maximum{0};
  bool valid{false};

  void add(int32_t value) { this->add(Extremes{value, value, true}); }
  void add(const Extremes &other);
  bool operator==(const Extremes &) const = default;
};

/// Mean and extremes of some readings.
struct Summary {
  int32_t mean{0};
  Extremes extremes;

  bool operator==(const Summary &) const = default;
};

/// Measurements of the meter over an interval.
struct JournalRecord {
  /// Sequence of the last record merged into this record, and the count of merged records.
  uint32_t sequence{0};
  uint32_t count{1};
  /// Seconds. That of a record with FLAG_GAP is not known: it lasts until the next record begins.
  uint32_t span{0};
  uint8_t flags{0};
  /// Of a record with FLAG_START: seconds since 1970 at which it begins, 0 while that follows from the running clock.
  uint32_t start{0};
  /// Of a record of an earlier start of the meter with FLAG_START: which start that was, and its uptime then, s.
  uint32_t boot{0};
  uint32_t start_uptime{0};
  /// Since the record before, in mWh; the exact gain of the counters.
  Counters energy{};
  /// W; the mean follows from energy and span.
  std::array<Extremes, CHANNELS> power{};
  /// In VOLTAGE_STEP V.
  std::array<Summary, PHASES> voltage{};
  /// mHz.
  Summary frequency{};

  bool has(RecordFlag flag) const { return (this->flags & flag) != 0; }
  uint32_t first() const { return this->sequence - this->count + 1; }
  bool operator==(const JournalRecord &) const = default;
};

static constexpr double VOLTAGE_STEP = 0.02;

/** Merges a record with the next record: energies added, extremes kept, means weighted with the spans.
 *
 * @param span of both, s, with whatever lies between them.
 */
JournalRecord merge(const JournalRecord &earlier, const JournalRecord &later, uint32_t span);

/// Longest encoded record, bytes: the length fits into the record's first byte.
static constexpr size_t MAX_RECORD_SIZE = 240;

/** Writes a record down.
 *
 * One byte of length and one of flags, then LEB128 numbers (signed ones zigzag): count, span, where FLAG_START is
 * set the start and, unless that is 0, which start of the meter and its uptime, the eight energies, a mask of what is
 * valid (bits 0 to 3 the powers, 4 to 6 the voltages, 7 the frequency), and of each valid power minimum and maximum -
 * minimum, of each valid voltage and the frequency mean, mean
 * - minimum and maximum - mean. The sequence is not written: it follows from the counts.
 *
 * @return its length.
 */
size_t encode(const JournalRecord &record, std::array<uint8_t, MAX_RECORD_SIZE> &bytes);

/** Decodes a record encoded by encode(); the sequence is left 0.
 *
 * @param size that may be read.
 * @return the bytes it took; 0 where they are no record.
 */
size_t decode(const uint8_t *bytes, size_t size, JournalRecord &record);

}  // namespace esphome::energy_journal

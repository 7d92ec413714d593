#pragma once

#include "journal_record.h"

#include <cstddef>
#include <cstdint>
#include <optional>

/// The journal's memory. Pure rules: no framework, and time is what the caller says.
namespace esphome::energy_journal {

/// A moment, in seconds: since 1970, or of the meter's uptime while it goes on.
struct JournalTime {
  enum class Clock : uint8_t { UNKNOWN, EPOCH, UPTIME };

  Clock clock{Clock::UNKNOWN};
  uint32_t seconds{0};

  bool operator==(const JournalTime &) const = default;
};

/// A place between two records: what had been counted, and when.
struct JournalPlace {
  /// Of the record before.
  uint32_t sequence{0};
  JournalTime time;
  /// Totals, in mWh.
  Counters counters{};
};

/** A journal of a bounded size: records in their order, and the place where they begin.
 *
 * Whatever is merged or dropped, where the journal begins plus all that its records hold is what was counted. When it
 * is full, first what every client has is merged into hours, the oldest first, and then dropped: a client whose backup
 * was restored asks for it again. Of the rest the two neighbours that are shortest together are merged, the oldest of
 * them first, and never over the full hour while there is another way: so all records are about equally long, as short
 * as the memory allows, and hours stay hours for as long as possible.
 */
class JournalRing {
 public:
  /// @param memory for the records, `size` bytes; it must outlive the ring.
  JournalRing(uint8_t *memory, size_t size) : bytes_(memory), capacity_(size) {}

  /** Empties the journal; it begins at the present totals.
   *
   * @param sequence after which the records are counted.
   */
  void begin(const Counters &counters, uint32_t sequence);

  /** Restores stored records, which may lie in the ring's memory already.
   *
   * What was counted since then, and what has no time, becomes one record without a place in time.
   *
   * @param begin where they begin; the time may be unknown.
   * @param sequence after which new records are counted, at least that of the last record.
   * @param counters of now.
   * @return false where they do not fit together with the counters or are no records: then the journal begins anew.
   */
  bool restore(const JournalPlace &begin, const uint8_t *records, size_t size, uint32_t sequence,
               const Counters &counters);

  /** Appends a record, whose energy is the gain of the counters since the previous record.
   *
   * @param record of which sequence, count, energy and start follow from what the ring knows.
   * @param uptime at the record's end, s.
   * @param boot when the uptime was 0, seconds since 1970, if known.
   */
  void append(JournalRecord record, const Counters &counters, uint32_t uptime, std::optional<uint32_t> boot);

  /** Copies the records after a sequence from another journal, with times that stay valid after a restart of the meter.
   *
   * Made to be kept: neighbours are merged beforehand as often as the size asks for.
   *
   * @param boot as in append(); without it the times of this start are lost.
   * @param boot_id which start of the meter this is.
   */
  void copy_from(const JournalRing &other, uint32_t sequence, std::optional<uint32_t> boot, uint32_t boot_id);

  /// Lets the records up to a sequence give way first where room is needed: every client has them.
  void settle(uint32_t sequence) { this->settled_ = sequence; }

  const JournalPlace &begin_place() const { return this->begin_; }
  const JournalPlace &end_place() const { return this->end_; }
  /// Uptime at which the records since the meter's start begin, s.
  uint32_t start_uptime() const { return this->start_uptime_; }
  const uint8_t *bytes() const { return this->bytes_; }
  size_t size() const { return this->size_; }
  size_t capacity() const { return this->capacity_; }

  /// Run of encoded records, and the place of its begin.
  struct Run {
    JournalPlace begin;
    const uint8_t *bytes{nullptr};
    size_t size{0};
    /// Sequence of the run's last record.
    uint32_t sequence{0};
  };
  /** Returns the records after a sequence, as many whole records as fit.
   *
   * A record into which that one was merged is among them: the counters say what of it is new.
   */
  Run run_after(uint32_t sequence, size_t max_size) const;

  /// Walks through the records.
  class Walk {
   public:
    explicit Walk(const JournalRing &ring);
    bool next();

    const JournalRecord &record() const { return this->record_; }
    /// Where the record begins and ends; the end of a record with FLAG_GAP is when the next one begins.
    const JournalPlace &begin() const { return this->begin_; }
    const JournalPlace &end() const { return this->end_; }
    size_t offset() const { return this->offset_; }
    size_t size() const { return this->record_size_; }

   protected:
    const JournalRing *ring_;
    JournalRecord record_;
    JournalPlace begin_;
    JournalPlace end_;
    size_t offset_{0};
    size_t record_size_{0};
  };
  Walk walk() const { return Walk(*this); }

 protected:
  friend class Walk;

  struct Candidate {
    size_t offset;
    JournalRecord merged;
    size_t old_size;
    uint64_t cost;
  };

  /// When a record with FLAG_START begins.
  JournalTime start_of(const JournalRecord &record) const;
  bool drop_oldest_();
  /// The merge of two neighbours; nothing where the time between their ends is not known.
  static std::optional<Candidate> merge_of_(const Walk &earlier, const Walk &later, std::optional<uint32_t> boot);
  std::optional<Candidate> best_merge_(std::optional<uint32_t> boot) const;
  /// The oldest two within an hour that every client has.
  std::optional<Candidate> settled_merge_(std::optional<uint32_t> boot) const;
  bool merge_(const std::optional<Candidate> &candidate);
  void make_room_(size_t wanted, std::optional<uint32_t> boot);
  void push_(const JournalRecord &record, std::optional<uint32_t> boot);

  uint8_t *bytes_;
  size_t capacity_;
  size_t size_{0};
  JournalPlace begin_;
  JournalPlace end_;
  /// The next record is the first since the start of the meter; this is when that began, in uptime.
  bool starting_{true};
  uint32_t start_uptime_{0};
  uint32_t settled_{0};
};

}  // namespace esphome::energy_journal

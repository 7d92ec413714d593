#include "journal_ring.h"

#include <algorithm>
#include <cstring>

namespace esphome::energy_journal {

namespace {

constexpr uint32_t HOUR = 3600;
/// Makes every other merge better than one over the full hour.
constexpr uint64_t OVER_THE_HOUR = 1ULL << 40;
/// And next to it every other than one with a record that a new time has made shorter or longer than its neighbours:
/// the parts of a merged record are then equally long, and a client knows where one that it has already ended.
constexpr uint64_t UNEQUAL = 1ULL << 39;

/// Whether a stretch of time lies in more than one hour.
bool is_over_the_hour(uint32_t begin, uint32_t end) { return end > begin && begin / HOUR != (end - 1) / HOUR; }

}  // namespace

void JournalRing::begin(const Counters &counters, uint32_t sequence) {
  this->size_ = 0;
  this->begin_ = {sequence, {}, counters};
  this->end_ = this->begin_;
  this->starting_ = true;
}

bool JournalRing::restore(const JournalPlace &begin, const uint8_t *records, size_t size, uint32_t sequence,
                          const Counters &counters) {
  this->begin_ = begin;
  this->end_ = begin;
  this->starting_ = true;
  this->size_ = std::min(size, this->capacity_);
  if (this->size_ > 0)
    std::memmove(this->bytes_, records, this->size_);
  Walk walk = this->walk();
  // Behind the last record that has a time.
  size_t dated = 0;
  JournalPlace dated_end = begin;
  while (walk.next()) {
    if (walk.end().time.clock == JournalTime::Clock::EPOCH) {
      dated = walk.offset() + walk.size();
      dated_end = walk.end();
    }
  }
  const bool whole = size <= this->capacity_ && walk.offset() == this->size_;
  const Counters &kept = walk.end().counters;
  const bool behind =
      std::equal(kept.begin(), kept.end(), counters.begin(), [](uint64_t then, uint64_t now) { return then <= now; });
  if (!whole || !behind || sequence < walk.end().sequence) {
    this->begin(counters, sequence);
    return false;
  }
  this->size_ = dated;
  this->end_ = dated_end;
  JournalRecord gap;
  gap.flags = FLAG_GAP;
  gap.count = sequence - dated_end.sequence + 1;
  for (size_t i = 0; i < COUNTERS; i++)
    gap.energy[i] = counters[i] - dated_end.counters[i];
  this->push_(gap, std::nullopt);
  return true;
}

void JournalRing::append(JournalRecord record, const Counters &counters, uint32_t uptime,
                         std::optional<uint32_t> boot) {
  record.count = 1;
  record.start = record.boot = record.start_uptime = 0;
  record.flags &= ~(FLAG_GAP | FLAG_START);
  if (this->starting_) {
    record.flags |= FLAG_START;
    this->start_uptime_ = uptime - record.span;
    this->starting_ = false;
  }
  for (size_t i = 0; i < COUNTERS; i++)
    record.energy[i] = counters[i] - this->end_.counters[i];
  this->push_(record, boot);
}

void JournalRing::push_(const JournalRecord &record, std::optional<uint32_t> boot) {
  std::array<uint8_t, MAX_RECORD_SIZE> encoded;
  const size_t size = encode(record, encoded);
  this->make_room_(size, boot);
  if (this->size_ + size > this->capacity_) {
    // Smaller than one record: the totals are all there is room for.
    this->begin_.sequence += record.count;
    for (size_t i = 0; i < COUNTERS; i++)
      this->begin_.counters[i] += record.energy[i];
    this->end_ = this->begin_;
    this->starting_ = true;
    return;
  }
  std::memcpy(this->bytes_ + this->size_, encoded.data(), size);
  this->size_ += size;
  if (record.has(FLAG_START))
    this->end_.time = this->start_of(record);
  this->end_.sequence += record.count;
  if (record.has(FLAG_GAP)) {
    this->end_.time = {};
  } else {
    this->end_.time.seconds += record.span;
  }
  for (size_t i = 0; i < COUNTERS; i++)
    this->end_.counters[i] += record.energy[i];
}

void JournalRing::copy_from(const JournalRing &other, uint32_t sequence, std::optional<uint32_t> boot,
                            uint32_t boot_id) {
  const auto lasting = [boot](JournalTime time) -> JournalTime {
    if (time.clock == JournalTime::Clock::EPOCH)
      return time;
    if (time.clock == JournalTime::Clock::UNKNOWN || !boot.has_value())
      return {};
    return {JournalTime::Clock::EPOCH, *boot + time.seconds};
  };
  this->begin(other.end_.counters, other.end_.sequence);
  const Run all = other.run_after(sequence, SIZE_MAX);
  if (all.size == 0) {
    this->begin_.time = this->end_.time = lasting(other.end_.time);
    return;
  }
  this->begin_ = this->end_ = {all.begin.sequence, lasting(all.begin.time), all.begin.counters};
  // A merged record is a little longer than each of its parts.
  const size_t together = 1 + all.size * 5 / 4 / std::max<size_t>(this->capacity_, 1);
  std::optional<JournalRecord> group;
  size_t members = 0;
  JournalTime group_begin;
  for (Walk walk = other.walk(); walk.next();) {
    if (walk.end().sequence <= sequence)
      continue;
    JournalRecord record = walk.record();
    if (record.has(FLAG_START)) {
      record.start = lasting(walk.begin().time).seconds;
      if (walk.begin().time.clock == JournalTime::Clock::UPTIME) {
        record.boot = boot_id;
        record.start_uptime = walk.begin().time.seconds;
      }
    }
    const uint32_t span = walk.end().time.seconds - group_begin.seconds;
    const uint32_t offset = walk.end().time.clock == JournalTime::Clock::UPTIME ? boot.value_or(0) : 0;
    const bool joins = group.has_value() && members < together && !record.has(FLAG_START) && !record.has(FLAG_GAP) &&
                       !group->has(FLAG_GAP) && !record.has(FLAG_CLOCK_SET) && !group->has(FLAG_CLOCK_SET) &&
                       walk.end().time.clock == group_begin.clock &&
                       !is_over_the_hour(offset + group_begin.seconds, offset + walk.end().time.seconds);
    if (joins) {
      group = merge(*group, record, span);
      members++;
      continue;
    }
    if (group.has_value())
      this->push_(*group, boot);
    group = record;
    members = 1;
    group_begin = walk.begin().time;
  }
  if (group.has_value())
    this->push_(*group, boot);
}

JournalTime JournalRing::start_of(const JournalRecord &record) const {
  if (record.start != 0)
    return {JournalTime::Clock::EPOCH, record.start};
  // Those of the start before this one were given a time or none when they were restored.
  return {this->starting_ ? JournalTime::Clock::UNKNOWN : JournalTime::Clock::UPTIME, this->start_uptime_};
}

JournalRing::Walk::Walk(const JournalRing &ring) : ring_(&ring), begin_(ring.begin_), end_(ring.begin_) {}

bool JournalRing::Walk::next() {
  this->offset_ += this->record_size_;
  this->record_size_ = 0;
  this->begin_ = this->end_;
  const size_t size = decode(this->ring_->bytes_ + this->offset_, this->ring_->size_ - this->offset_, this->record_);
  if (size == 0)
    return false;
  this->record_size_ = size;
  if (this->record_.has(FLAG_START))
    this->begin_.time = this->ring_->start_of(this->record_);
  this->end_ = this->begin_;
  this->end_.sequence += this->record_.count;
  this->record_.sequence = this->end_.sequence;
  for (size_t i = 0; i < COUNTERS; i++)
    this->end_.counters[i] += this->record_.energy[i];
  if (!this->record_.has(FLAG_GAP)) {
    this->end_.time.seconds += this->record_.span;
    return true;
  }
  this->end_.time = {};
  JournalRecord next;
  const size_t next_offset = this->offset_ + size;
  if (decode(this->ring_->bytes_ + next_offset, this->ring_->size_ - next_offset, next) > 0 && next.has(FLAG_START))
    this->end_.time = this->ring_->start_of(next);
  return true;
}

JournalRing::Run JournalRing::run_after(uint32_t sequence, size_t max_size) const {
  Run run;
  Walk walk = this->walk();
  while (walk.next()) {
    if (walk.end().sequence <= sequence)
      continue;
    if (run.size == 0) {
      run.begin = walk.begin();
      run.bytes = this->bytes_ + walk.offset();
    }
    if (run.size + walk.size() > max_size)
      break;
    run.size += walk.size();
    run.sequence = walk.end().sequence;
  }
  return run;
}

void JournalRing::make_room_(size_t wanted, std::optional<uint32_t> boot) {
  while (this->size_ + wanted > this->capacity_ && this->size_ > 0) {
    if (this->merge_(this->settled_merge_(boot)))
      continue;
    Walk oldest = this->walk();
    const bool settled = oldest.next() && oldest.end().sequence <= this->settled_;
    if (settled || !this->merge_(this->best_merge_(boot))) {
      if (!this->drop_oldest_())
        return;
    }
  }
}

bool JournalRing::drop_oldest_() {
  Walk oldest = this->walk();
  if (!oldest.next()) {
    this->size_ = 0;
    return false;
  }
  this->begin_ = oldest.end();
  this->size_ -= oldest.size();
  std::memmove(this->bytes_, this->bytes_ + oldest.size(), this->size_);
  return true;
}

std::optional<JournalRing::Candidate> JournalRing::merge_of_(const Walk &earlier, const Walk &later,
                                                             std::optional<uint32_t> boot) {
  const JournalTime begin = earlier.begin().time;
  const JournalTime end = later.end().time;
  const JournalTime middle = later.begin().time;
  if (begin.clock == JournalTime::Clock::UNKNOWN || begin.clock != end.clock || middle.clock != begin.clock ||
      end.seconds < begin.seconds)
    return std::nullopt;
  const uint32_t offset = begin.clock == JournalTime::Clock::UPTIME ? boot.value_or(0) : 0;
  const uint32_t span = end.seconds - begin.seconds;
  uint64_t cost = span;
  if (is_over_the_hour(offset + begin.seconds, offset + end.seconds))
    cost += OVER_THE_HOUR;
  if (earlier.record().has(FLAG_CLOCK_SET) || later.record().has(FLAG_CLOCK_SET))
    cost += UNEQUAL;
  return Candidate{earlier.offset(), merge(earlier.record(), later.record(), span), earlier.size() + later.size(),
                   cost};
}

std::optional<JournalRing::Candidate> JournalRing::best_merge_(std::optional<uint32_t> boot) const {
  std::optional<Candidate> best;
  Walk earlier = this->walk();
  if (!earlier.next())
    return best;
  for (Walk later = earlier; later.next(); earlier = later) {
    const auto candidate = merge_of_(earlier, later, boot);
    if (candidate.has_value() && (!best.has_value() || candidate->cost < best->cost))
      best = candidate;
  }
  return best;
}

std::optional<JournalRing::Candidate> JournalRing::settled_merge_(std::optional<uint32_t> boot) const {
  Walk earlier = this->walk();
  if (!earlier.next())
    return std::nullopt;
  for (Walk later = earlier; later.next() && later.end().sequence <= this->settled_; earlier = later) {
    const auto candidate = merge_of_(earlier, later, boot);
    if (candidate.has_value() && candidate->cost <= HOUR)
      return candidate;
  }
  return std::nullopt;
}

bool JournalRing::merge_(const std::optional<Candidate> &candidate) {
  if (!candidate.has_value())
    return false;
  std::array<uint8_t, MAX_RECORD_SIZE> encoded;
  const size_t size = encode(candidate->merged, encoded);
  // Each number of the sum is at most one byte longer than the longer one of its two, and the other one is gone.
  if (size >= candidate->old_size)
    return false;
  std::memcpy(this->bytes_ + candidate->offset, encoded.data(), size);
  const size_t behind = candidate->offset + candidate->old_size;
  std::memmove(this->bytes_ + candidate->offset + size, this->bytes_ + behind, this->size_ - behind);
  this->size_ -= candidate->old_size - size;
  return true;
}

}  // namespace esphome::energy_journal

#include "journal_record.h"

#include <algorithm>

namespace esphome::energy_journal {

namespace {

constexpr size_t MASK_POWER = 0;
constexpr size_t MASK_VOLTAGE = MASK_POWER + CHANNELS;
constexpr size_t MASK_FREQUENCY = MASK_VOLTAGE + PHASES;

class Writer {
 public:
  explicit Writer(uint8_t *bytes) : bytes_(bytes) {}

  void byte(uint8_t value) { this->bytes_[this->size_++] = value; }
  void number(uint64_t value) {
    while (value >= 0x80) {
      this->byte(static_cast<uint8_t>(value) | 0x80);
      value >>= 7;
    }
    this->byte(static_cast<uint8_t>(value));
  }
  void signed_number(int64_t value) {
    this->number((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63));
  }
  void summary(const Summary &summary) {
    this->signed_number(summary.mean);
    this->signed_number(static_cast<int64_t>(summary.mean) - summary.extremes.minimum);
    this->signed_number(static_cast<int64_t>(summary.extremes.maximum) - summary.mean);
  }
  size_t size() const { return this->size_; }

 protected:
  uint8_t *bytes_;
  size_t size_{0};
};

class Reader {
 public:
  Reader(const uint8_t *bytes, size_t size) : bytes_(bytes), end_(bytes + size) {}

  uint8_t byte() {
    if (this->bytes_ == this->end_) {
      this->failed_ = true;
      return 0;
    }
    return *this->bytes_++;
  }
  uint64_t number() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const uint8_t next = this->byte();
      value |= static_cast<uint64_t>(next & 0x7F) << shift;
      if ((next & 0x80) == 0)
        return value;
    }
    this->failed_ = true;
    return 0;
  }
  int64_t signed_number() {
    const uint64_t value = this->number();
    return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
  }
  Summary summary() {
    const int64_t mean = this->signed_number();
    const int64_t minimum = mean - this->signed_number();
    const int64_t maximum = mean + this->signed_number();
    return {static_cast<int32_t>(mean), {static_cast<int32_t>(minimum), static_cast<int32_t>(maximum), true}};
  }
  bool is_done() const { return !this->failed_ && this->bytes_ == this->end_; }

 protected:
  const uint8_t *bytes_;
  const uint8_t *end_;
  bool failed_{false};
};

Summary merge_summaries(const Summary &earlier, uint32_t earlier_span, const Summary &later, uint32_t later_span) {
  if (!earlier.extremes.valid || !later.extremes.valid)
    return earlier.extremes.valid ? earlier : later;
  const int64_t spans = static_cast<int64_t>(earlier_span) + later_span;
  Summary both = later;
  both.extremes.add(earlier.extremes);
  if (spans > 0) {
    const int64_t sum =
        static_cast<int64_t>(earlier.mean) * earlier_span + static_cast<int64_t>(later.mean) * later_span;
    both.mean = static_cast<int32_t>((sum + (sum >= 0 ? spans : -spans) / 2) / spans);
  }
  return both;
}

}  // namespace

void Extremes::add(const Extremes &other) {
  if (!other.valid)
    return;
  if (!this->valid) {
    *this = other;
    return;
  }
  this->minimum = std::min(this->minimum, other.minimum);
  this->maximum = std::max(this->maximum, other.maximum);
}

JournalRecord merge(const JournalRecord &earlier, const JournalRecord &later, uint32_t span) {
  JournalRecord both = later;
  both.count = earlier.count + later.count;
  both.span = span;
  both.flags = (earlier.flags & ~FLAG_GAP) | (later.flags & ~(FLAG_GAP | FLAG_START));
  if (earlier.has(FLAG_GAP) || later.has(FLAG_GAP) || later.has(FLAG_START))
    both.flags |= FLAG_HOLE;
  both.start = earlier.start;
  both.boot = earlier.boot;
  both.start_uptime = earlier.start_uptime;
  for (size_t i = 0; i < COUNTERS; i++)
    both.energy[i] = earlier.energy[i] + later.energy[i];
  for (size_t i = 0; i < CHANNELS; i++)
    both.power[i].add(earlier.power[i]);
  for (size_t i = 0; i < PHASES; i++)
    both.voltage[i] = merge_summaries(earlier.voltage[i], earlier.span, later.voltage[i], later.span);
  both.frequency = merge_summaries(earlier.frequency, earlier.span, later.frequency, later.span);
  return both;
}

size_t encode(const JournalRecord &record, std::array<uint8_t, MAX_RECORD_SIZE> &bytes) {
  Writer writer(bytes.data());
  writer.byte(0);
  writer.byte(record.flags);
  writer.number(record.count);
  writer.number(record.span);
  if (record.has(FLAG_START)) {
    writer.number(record.start);
    if (record.start != 0) {
      writer.number(record.boot);
      writer.number(record.start_uptime);
    }
  }
  for (const uint64_t energy : record.energy)
    writer.number(energy);
  uint8_t mask = record.frequency.extremes.valid ? 1 << MASK_FREQUENCY : 0;
  for (size_t i = 0; i < CHANNELS; i++)
    mask |= record.power[i].valid ? 1 << (MASK_POWER + i) : 0;
  for (size_t i = 0; i < PHASES; i++)
    mask |= record.voltage[i].extremes.valid ? 1 << (MASK_VOLTAGE + i) : 0;
  writer.byte(mask);
  for (const Extremes &power : record.power) {
    if (!power.valid)
      continue;
    writer.signed_number(power.minimum);
    writer.number(static_cast<uint64_t>(static_cast<int64_t>(power.maximum) - power.minimum));
  }
  for (const Summary &voltage : record.voltage) {
    if (voltage.extremes.valid)
      writer.summary(voltage);
  }
  if (record.frequency.extremes.valid)
    writer.summary(record.frequency);
  bytes[0] = static_cast<uint8_t>(writer.size());
  return writer.size();
}

size_t decode(const uint8_t *bytes, size_t size, JournalRecord &record) {
  if (size == 0 || bytes[0] == 0 || bytes[0] > size)
    return 0;
  Reader reader(bytes + 1, bytes[0] - 1);
  record = {};
  record.flags = reader.byte();
  record.count = static_cast<uint32_t>(reader.number());
  record.span = static_cast<uint32_t>(reader.number());
  if (record.has(FLAG_START)) {
    record.start = static_cast<uint32_t>(reader.number());
    if (record.start != 0) {
      record.boot = static_cast<uint32_t>(reader.number());
      record.start_uptime = static_cast<uint32_t>(reader.number());
    }
  }
  for (uint64_t &energy : record.energy)
    energy = reader.number();
  const uint8_t mask = reader.byte();
  for (size_t i = 0; i < CHANNELS; i++) {
    if ((mask & 1 << (MASK_POWER + i)) == 0)
      continue;
    const int64_t minimum = reader.signed_number();
    record.power[i] = {static_cast<int32_t>(minimum),
                       static_cast<int32_t>(minimum + static_cast<int64_t>(reader.number())), true};
  }
  for (size_t i = 0; i < PHASES; i++) {
    if ((mask & 1 << (MASK_VOLTAGE + i)) != 0)
      record.voltage[i] = reader.summary();
  }
  if ((mask & 1 << MASK_FREQUENCY) != 0)
    record.frequency = reader.summary();
  return reader.is_done() ? bytes[0] : 0;
}

}  // namespace esphome::energy_journal

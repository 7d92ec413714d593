#include "energy_journal_component.h"

#include "esphome/core/alloc_helpers.h"
#include "esphome/core/hal.h"
#include "esphome/core/helpers.h"
#include "esphome/core/log.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <map>

namespace esphome::energy_journal {

static const char *const TAG = "energy_journal";

static constexpr int64_t NANO_PER_MILLI = 1'000'000;
/// Sequences are set aside by so many, so that none is given twice after a power cut.
static constexpr uint32_t RESERVE = 1024;
/// An update takes place five times a second; without one for so long the meter measures nothing, s.
static constexpr uint32_t LONGEST_SILENCE = 10;
/// Seconds by which the clock may differ from the uptime before it counts as set anew.
static constexpr uint32_t CLOCK_TOLERANCE = 2;

void EnergyJournal::setup() {
  RAMAllocator<uint8_t> allocator;
  uint8_t *memory = allocator.allocate(this->memory_size_ + this->flash_size_);
  if (memory == nullptr) {
    ESP_LOGE(TAG, "There are no %zu bytes for the journal: set a smaller memory", this->memory_size_);
    this->mark_failed();
    return;
  }
  this->ring_.emplace(memory, this->memory_size_);
  this->image_.emplace(memory + this->memory_size_, this->flash_size_);
  this->store_.setup(this->flash_size_, this->meter_->get_number());
  this->boot_ = random_uint32();
  const auto kept = this->store_.load(memory);
  bool restored = false;
  if (kept.has_value()) {
    this->journal_ = kept->journal;
    this->reserved_ = kept->reserved;
    const JournalTime time{kept->time != 0 ? JournalTime::Clock::EPOCH : JournalTime::Clock::UNKNOWN, kept->time};
    restored = this->ring_->restore({kept->sequence, time, kept->counters}, memory, kept->size, kept->reserved,
                                    this->counters_());
  }
  if (!restored) {
    if (kept.has_value())
      ESP_LOGW(TAG, "The totals are behind the journal: it begins anew");
    this->journal_ = random_uint32();
    this->ring_->begin(this->counters_(), this->reserved_);
  }
  const uint32_t uptime = this->keep_time_();
  this->collector_.begin(uptime);
  this->measured_at_ = uptime;
  this->save_();
  this->meter_->add_on_snapshot_callback([this](const ade9000::Snapshot &snapshot) { this->on_snapshot_(snapshot); });
  this->register_service(&EnergyJournal::on_open, "journal_open", {"client", "journal", "after"});
  this->register_service(&EnergyJournal::on_acknowledge, "journal_acknowledge", {"client", "sequence", "done"});
}

void EnergyJournal::dump_config() {
  ESP_LOGCONFIG(TAG,
                "Energy journal:\n"
                "  Memory: %zu bytes\n"
                "  Kept in flash: %zu bytes, every %" PRIu32 " s",
                this->memory_size_, this->flash_size_, this->save_interval_);
}

uint32_t EnergyJournal::keep_time_() {
  const auto uptime = static_cast<uint32_t>(this->clock_.uptime() / 1000);
  const auto now = this->clock_.now();
  if (!now.has_value())
    return uptime;
  const uint32_t boot_time = *now - uptime;
  if (!this->boot_time_.has_value()) {
    this->boot_time_ = boot_time;
  } else if (boot_time + CLOCK_TOLERANCE < *this->boot_time_ || boot_time > *this->boot_time_ + CLOCK_TOLERANCE) {
    ESP_LOGI(TAG, "The clock was set by %" PRId32 " s", static_cast<int32_t>(boot_time - *this->boot_time_));
    this->collector_.flag(FLAG_CLOCK_SET);
    this->boot_time_ = boot_time;
  }
  return uptime;
}

void EnergyJournal::on_snapshot_(const ade9000::Snapshot &snapshot) {
  const uint32_t uptime = this->keep_time_();
  if (uptime - this->measured_at_ > LONGEST_SILENCE)
    this->collector_.flag(FLAG_INCOMPLETE);
  if (this->meter_->is_over_range())
    this->collector_.flag(FLAG_OVER_RANGE);
  this->measured_at_ = uptime;
  for (size_t i = 0; i < CHANNELS; i++) {
    const auto channel = static_cast<ade9000::Channel>(i);
    this->collector_.add_power(i, snapshot.at(channel, ade9000::Quantity::ACTIVE_POWER));
    if (i < PHASES)
      this->collector_.add_voltage(i, snapshot.at(channel, ade9000::Quantity::VOLTAGE));
  }
  this->collector_.add_frequency(snapshot.at(ade9000::Channel::TOTAL, ade9000::Quantity::FREQUENCY));
  if (this->collector_.is_due(uptime, this->boot_time_))
    this->end_record_(uptime);
}

void EnergyJournal::loop() {
  const uint32_t uptime = this->keep_time_();
  if (uptime - this->measured_at_ > LONGEST_SILENCE) {
    this->collector_.flag(FLAG_INCOMPLETE);
    if (this->collector_.is_due(uptime, this->boot_time_))
      this->end_record_(uptime);
  }
  if (uptime - this->saved_at_ >= this->save_interval_ ||
      this->ring_->end_place().sequence + RESERVE / 4 >= this->reserved_)
    this->save_();
  this->write_part_();
  this->deliver_();
}

void EnergyJournal::end_record_(uint32_t uptime) {
  this->ring_->append(this->collector_.finish(uptime), this->counters_(), uptime, this->boot_time_);
}

Counters EnergyJournal::counters_() const {
  const auto &energy = this->meter_->get_active_energy();
  Counters counters{};
  for (size_t i = 0; i < CHANNELS; i++) {
    const auto channel = static_cast<ade9000::Channel>(i);
    counters[i] = static_cast<uint64_t>(energy.get_import(channel) / NANO_PER_MILLI);
    counters[CHANNELS + i] = static_cast<uint64_t>(energy.get_export(channel) / NANO_PER_MILLI);
  }
  return counters;
}

void EnergyJournal::save_() {
  this->saved_at_ = static_cast<uint32_t>(this->clock_.uptime() / 1000);
  const uint32_t newest = this->ring_->end_place().sequence;
  if (newest == this->saved_sequence_ && this->reserved_ > newest)
    return;
  this->image_->copy_from(*this->ring_, this->delivery_.settled(millis()), this->boot_time_, this->boot_);
  const JournalPlace &begin = this->image_->begin_place();
  this->reserved_ = std::max(this->reserved_, newest + RESERVE);
  this->store_.begin_save(
      {
          .journal = this->journal_,
          .reserved = this->reserved_,
          .sequence = begin.sequence,
          .time = begin.time.clock == JournalTime::Clock::EPOCH ? begin.time.seconds : 0,
          .counters = begin.counters,
          .size = static_cast<uint32_t>(this->image_->size()),
          .crc = 0,
          .generation = 0,
      },
      this->image_->bytes());
  this->saved_sequence_ = newest;
}

void EnergyJournal::write_part_() {
  if (!this->store_.step())
    ESP_LOGW(TAG, "The journal could not be written to flash: a power cut would lose it");
}

void EnergyJournal::on_shutdown() {
  if (!this->ring_.has_value())
    return;
  this->save_();
  this->finish_write();
}

void EnergyJournal::finish_write() {
  while (this->store_.is_saving())
    this->write_part_();
}

/// The number that a client writes as hexadecimal text; 0 is none.
static uint32_t number_of(const std::string &text) {
  return static_cast<uint32_t>(std::strtoul(text.c_str(), nullptr, 16));
}

void EnergyJournal::on_open(std::string client, std::string journal, int32_t after) {
  if (number_of(client) == 0) {
    ESP_LOGW(TAG, "'%s' is no client: it must be a hexadecimal number of up to 8 digits", client.c_str());
    return;
  }
  if (after < 0) {
    this->delivery_.close(number_of(client));
    return;
  }
  const uint32_t newest = this->ring_->end_place().sequence;
  const bool known = number_of(journal) == this->journal_;
  this->delivery_.open(number_of(client), known && after > 0 ? static_cast<uint32_t>(after) : 0, newest, millis());
  // A restored backup asks for what it had used: until it has that again nothing of it gives way.
  this->ring_->settle(this->delivery_.settled(millis()));
}

void EnergyJournal::on_acknowledge(std::string client, int32_t sequence, int32_t done) {
  if (!this->delivery_.acknowledge(number_of(client), static_cast<uint32_t>(std::max<int32_t>(0, sequence)),
                                   static_cast<uint32_t>(std::max<int32_t>(0, done)), millis())) {
    ESP_LOGD(TAG, "An acknowledgement of record %" PRId32 " means nothing here", sequence);
    return;
  }
  this->ring_->settle(this->delivery_.settled(millis()));
}

void EnergyJournal::deliver_() {
  if (!this->is_connected())
    return;
  const auto session = this->delivery_.due(this->ring_->end_place().sequence, millis());
  if (session.has_value())
    this->send_(*session);
}

void EnergyJournal::send_(size_t session) {
  const auto &to = this->delivery_.session(session);
  const auto run = this->ring_->run_after(to.received, this->page_size_);
  if (run.size == 0)
    return;
  char text[16];
  snprintf(text, sizeof(text), "%08" PRIx32, this->journal_);
  std::string counters;
  for (const uint64_t counter : run.begin.counters) {
    char number[24];
    snprintf(number, sizeof(number), "%s%" PRIu64, counters.empty() ? "" : ",", counter);
    counters += number;
  }
  // The epoch of a boot or of the first record, or the uptime: empty where it is not known.
  const auto in_clock = [&run](JournalTime::Clock clock) {
    return run.begin.time.clock == clock ? std::to_string(run.begin.time.seconds) : std::string();
  };
  char client[16];
  snprintf(client, sizeof(client), "%08" PRIx32, to.client);
  this->fire_homeassistant_event(
      "esphome.nrj_journal", {
                                 {"client", client},
                                 {"journal", text},
                                 {"boot", std::to_string(this->boot_)},
                                 {"boot_time", this->boot_time_.has_value() ? std::to_string(*this->boot_time_) : ""},
                                 {"uptime_ms", std::to_string(this->clock_.uptime())},
                                 {"start_uptime", std::to_string(this->ring_->start_uptime())},
                                 {"after", std::to_string(run.begin.sequence)},
                                 {"last", std::to_string(run.sequence)},
                                 {"newest", std::to_string(this->ring_->end_place().sequence)},
                                 {"begin_time", in_clock(JournalTime::Clock::EPOCH)},
                                 {"begin_uptime", in_clock(JournalTime::Clock::UPTIME)},
                                 {"counters", counters},
                                 {"data", base64_encode(run.bytes, run.size)},
                             });
  this->delivery_.on_sent(session, run.sequence, millis());
}

}  // namespace esphome::energy_journal

#pragma once

#include "device_clock.h"
#include "journal_delivery.h"
#include "journal_ring.h"
#include "journal_store.h"
#include "record_collector.h"

#include "esphome/components/ade9000/ade9000.h"
#include "esphome/components/api/custom_api_device.h"
#include "esphome/core/component.h"

#include <optional>
#include <string>

namespace esphome::energy_journal {

/// Records the meter's energies and measurements minute by minute, until every client has acknowledged the records.
class EnergyJournal : public Component, public api::CustomAPIDevice {
 public:
  void setup() override;
  void loop() override;
  void on_shutdown() override;
  void dump_config() override;
  /// Sets this component up after the meter has restored its totals.
  float get_setup_priority() const override { return setup_priority::DATA - 1.0f; }

  void set_meter(ade9000::Ade9000 *meter) { this->meter_ = meter; }
  void set_time(time::RealTimeClock *time) { this->clock_.set_time(time); }
  DeviceClock &clock() { return this->clock_; }
  void set_sizes(size_t memory, size_t flash, size_t page) {
    this->memory_size_ = memory;
    this->flash_size_ = flash;
    this->page_size_ = page;
  }
  /// Of the records, s.
  void set_interval(uint32_t interval) { this->collector_ = RecordCollector(interval); }
  /// Of the writes to flash, s.
  void set_save_interval(uint32_t interval) { this->save_interval_ = interval; }

  /// Completes a running write to flash at once.
  void finish_write();

  /// Something happened to the supply: the record says so.
  void flag_event() { this->collector_.flag(FLAG_EVENT); }

 protected:
  // User actions of the native API.
  void on_open(std::string client, std::string journal, int32_t after);
  void on_acknowledge(std::string client, int32_t sequence, int32_t done);

  void on_snapshot_(const ade9000::Snapshot &snapshot);
  /// Follows the clock. @return uptime in s.
  uint32_t keep_time_();
  void end_record_(uint32_t uptime);
  void deliver_();
  void send_(size_t session);
  /// Starts writing the unsaved records to flash.
  void save_();
  void write_part_();
  Counters counters_() const;

  ade9000::Ade9000 *meter_{nullptr};
  DeviceClock clock_;
  RecordCollector collector_{60};
  JournalDelivery delivery_;
  JournalStore store_;
  std::optional<JournalRing> ring_;
  /// Copy of the journal that is being written to flash.
  std::optional<JournalRing> image_;

  size_t memory_size_{8192};
  size_t flash_size_{0};
  size_t page_size_{720};
  uint32_t save_interval_{900};

  uint32_t journal_{0};
  uint32_t reserved_{0};
  uint32_t saved_at_{0};
  uint32_t saved_sequence_{0};
  uint32_t measured_at_{0};
  /// When the uptime was 0, seconds since 1970.
  std::optional<uint32_t> boot_time_;
  uint32_t boot_{0};
};

}  // namespace esphome::energy_journal

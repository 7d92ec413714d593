#pragma once

#include "harmonic_sensors.h"
#include "oscillograms.h"

#include "esphome/components/ade9000/ade9000_companion.h"
#include "event_detector.h"
#include "chip_monitor.h"
#include "waveform_capture.h"
#include "esphome/components/api/custom_api_device.h"
#include "esphome/components/event_journal/event_journal.h"
#include "esphome/components/text_sensor/text_sensor.h"
#include "esphome/core/component.h"
#include "esphome/core/helpers.h"

#include <array>
#include <memory>
#include <optional>

namespace esphome::power_quality {

/** Monitors the supply and sends its events to clients.
 *
 * Each event goes out as the Home Assistant event `esphome.nrj_power_quality`, when it is over, and before that once
 * with ongoing = 1 if it lasts longer than a second. A client that was not there asks with the user action
 * `power_quality_events` for those after a number, and with `power_quality_oscillogram` for one page of the waveform
 * of an event, which comes as `esphome.nrj_oscillogram`.
 */
class PowerQuality : public Component, public ade9000::Ade9000Companion, public api::CustomAPIDevice {
 public:
  void set_limits(const PowerQualityLimits &limits) { this->detector_.set_limits(limits); }
  void set_oscillograms(size_t count) { this->oscillogram_count_ = count; }
  void set_neutral_current(bool neutral) { this->neutral_ = neutral; }
  void set_last_event(text_sensor::TextSensor *sensor) { this->last_event_ = sensor; }
  void set_harmonics_interval(uint32_t interval_ms) { this->harmonics_interval_us_ = int64_t{1000} * interval_ms; }
  void add_harmonic_sensor(WaveformChannel channel, uint8_t order, sensor::Sensor *sensor) {
    this->harmonics_.add(channel, order, sensor);
  }

  void setup() override;
  void loop() override;
  void on_shutdown() override;
  void dump_config() override;
  float get_setup_priority() const override { return setup_priority::DATA; }

  bool on_chip_configured(ade9000::Ade9000Bus &bus, const ade9000::Scaling &scaling) override;
  void on_chip_lost() override;
  void on_range(const ade9000::RangeMonitor &range) override;

  // User actions.
  /// Sends the finished events with a number greater than `after` again, and those of earlier starts, as far as they
  /// are still kept.
  void on_events_requested(int32_t after);
  /// Sends one page of an event's oscillogram; with pages = 0 if there is none.
  void on_oscillogram_requested(int32_t event, int32_t page);

 protected:
  void keep_time_();
  void poll_();
  void publish_events_();
  void announce_ongoing_();
  /// Keeps an event in the journal, in the place of the same event before.
  void keep_(const PowerQualityEvent &event);
  void capture_();
  void start_capture_(uint32_t now_ms);
  /// Advances the running capture. @return whether the capture is still needed.
  bool is_capture_busy_();
  bool are_harmonics_due_() const;
  using KeptEvent = event_journal::KeptEvent<PowerQualityEvent>;
  void send_(const KeptEvent &kept, int64_t age_ms, bool ongoing);
  void publish_(const PowerQualityEvent &event, bool ongoing);

  size_t oscillogram_count_{0};
  bool neutral_{true};
  text_sensor::TextSensor *last_event_{nullptr};

  ade9000::Ade9000Bus *bus_{nullptr};
  ade9000::Scaling scaling_{1, 1};
  EventDetector detector_;
  std::optional<ChipMonitor> monitor_;
  std::unique_ptr<WaveformCapture> capture_state_;
  Oscillograms oscillograms_;
  HarmonicSensors harmonics_;
  HighFrequencyLoopRequester high_frequency_;

  /// Numbers start anew at each boot; this tells one boot from another.
  uint32_t boot_{0};
  int64_t now_us_{0};
  uint32_t last_micros_{0};
  int64_t next_poll_us_{0};
  int64_t next_capture_us_{0};
  int64_t capture_started_us_{0};
  /// Count of events begun before this pass of the loop: later events may have begun after a buffer that fills in this
  /// pass.
  uint32_t known_events_{0};
  /// Count of events begun before the running capture was armed, and before the capture was read.
  uint32_t started_before_capture_{0};
  uint32_t captured_event_{0};
  /// Whether the previous capture was read for the harmonics, without an event.
  bool was_quiet_{false};
  int64_t harmonics_interval_us_{0};
  int64_t next_harmonics_us_{0};

  /// Finished events, for clients that come later.
  event_journal::EventJournal<PowerQualityEvent> journal_;
  std::array<uint32_t, EventDetector::MAX_ONGOING> announced_{};
  size_t next_announced_{0};
};

}  // namespace esphome::power_quality

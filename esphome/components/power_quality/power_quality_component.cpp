#include "power_quality_component.h"

#include "esphome/core/alloc_helpers.h"
#include "esphome/core/hal.h"
#include "esphome/core/log.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <map>
#include <numbers>
#include <string>

namespace esphome::power_quality {

static const char *const TAG = "power_quality";

/// Twice a half cycle at 50 Hz: each is read, whatever the loop's rhythm.
static constexpr int64_t POLL_INTERVAL_US = 5000;
/// A chip that does not answer is asked less often.
static constexpr int64_t RETRY_INTERVAL_US = 200000;
/// What lasts longer is told of while it goes on.
static constexpr int64_t ANNOUNCE_AFTER_US = 1000000;

static const char *phase_name(uint8_t phase) {
  static const char *const NAMES[] = {"L1", "L2", "L3"};
  return phase < 3 ? NAMES[phase] : "";
}

static bool is_of_current(PowerQualityKind kind) {
  return kind == PowerQualityKind::OVERCURRENT || kind == PowerQualityKind::CURRENT_OVER_RANGE;
}

static const char *unit_of(PowerQualityKind kind) { return is_of_current(kind) ? "A" : "V"; }

static std::string number(double value, const char *format) {
  char text[32];
  snprintf(text, sizeof(text), format, value);
  return text;
}

void PowerQuality::setup() {
  this->boot_ = random_uint32();
  this->journal_.setup(fnv1_hash("power_quality.events.1"), this->boot_);
  this->last_micros_ = micros();
  this->oscillograms_.allocate(this->oscillogram_count_);
  this->harmonics_.setup();
  this->register_service(&PowerQuality::on_events_requested, "power_quality_events", {"after"});
  this->register_service(&PowerQuality::on_oscillogram_requested, "power_quality_oscillogram", {"event", "page"});
#ifndef USE_HOST
  // The loop's usual 16 ms would blur a half cycle of 10 ms.
  this->high_frequency_.start();
#endif
}

void PowerQuality::dump_config() {
  const auto &limits = this->detector_.limits();
  ESP_LOGCONFIG(TAG,
                "Power quality:\n"
                "  Dip, swell, interruption: %.1f, %.1f, %.1f V\n"
                "  Overcurrent: %.1f A\n"
                "  Oscillograms: %zu\n"
                "  Harmonics: %zu",
                limits.dip * limits.nominal_voltage, limits.swell * limits.nominal_voltage,
                limits.interruption * limits.nominal_voltage, limits.overcurrent, this->oscillogram_count_,
                this->harmonics_.size());
}

bool PowerQuality::on_chip_configured(ade9000::Ade9000Bus &bus, const ade9000::Scaling &scaling) {
  this->monitor_.emplace(bus, this->detector_);
  if (!this->monitor_->configure(scaling))
    return false;
  this->capture_state_.reset();
  if (this->oscillogram_count_ > 0 || !this->harmonics_.empty())
    this->capture_state_ = std::make_unique<WaveformCapture>(bus, this->neutral_);
  this->scaling_ = scaling;
  this->bus_ = &bus;
  this->keep_time_();
  this->next_poll_us_ = this->now_us_;
  return true;
}

void PowerQuality::on_chip_lost() {
  this->bus_ = nullptr;
  this->harmonics_.give_up();
}

void PowerQuality::on_range(const ade9000::RangeMonitor &range) {
  this->keep_time_();
  OverRange over{.hold_us = int64_t{1000} * ade9000::RangeMonitor::HOLD};
  for (size_t phase = 0; phase < 3; phase++) {
    using ade9000::RangeQuantity;
    if (range.is_over(RangeQuantity::VOLTAGE, phase))
      over.voltages |= 1 << phase;
    if (range.is_over(RangeQuantity::CURRENT, phase))
      over.currents |= 1 << phase;
    over.voltage[phase] = static_cast<float>(range.greatest(RangeQuantity::VOLTAGE, phase));
    over.current[phase] = static_cast<float>(range.greatest(RangeQuantity::CURRENT, phase));
  }
  this->detector_.add(over, this->now_us_);
}

void PowerQuality::keep_time_() {
  const uint32_t now = micros();
  this->now_us_ += now - this->last_micros_;
  this->last_micros_ = now;
}

void PowerQuality::loop() {
  this->keep_time_();
  this->journal_.loop(this->now_us_ / 1000,
                      [this](const KeptEvent &kept, int64_t age_ms) { this->send_(kept, age_ms, false); });
  if (this->bus_ == nullptr)
    return;
  this->known_events_ = this->detector_.started();
  this->poll_();
  this->publish_events_();
  this->announce_ongoing_();
  if (this->capture_state_ != nullptr)
    this->capture_();
}

void PowerQuality::poll_() {
  if (this->now_us_ < this->next_poll_us_)
    return;
  const bool answered = this->monitor_->poll(this->now_us_);
  this->next_poll_us_ = this->now_us_ + (answered ? POLL_INTERVAL_US : RETRY_INTERVAL_US);
}

void PowerQuality::publish_events_() {
  PowerQualityEvent event;
  while (this->detector_.pop(event)) {
    this->keep_(event);
    this->publish_(event, false);
  }
}

void PowerQuality::keep_(const PowerQualityEvent &event) {
  const bool known = this->journal_.replace(
      event, this->now_us_ / 1000, [&event](const PowerQualityEvent &kept) { return kept.number == event.number; });
  if (!known)
    this->journal_.add(event, event.start_us / 1000, this->now_us_ / 1000);
}

void PowerQuality::on_shutdown() {
  std::array<PowerQualityEvent, EventDetector::MAX_ONGOING> ongoing;
  const size_t count = this->detector_.ongoing(ongoing);
  for (size_t i = 0; i < count; i++) {
    if (ongoing[i].duration_us >= ANNOUNCE_AFTER_US)
      this->keep_(ongoing[i].going_on());
  }
  this->journal_.save(this->now_us_ / 1000);
}

void PowerQuality::announce_ongoing_() {
  std::array<PowerQualityEvent, EventDetector::MAX_ONGOING> ongoing;
  const size_t count = this->detector_.ongoing(ongoing);
  for (size_t i = 0; i < count; i++) {
    const PowerQualityEvent &event = ongoing[i];
    if (event.duration_us < ANNOUNCE_AFTER_US ||
        std::find(this->announced_.begin(), this->announced_.end(), event.number) != this->announced_.end())
      continue;
    this->announced_[this->next_announced_] = event.number;
    this->next_announced_ = (this->next_announced_ + 1) % this->announced_.size();
    this->publish_(event, true);
    // Should the device restart meanwhile, the next start tells the end.
    this->keep_(event.going_on());
  }
}

bool PowerQuality::are_harmonics_due_() const {
  return !this->harmonics_.empty() && this->now_us_ >= this->next_harmonics_us_;
}

void PowerQuality::start_capture_(uint32_t now_ms) {
  // What began while a quiet line was read or analysed is not past yet: it belongs to this capture.
  if (!this->was_quiet_)
    this->started_before_capture_ = this->known_events_;
  this->was_quiet_ = false;
  this->captured_event_ = this->started_before_capture_;
  this->capture_started_us_ = this->now_us_;
  this->capture_state_->start(now_ms);
}

void PowerQuality::capture_() {
  WaveformCapture &capture = *this->capture_state_;
  const auto now_ms = static_cast<uint32_t>(this->now_us_ / 1000);
  // The samples are still needed: the chip's next ones can wait for so long.
  if (this->harmonics_.is_busy()) {
    this->harmonics_.step(capture);
    if (this->harmonics_.is_busy())
      return;
  } else {
    capture.step(now_ms);
    if (this->is_capture_busy_())
      return;
  }
  const bool wanted = this->oscillogram_count_ > 0 || this->are_harmonics_due_();
  if (wanted && this->now_us_ >= this->next_capture_us_)
    this->start_capture_(now_ms);
}

bool PowerQuality::is_capture_busy_() {
  WaveformCapture &capture = *this->capture_state_;
  const bool at_event = this->captured_event_ != this->started_before_capture_;
  switch (capture.state()) {
    case WaveformCapture::State::CAPTURING:
      return true;
    case WaveformCapture::State::READING:
      // The waveform of an event is not to be had a second time, that of a quiet line at any time.
      return at_event || this->oscillogram_count_ == 0 || this->known_events_ == this->started_before_capture_;
    case WaveformCapture::State::FULL:
      if (this->oscillogram_count_ > 0)
        this->captured_event_ = this->known_events_;
      this->was_quiet_ = this->captured_event_ == this->started_before_capture_;
      if (this->was_quiet_ && !this->are_harmonics_due_()) {
        this->was_quiet_ = false;
        return false;
      }
      capture.read();
      return true;
    case WaveformCapture::State::READY:
      if (!at_event) {
        this->next_harmonics_us_ = this->now_us_ + this->harmonics_interval_us_;
        this->harmonics_.start(this->scaling_, this->detector_.limits().nominal_voltage);
        return true;
      }
      this->oscillograms_.add(this->started_before_capture_ + 1, this->captured_event_, this->capture_started_us_,
                              capture);
      ESP_LOGD(TAG, "Oscillogram of event %" PRIu32, this->captured_event_);
      return false;
    case WaveformCapture::State::FAILED:
      this->next_capture_us_ = std::max(this->next_capture_us_, this->capture_started_us_ + RETRY_INTERVAL_US);
      return false;
    case WaveformCapture::State::IDLE:
      return false;
  }
  return false;
}

void PowerQuality::publish_(const PowerQualityEvent &event, bool ongoing) {
  const std::string kind = power_quality_kind_name(event.kind);
  const std::string seconds = number(event.duration_us / 1e6, "%.3f");
  std::string text = kind;
  if (event.phase != NO_PHASE)
    text = text + " " + phase_name(event.phase) + " " + number(event.extreme, "%.1f") + " " + unit_of(event.kind);
  text += ongoing ? " (going on)" : " " + seconds + " s";
  ESP_LOGI(TAG, "Event %" PRIu32 ": %s", event.number, text.c_str());
  if (this->last_event_ != nullptr)
    this->last_event_->publish_state(text);
  this->send_({.boot = this->boot_, .event = event}, (this->now_us_ - event.start_us) / 1000, ongoing);
}

void PowerQuality::send_(const KeptEvent &kept, int64_t age_ms, bool ongoing) {
  const bool is_of_this_start = kept.boot == this->boot_;
  // Its end is told when it has come.
  if (is_of_this_start && kept.event.is_going_on())
    return;
  const PowerQualityEvent event = kept.event.is_going_on() ? kept.event.ended_by_restart() : kept.event;
  this->fire_homeassistant_event("esphome.nrj_power_quality",
                                 {
                                     {"boot", std::to_string(kept.boot)},
                                     {"number", std::to_string(event.number)},
                                     {"kind", power_quality_kind_name(event.kind)},
                                     {"phase", phase_name(event.phase)},
                                     {"quantity", is_of_current(event.kind) ? "current" : "voltage"},
                                     // Home Assistant knows what time it is; the device may not.
                                     {"started_ms_ago", std::to_string(age_ms)},
                                     {"duration_ms", number(event.duration_us / 1e3, "%.1f")},
                                     {"extreme", number(event.extreme, "%.2f")},
                                     {"unit", unit_of(event.kind)},
                                     {"estimated", event.estimated ? "1" : "0"},
                                     {"ongoing", ongoing ? "1" : "0"},
                                     {"lost", std::to_string(this->detector_.lost())},
                                     // Of an earlier start there is no waveform any more.
                                     {"restored", is_of_this_start ? "0" : "1"},
                                 });
}

void PowerQuality::on_events_requested(int32_t after) {
  this->journal_.replay(this->now_us_ / 1000, [this, after](const KeptEvent &kept, int64_t age_ms) {
    if (kept.boot != this->boot_ || static_cast<int64_t>(kept.event.number) > after)
      this->send_(kept, age_ms, false);
  });
}

void PowerQuality::on_oscillogram_requested(int32_t event, int32_t page) {
  const Oscillogram *oscillogram = this->oscillograms_.find(static_cast<uint32_t>(event));
  std::map<std::string, std::string> data = {
      {"boot", std::to_string(this->boot_)},
      {"number", std::to_string(event)},
      {"page", std::to_string(page)},
      {"pages", oscillogram == nullptr ? "0" : std::to_string(Oscillograms::PAGES)},
  };
  if (oscillogram != nullptr && page >= 0 && static_cast<size_t>(page) < Oscillograms::PAGES) {
    const double volts = this->scaling_.full_scale_voltage() * std::numbers::sqrt2 / WAVEFORM_FULL_SCALE;
    const double amperes = this->scaling_.full_scale_current() * std::numbers::sqrt2 / WAVEFORM_FULL_SCALE;
    data["started_ms_ago"] = std::to_string((this->now_us_ - oscillogram->start_us) / 1000);
    data["channels"] = "IL1,UL1,IL2,UL2,IL3,UL3,IN";
    data["points_per_cycle"] = "128";
    data["volts_per_code"] = number(volts, "%.6g");
    data["amperes_per_code"] = number(amperes, "%.6g");
    // 16 bits each, low byte first.
    std::array<uint8_t, Oscillograms::SETS_PER_PAGE * WAVEFORM_CHANNELS * 2> bytes;
    size_t size = 0;
    for (size_t set = 0; set < Oscillograms::SETS_PER_PAGE; set++) {
      for (const int16_t sample : oscillogram->samples[static_cast<size_t>(page) * Oscillograms::SETS_PER_PAGE + set]) {
        bytes[size++] = static_cast<uint8_t>(static_cast<uint16_t>(sample) & 0xFF);
        bytes[size++] = static_cast<uint8_t>(static_cast<uint16_t>(sample) >> 8);
      }
    }
    data["data"] = base64_encode(bytes.data(), size);
  }
  this->fire_homeassistant_event("esphome.nrj_oscillogram", data);
}

}  // namespace esphome::power_quality

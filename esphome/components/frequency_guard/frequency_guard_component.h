#pragma once

#include "grid_input.h"
#include "guard.h"
#include "guard_change.h"
#include "relay_plan.h"

#include "esphome/components/api/custom_api_device.h"
#include "esphome/components/event_journal/event_journal.h"
#include "esphome/components/number/number.h"
#include "esphome/components/select/select.h"
#include "esphome/components/switch/switch.h"
#include "esphome/components/text_sensor/text_sensor.h"
#include "esphome/core/component.h"
#include "esphome/core/helpers.h"
#include "esphome/core/preferences.h"

#include <array>
#include <memory>
#include <optional>
#include <string>

namespace esphome::frequency_guard {

/// Stored settings of a person, and the state to restore after a restart; written on a change only.
struct StoredGuard {
  uint8_t profile;
  uint8_t enabled;
  uint8_t held_state;
  uint8_t load_classes[MAX_RELAYS];
};

/// inhibit, shed_1 to shed_3, restore, absorb_1, absorb_2, release.
static constexpr size_t THRESHOLDS = UNDER_STAGES + OVER_STAGES + 2;

/// Thresholds of the custom profile that a person has set; written on a change only.
struct StoredThresholds {
  float nominal;
  float hertz[THRESHOLDS];
  uint32_t delay_ms[THRESHOLDS];
};

/** Monitors the frequency of the grid and switches the device's relays; needs neither network nor time of day.
 *
 * Each change goes out as the Home Assistant event `esphome.nrj_guard`.
 */
class FrequencyGuardComponent : public Component, public api::CustomAPIDevice {
 public:
  void set_input(GridInput *input) { this->input_ = input; }
  void set_nominal_voltage(double voltage) { this->settings_.limits.nominal_voltage = voltage; }
  void set_silence(uint32_t silence_ms) { this->settings_.limits.silence_ms = silence_ms; }
  void set_rate_of_change(double rate) { this->settings_.rate_of_change = rate; }
  void set_start_delay(uint32_t start_ms) { this->settings_.start_ms = start_ms; }
  /// Sets the profile, from which the custom profile (the last of the list) starts unless it is configured.
  void set_profile_index(size_t index) {
    this->stored_.profile = static_cast<uint8_t>(index);
    this->custom_ = this->profile_(index);
  }
  void set_custom_profile(const GuardProfile &profile) { this->custom_ = profile; }
  void set_plan(const PlanSettings &plan) { this->plan_settings_ = plan; }
  void add_relay(switch_::Switch *relay, const RelaySettings &settings);
  void set_state_sensor(text_sensor::TextSensor *sensor) { this->state_sensor_ = sensor; }
  void set_reason_sensor(text_sensor::TextSensor *sensor) { this->reason_sensor_ = sensor; }
  void set_profile_select(select::Select *select) { this->profile_select_ = select; }
  void set_class_select(size_t relay, select::Select *select) { this->class_selects_[relay] = select; }
  void set_threshold_number(size_t threshold, bool delay, number::Number *number) {
    this->threshold_numbers_[threshold][delay] = number;
  }
  void set_enable_switch(switch_::Switch *enable) { this->enable_switch_ = enable; }

  void setup() override;
  void loop() override;
  void dump_config() override;
  void on_shutdown() override;
  float get_setup_priority() const override { return setup_priority::LATE; }

  // What a person sets; kept over restarts.
  /// @return false where there is no profile of that name.
  bool choose_profile(const std::string &name);
  /// @return false where there is no class of that name.
  bool choose_class(size_t relay, const std::string &name);
  void enable(bool enabled);
  /// Hertz or seconds of a threshold of the custom profile. @return false where it contradicts the others.
  bool choose_threshold(size_t threshold, bool delay, float value);

 protected:
  struct Output {
    switch_::Switch *relay{nullptr};
    RelaySettings settings{};
  };

  int64_t now_ms_();
  const GuardProfile &profile_(size_t index) const;
  static Threshold &threshold_(GuardProfile &profile, size_t threshold);
  void load_thresholds_();
  void publish_thresholds_();
  void take_over_(size_t output, bool on);
  void apply_(int64_t now_ms);
  void publish_();
  void fire_(const char *what, const char *relay, bool on, const char *reason);
  void send_(const event_journal::KeptEvent<GuardChange> &kept, int64_t age_ms);
  /// User action of the native API: sends again what was sent after an event of this start, and what is kept of earlier
  /// ones.
  void on_events_requested(int32_t after);
  void save_();

  GridInput *input_{nullptr};
  GuardSettings settings_{};
  PlanSettings plan_settings_{};
  GuardProfile custom_{GUARD_PROFILES[0].profile};
  StoredGuard stored_{0, 1, 0, {}};
  std::array<Output, MAX_RELAYS> outputs_{};
  size_t count_{0};
  std::optional<FrequencyGuard> guard_;
  std::optional<RelayPlan> plan_;
  ESPPreferenceObject preference_;
  ESPPreferenceObject threshold_preference_;
  text_sensor::TextSensor *state_sensor_{nullptr};
  text_sensor::TextSensor *reason_sensor_{nullptr};
  select::Select *profile_select_{nullptr};
  std::array<select::Select *, MAX_RELAYS> class_selects_{};
  switch_::Switch *enable_switch_{nullptr};
  std::array<std::array<number::Number *, 2>, THRESHOLDS> threshold_numbers_{};
  event_journal::EventJournal<GuardChange> journal_;
  uint32_t newest_change_{0};
  uint32_t boot_{0};
  uint32_t last_millis_{0};
  int64_t time_ms_{0};
  uint32_t seen_changes_{0};
  bool published_{false};
  /// Switching because of the plan, not because somebody asked.
  bool applying_{false};
};

class ProfileSelect : public select::Select, public Parented<FrequencyGuardComponent> {
 protected:
  void control(const std::string &value) override {
    if (this->parent_->choose_profile(value))
      this->publish_state(value);
  }
};

class ClassSelect : public select::Select, public Parented<FrequencyGuardComponent> {
 public:
  void set_relay(size_t relay) { this->relay_ = relay; }

 protected:
  void control(const std::string &value) override {
    if (this->parent_->choose_class(this->relay_, value))
      this->publish_state(value);
  }
  size_t relay_{0};
};

/// A threshold of the custom profile: its frequency in Hz, or its delay in s.
class ThresholdNumber : public number::Number, public Parented<FrequencyGuardComponent> {
 public:
  void set_threshold(size_t threshold, bool delay) {
    this->threshold_ = threshold;
    this->delay_ = delay;
  }

 protected:
  void control(float value) override {
    if (!this->parent_->choose_threshold(this->threshold_, this->delay_, value))
      this->publish_state(this->state);
  }
  size_t threshold_{0};
  bool delay_{false};
};

class EnableSwitch : public switch_::Switch, public Parented<FrequencyGuardComponent> {
 protected:
  void write_state(bool state) override {
    this->parent_->enable(state);
    this->publish_state(state);
  }
};

}  // namespace esphome::frequency_guard

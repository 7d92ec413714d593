#include "frequency_guard_component.h"

#include "esphome/core/application.h"
#include "esphome/core/log.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace esphome::frequency_guard {

static const char *const TAG = "frequency_guard";

namespace {

constexpr LoadClass LOAD_CLASSES[] = {LoadClass::NEVER_SHED, LoadClass::SHED_1, LoadClass::SHED_2, LoadClass::SHED_3,
                                      LoadClass::ABSORB};
constexpr const char *CUSTOM = "custom";
/// Hertz, the greatest threshold spread of a device.
constexpr double MAXIMUM_SPREAD = 0.02;

/// A number of the device, from its hardware address.
uint32_t device_number() {
  char mac[MAC_ADDRESS_BUFFER_SIZE];
  get_mac_address_into_buffer(mac);
  return fnv1_hash(mac);
}

}  // namespace

void FrequencyGuardComponent::add_relay(switch_::Switch *relay, const RelaySettings &settings) {
  if (this->count_ < MAX_RELAYS) {
    this->stored_.load_classes[this->count_] = static_cast<uint8_t>(settings.load_class);
    this->outputs_[this->count_++] = {relay, settings};
  }
}

void FrequencyGuardComponent::setup() {
  this->last_millis_ = millis();
  this->boot_ = random_uint32();
  this->journal_.setup(fnv1_hash("frequency_guard.events.1"), this->boot_);
#ifdef USE_API_CUSTOM_SERVICES
  // Without them everything works but telling again what nobody heard.
  this->register_service(&FrequencyGuardComponent::on_events_requested, "guard_events", {"after"});
#endif
  this->preference_ = global_preferences->make_preference<StoredGuard>(fnv1_hash("frequency_guard.1"), true);
  StoredGuard stored;
  if (this->preference_.load(&stored) && stored.profile <= GUARD_PROFILES.size() &&
      stored.held_state < static_cast<uint8_t>(GuardState::INVALID)) {
    const uint8_t configured = this->stored_.profile;
    this->stored_ = stored;
    if (!outlives_restart(this->profile_(stored.profile), this->profile_(configured)))
      this->stored_.profile = configured;
  }
  this->load_thresholds_();
  this->settings_.profile = this->profile_(this->stored_.profile);
  this->settings_.spread = MAXIMUM_SPREAD * (device_number() % 1000) / 1000.0;
  const int64_t now_ms = this->now_ms_();
  this->guard_.emplace(this->settings_, static_cast<GuardState>(this->stored_.held_state), now_ms);
  this->plan_.emplace(this->plan_settings_, device_number());
  for (size_t i = 0; i < this->count_; i++) {
    Output &output = this->outputs_[i];
    const uint8_t kept = this->stored_.load_classes[i];
    if (kept < std::size(LOAD_CLASSES))
      output.settings.load_class = LOAD_CLASSES[kept];
    this->plan_->add(output.settings, output.relay->state, now_ms);
    output.relay->add_on_state_callback([this, i](bool on) { this->take_over_(i, on); });
    if (this->class_selects_[i] != nullptr)
      this->class_selects_[i]->publish_state(load_class_name(output.settings.load_class));
  }
  if (this->profile_select_ != nullptr) {
    this->profile_select_->publish_state(
        this->stored_.profile < GUARD_PROFILES.size() ? GUARD_PROFILES[this->stored_.profile].name : CUSTOM);
  }
  if (this->enable_switch_ != nullptr)
    this->enable_switch_->publish_state(this->stored_.enabled != 0);
  this->input_->setup();
}

void FrequencyGuardComponent::dump_config() {
  ESP_LOGCONFIG(TAG,
                "Frequency guard:\n"
                "  Profile: %s\n"
                "  Enabled: %s\n"
                "  Threshold spread of this device: %.1f mHz\n"
                "  Relays: %zu",
                this->stored_.profile < GUARD_PROFILES.size() ? GUARD_PROFILES[this->stored_.profile].name : CUSTOM,
                YESNO(this->stored_.enabled), this->settings_.spread * 1e3, this->count_);
}

int64_t FrequencyGuardComponent::now_ms_() {
  const uint32_t now = millis();
  this->time_ms_ += now - this->last_millis_;
  this->last_millis_ = now;
  return this->time_ms_;
}

const GuardProfile &FrequencyGuardComponent::profile_(size_t index) const {
  return index < GUARD_PROFILES.size() ? GUARD_PROFILES[index].profile : this->custom_;
}

void FrequencyGuardComponent::loop() {
  const int64_t now_ms = this->now_ms_();
  GridSample sample;
  if (this->input_->read(sample, now_ms)) {
    this->guard_->sample(sample);
  } else {
    this->guard_->tick(now_ms);
  }
  if (this->guard_->had_outage()) {
    this->guard_->clear_outage();
    if (this->stored_.enabled)
      this->plan_->begin_pickup(now_ms);
  }
  if (this->guard_->changes() != this->seen_changes_ || !this->published_)
    this->publish_();
  if (this->stored_.enabled)
    this->apply_(now_ms);
  this->journal_.loop(now_ms, [this](const auto &kept, int64_t age_ms) { this->send_(kept, age_ms); });
}

void FrequencyGuardComponent::apply_(int64_t now_ms) {
  this->plan_->update({this->guard_->state(), this->guard_->held_state(), this->guard_->may_restore()}, now_ms);
  for (size_t i = 0; i < this->count_; i++) {
    switch_::Switch *relay = this->outputs_[i].relay;
    const RelayDecision decision = this->plan_->decision(i);
    if (this->outputs_[i].settings.load_class == LoadClass::NEVER_SHED || relay->state == decision.on)
      continue;
    ESP_LOGI(TAG, "%s %s: %s", relay->get_name().c_str(), ONOFF(decision.on), relay_reason_name(decision.reason));
    this->applying_ = true;
    relay->control(decision.on);
    this->applying_ = false;
    this->fire_("relay", relay->get_name().c_str(), decision.on, relay_reason_name(decision.reason));
  }
}

void FrequencyGuardComponent::take_over_(size_t output, bool on) {
  if (this->applying_)
    return;
  const RelayReason reason = this->plan_->decision(output).reason;
  const bool against = reason == RelayReason::SHED || reason == RelayReason::INHIBITED ||
                       reason == RelayReason::RESTORING || reason == RelayReason::ABSORBING;
  if (against && this->stored_.enabled && on != this->plan_->decision(output).on)
    this->plan_->override_guard(output, on, this->now_ms_());
  this->plan_->ask(output, on);
}

void FrequencyGuardComponent::publish_() {
  this->seen_changes_ = this->guard_->changes();
  this->published_ = true;
  const char *state = guard_state_name(this->guard_->state());
  const char *reason = guard_reason_name(this->guard_->reason());
  ESP_LOGI(TAG, "%s: %s", state, reason);
  if (this->state_sensor_ != nullptr)
    this->state_sensor_->publish_state(state);
  if (this->reason_sensor_ != nullptr)
    this->reason_sensor_->publish_state(reason);
  this->fire_("state", "", false, reason);
  if (static_cast<uint8_t>(this->guard_->held_state()) != this->stored_.held_state) {
    this->stored_.held_state = static_cast<uint8_t>(this->guard_->held_state());
    this->save_();
  }
}

void FrequencyGuardComponent::fire_(const char *what, const char *relay, bool on, const char *reason) {
  const GuardChange change{.number = ++this->newest_change_,
                           .frequency = static_cast<float>(this->guard_->frequency()),
                           .on = on,
                           .what = {what},
                           .state = {guard_state_name(this->guard_->state())},
                           .reason = {reason},
                           .relay = {relay}};
  const int64_t now_ms = this->now_ms_();
  this->journal_.add(change, now_ms, now_ms);
  this->send_({.boot = this->boot_, .event = change}, 0);
}

void FrequencyGuardComponent::send_(const event_journal::KeptEvent<GuardChange> &kept, int64_t age_ms) {
  const GuardChange &change = kept.event;
  char frequency[16];
  snprintf(frequency, sizeof(frequency), "%.3f", change.frequency);
  this->fire_homeassistant_event("esphome.nrj_guard", {
                                                          {"boot", std::to_string(kept.boot)},
                                                          {"number", std::to_string(change.number)},
                                                          // Home Assistant knows what time it is; the device may not.
                                                          {"happened_ms_ago", std::to_string(age_ms)},
                                                          {"what", change.what.c_str()},
                                                          {"state", change.state.c_str()},
                                                          {"reason", change.reason.c_str()},
                                                          {"frequency", frequency},
                                                          {"relay", change.relay.c_str()},
                                                          {"on", change.on ? "1" : "0"},
                                                      });
}

void FrequencyGuardComponent::on_events_requested(int32_t after) {
  this->journal_.replay(this->now_ms_(), [this, after](const auto &kept, int64_t age_ms) {
    if (kept.boot != this->boot_ || static_cast<int64_t>(kept.event.number) > after)
      this->send_(kept, age_ms);
  });
}

void FrequencyGuardComponent::on_shutdown() {
  this->save_();
  this->journal_.save(this->now_ms_());
}

bool FrequencyGuardComponent::choose_profile(const std::string &name) {
  size_t index = 0;
  while (index < GUARD_PROFILES.size() && name != GUARD_PROFILES[index].name)
    index++;
  if (index == GUARD_PROFILES.size() && name != CUSTOM) {
    ESP_LOGW(TAG, "There is no profile '%s'", name.c_str());
    return false;
  }
  this->stored_.profile = static_cast<uint8_t>(index);
  this->guard_->set_profile(this->profile_(index));
  this->save_();
  return true;
}

Threshold &FrequencyGuardComponent::threshold_(GuardProfile &profile, size_t threshold) {
  if (threshold < UNDER_STAGES)
    return profile.under[threshold];
  if (threshold == UNDER_STAGES)
    return profile.restore;
  if (threshold <= UNDER_STAGES + OVER_STAGES)
    return profile.over[threshold - UNDER_STAGES - 1];
  return profile.release;
}

void FrequencyGuardComponent::load_thresholds_() {
  this->threshold_preference_ =
      global_preferences->make_preference<StoredThresholds>(fnv1_hash("frequency_guard.thresholds.1"), true);
  StoredThresholds stored;
  // Those of another grid's frequency are of no use after a change of the configuration.
  if (this->threshold_preference_.load(&stored) && stored.nominal == static_cast<float>(this->custom_.nominal)) {
    GuardProfile custom = this->custom_;
    for (size_t i = 0; i < THRESHOLDS; i++)
      threshold_(custom, i) = {std::round(stored.hertz[i] * 1000.0) / 1000.0, static_cast<int64_t>(stored.delay_ms[i])};
    if (guard_profile_error(custom) == nullptr)
      this->custom_ = custom;
  }
  this->publish_thresholds_();
}

void FrequencyGuardComponent::publish_thresholds_() {
  for (size_t i = 0; i < THRESHOLDS; i++) {
    const Threshold &threshold = threshold_(this->custom_, i);
    if (this->threshold_numbers_[i][false] != nullptr)
      this->threshold_numbers_[i][false]->publish_state(static_cast<float>(threshold.hertz));
    if (this->threshold_numbers_[i][true] != nullptr)
      this->threshold_numbers_[i][true]->publish_state(static_cast<float>(threshold.delay_ms) / 1000.0f);
  }
}

bool FrequencyGuardComponent::choose_threshold(size_t threshold, bool delay, float value) {
  GuardProfile custom = this->custom_;
  // To a millihertz and a millisecond: a float's further digits are noise.
  if (delay) {
    threshold_(custom, threshold).delay_ms = std::llround(value * 1000.0);
  } else {
    threshold_(custom, threshold).hertz = std::round(value * 1000.0) / 1000.0;
  }
  if (const char *error = guard_profile_error(custom)) {
    ESP_LOGW(TAG, "The threshold stays as it is: %s", error);
    return false;
  }
  this->custom_ = custom;
  StoredThresholds stored{static_cast<float>(custom.nominal), {}, {}};
  for (size_t i = 0; i < THRESHOLDS; i++) {
    stored.hertz[i] = static_cast<float>(threshold_(custom, i).hertz);
    stored.delay_ms[i] = static_cast<uint32_t>(threshold_(custom, i).delay_ms);
  }
  this->threshold_preference_.save(&stored);
  global_preferences->sync();
  if (this->stored_.profile >= GUARD_PROFILES.size())
    this->guard_->set_profile(custom);
  this->publish_thresholds_();
  return true;
}

bool FrequencyGuardComponent::choose_class(size_t relay, const std::string &name) {
  for (const LoadClass load_class : LOAD_CLASSES) {
    if (name != load_class_name(load_class))
      continue;
    this->outputs_[relay].settings.load_class = load_class;
    this->plan_->configure(relay, this->outputs_[relay].settings);
    this->stored_.load_classes[relay] = static_cast<uint8_t>(load_class);
    this->save_();
    return true;
  }
  ESP_LOGW(TAG, "There is no class '%s'", name.c_str());
  return false;
}

void FrequencyGuardComponent::enable(bool enabled) {
  this->stored_.enabled = enabled ? 1 : 0;
  this->save_();
}

void FrequencyGuardComponent::save_() {
  this->preference_.save(&this->stored_);
  global_preferences->sync();
}

}  // namespace esphome::frequency_guard

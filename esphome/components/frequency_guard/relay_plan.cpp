#include "relay_plan.h"

#include <algorithm>

namespace esphome::frequency_guard {

static constexpr int64_t HOUR_MS = 60 * 60 * 1000;

const char *relay_reason_name(RelayReason reason) {
  static const char *const NAMES[] = {"override", "shed", "inhibited", "absorbing", "restoring", "held", "asked"};
  return NAMES[static_cast<int>(reason)];
}

const char *load_class_name(LoadClass load_class) {
  static const char *const NAMES[] = {"never_shed", "shed_1", "shed_2", "shed_3", "absorb"};
  return NAMES[static_cast<int>(load_class)];
}

size_t RelayPlan::add(const RelaySettings &settings, bool on, int64_t now_ms) {
  if (this->count_ == MAX_RELAYS)
    return MAX_RELAYS;
  Relay &relay = this->relays_[this->count_];
  relay = {};
  relay.settings = settings;
  relay.asked = relay.on = on;
  // Nobody knows how long it has been so: as long as its minimum times.
  relay.changed_ms = now_ms - std::max(settings.minimum_on_ms, settings.minimum_off_ms);
  return this->count_++;
}

void RelayPlan::override_guard(size_t relay, bool on, int64_t now_ms) {
  this->relays_[relay].overridden_on = on;
  this->relays_[relay].override_until_ms = now_ms + this->settings_.override_ms;
}

void RelayPlan::begin_pickup(int64_t now_ms) {
  for (size_t i = 0; i < this->count_; i++) {
    Relay &relay = this->relays_[i];
    if (relay.settings.load_class == LoadClass::NEVER_SHED)
      continue;
    relay.to_restore = true;
    relay.scheduled = false;
    if (relay.on)
      this->set_(relay, false, RelayReason::RESTORING, now_ms);
  }
}

bool RelayPlan::must_be_off_(const Relay &relay, GuardState held) const {
  const int depth = under_depth(held);
  switch (relay.settings.load_class) {
    case LoadClass::NEVER_SHED:
      return false;
    case LoadClass::ABSORB:
      return depth >= under_depth(GuardState::INHIBIT);
    case LoadClass::SHED_1:
    case LoadClass::SHED_2:
    case LoadClass::SHED_3:
      return depth > static_cast<int>(relay.settings.load_class);
  }
  return false;
}

bool RelayPlan::may_start_(const Relay &relay, int64_t now_ms) const {
  if (now_ms - relay.changed_ms < relay.settings.minimum_off_ms)
    return false;
  if (this->any_started_ && now_ms - this->last_start_ms_ < this->settings_.restore_spacing_ms)
    return false;
  const size_t recent = std::count_if(relay.starts_ms.begin(), relay.starts_ms.begin() + relay.starts,
                                      [now_ms](int64_t at) { return now_ms - at < HOUR_MS; });
  return recent < this->settings_.starts_per_hour;
}

bool RelayPlan::comes_back_before_(const Relay &left, const Relay &right) {
  if (left.settings.load_class != right.settings.load_class) {
    // What was shed last is what is missed most; storage can wait longest.
    const bool left_stores = left.settings.load_class == LoadClass::ABSORB;
    const bool right_stores = right.settings.load_class == LoadClass::ABSORB;
    if (left_stores != right_stores)
      return right_stores;
    return left.settings.load_class > right.settings.load_class;
  }
  return left.settings.priority > right.settings.priority;
}

void RelayPlan::schedule_restores_(int64_t now_ms) {
  std::array<size_t, MAX_RELAYS> order;
  std::array<int64_t, MAX_RELAYS> delays;
  size_t waiting = 0;
  for (size_t i = 0; i < this->count_; i++) {
    if (this->relays_[i].to_restore && !this->relays_[i].scheduled)
      order[waiting++] = i;
  }
  if (waiting == 0)
    return;
  std::stable_sort(order.begin(), order.begin() + waiting, [this](size_t left, size_t right) {
    return comes_back_before_(this->relays_[left], this->relays_[right]);
  });
  for (size_t i = 0; i < waiting; i++)
    delays[i] = this->random_below_(this->settings_.restore_spread_ms + 1);
  std::sort(delays.begin(), delays.begin() + waiting);
  for (size_t i = 0; i < waiting; i++) {
    Relay &relay = this->relays_[order[i]];
    relay.restore_at_ms = now_ms + delays[i];
    relay.scheduled = true;
  }
}

void RelayPlan::set_(Relay &relay, bool on, RelayReason reason, int64_t now_ms) {
  relay.reason = reason;
  if (relay.on == on)
    return;
  relay.on = on;
  relay.changed_ms = now_ms;
}

void RelayPlan::start_(Relay &relay, RelayReason reason, int64_t now_ms) {
  this->set_(relay, true, reason, now_ms);
  this->any_started_ = true;
  this->last_start_ms_ = now_ms;
  if (relay.starts == relay.starts_ms.size()) {
    std::copy(relay.starts_ms.begin() + 1, relay.starts_ms.end(), relay.starts_ms.begin());
    relay.starts--;
  }
  relay.starts_ms[relay.starts++] = now_ms;
}

void RelayPlan::follow_(Relay &relay, const GuardView &guard, bool absorb, int64_t now_ms) {
  if (now_ms < relay.override_until_ms) {
    relay.to_restore = false;
    this->set_(relay, relay.overridden_on, RelayReason::OVERRIDE, now_ms);
    return;
  }
  if (this->must_be_off_(relay, guard.held_state)) {
    relay.to_restore = true;
    relay.scheduled = false;
    const bool emergency = under_depth(guard.held_state) >= under_depth(GuardState::SHED_1);
    if (relay.on && !emergency && now_ms - relay.changed_ms < relay.settings.minimum_on_ms)
      return;
    this->set_(relay, false, emergency ? RelayReason::SHED : RelayReason::INHIBITED, now_ms);
    return;
  }
  if (guard.state == GuardState::INVALID && relay.settings.load_class != LoadClass::NEVER_SHED) {
    // A person may still switch off what is on, or on what the guard has not taken.
    const bool on = relay.to_restore ? relay.on && relay.asked : relay.reason == RelayReason::ABSORBING || relay.asked;
    this->set_(relay, on, RelayReason::HELD, now_ms);
    return;
  }
  if (relay.to_restore) {
    if (!relay.asked && !absorb) {
      // Nobody misses it any more.
      relay.to_restore = false;
    } else if (!guard.may_restore || !relay.scheduled || now_ms < relay.restore_at_ms ||
               !this->may_start_(relay, now_ms)) {
      this->set_(relay, false, RelayReason::RESTORING, now_ms);
      return;
    } else {
      relay.to_restore = false;
      this->start_(relay, absorb && !relay.asked ? RelayReason::ABSORBING : RelayReason::ASKED, now_ms);
      return;
    }
  }
  if (absorb && !relay.asked) {
    if (relay.on) {
      relay.reason = RelayReason::ABSORBING;
    } else if (this->may_start_(relay, now_ms)) {
      this->start_(relay, RelayReason::ABSORBING, now_ms);
    }
    return;
  }
  // What it was started for is over: it stays on for its minimum time.
  if (relay.reason == RelayReason::ABSORBING && relay.on && !relay.asked &&
      now_ms - relay.changed_ms < relay.settings.minimum_on_ms)
    return;
  this->set_(relay, relay.asked, RelayReason::ASKED, now_ms);
}

void RelayPlan::update(const GuardView &guard, int64_t now_ms) {
  if (guard.may_restore) {
    this->schedule_restores_(now_ms);
  } else {
    for (size_t i = 0; i < this->count_; i++)
      this->relays_[i].scheduled = false;
  }
  // The first stage wants one storage load, the one that matters most; the second wants all.
  const int wanted = guard.state == GuardState::INVALID ? 0 : over_depth(guard.state);
  size_t chosen = MAX_RELAYS;
  for (size_t i = 0; i < this->count_; i++) {
    const RelaySettings &settings = this->relays_[i].settings;
    if (settings.load_class == LoadClass::ABSORB && !this->relays_[i].asked &&
        (chosen == MAX_RELAYS || settings.priority > this->relays_[chosen].settings.priority))
      chosen = i;
  }
  for (size_t i = 0; i < this->count_; i++) {
    Relay &relay = this->relays_[i];
    const bool absorb = relay.settings.load_class == LoadClass::ABSORB && (wanted == 2 || (wanted == 1 && i == chosen));
    this->follow_(relay, guard, absorb, now_ms);
  }
}

int64_t RelayPlan::random_below_(int64_t limit) {
  // Marsaglia's xorshift32.
  this->random_ ^= this->random_ << 13;
  this->random_ ^= this->random_ >> 17;
  this->random_ ^= this->random_ << 5;
  return static_cast<int64_t>(this->random_) % limit;
}

}  // namespace esphome::frequency_guard

#include "guard.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace esphome::frequency_guard {

/// A single sample may be wrong, whatever it says.
static constexpr uint32_t CONFIRMING_SAMPLES = 2;
/// RoCoF is taken over 500 ms (withstand capabilities are stated over that), in steps of 100 ms.
static constexpr int64_t RATE_WINDOW_MS = 500;
static constexpr int64_t RATE_STEP_MS = 100;

void FrequencyGuard::Timer::feed(bool holds, int64_t now_ms) {
  if (!holds) {
    this->samples = 0;
  } else if (this->samples++ == 0) {
    this->since_ms = now_ms;
  }
}

bool FrequencyGuard::Timer::has_lasted(int64_t delay_ms, int64_t now_ms) const {
  return this->samples >= CONFIRMING_SAMPLES && now_ms - this->since_ms >= delay_ms;
}

FrequencyGuard::FrequencyGuard(const GuardSettings &settings, GuardState kept, int64_t now_ms)
    : settings_(settings),
      check_(settings.limits, settings.profile.nominal),
      // Nothing is absorbed on the word of a state from before the start.
      valid_state_(under_depth(kept) > 0 ? kept : GuardState::NORMAL),
      last_sample_ms_(now_ms),
      wanted_settle_ms_(settings.start_ms),
      absorb_locked_until_ms_(now_ms) {
  if (under_depth(kept) >= under_depth(GuardState::SHED_1))
    this->absorb_locked_until_ms_ = now_ms + settings.absorb_lockout_ms;
}

void FrequencyGuard::set_profile(const GuardProfile &profile) {
  this->settings_.profile = profile;
  this->check_ = FrequencyCheck(this->settings_.limits, profile.nominal);
  this->below_ = {};
  this->above_ = {};
  this->restoring_ = this->uninhibiting_ = this->releasing_ = {};
  this->recovered_ = false;
  this->rate_count_ = 0;
  this->falling_ = false;
}

double FrequencyGuard::frequency() const {
  return this->last_.trust == Trust::INVALID ? std::numeric_limits<double>::quiet_NaN() : this->last_.hertz;
}

void FrequencyGuard::sample(const GridSample &sample) {
  const int64_t now_ms = sample.time_ms;
  if (now_ms - this->last_sample_ms_ > this->settings_.limits.silence_ms)
    this->set_invalid_(GuardReason::SILENT, now_ms);
  this->last_sample_ms_ = now_ms;
  const CheckedFrequency checked = this->check_.check(sample);
  if (checked.trust == Trust::INVALID) {
    this->set_invalid_(checked.reason, now_ms);
  } else {
    this->dead_since_ms_.reset();
    if (!this->usable_since_ms_.has_value())
      this->usable_since_ms_ = now_ms;
    this->feed_timers_(checked.hertz, now_ms);
    if (checked.trust == Trust::BELIEVED)
      this->feed_rate_(checked.hertz, now_ms);
    // What is not believed does not replace what was, but holds back every decision.
    if (checked.trust == Trust::BELIEVED || this->last_.trust == Trust::INVALID) {
      this->last_ = checked;
    } else {
      this->last_.trust = Trust::SUSPECT;
    }
  }
  this->decide_(now_ms);
}

void FrequencyGuard::tick(int64_t now_ms) {
  if (now_ms - this->last_sample_ms_ > this->settings_.limits.silence_ms)
    this->set_invalid_(GuardReason::SILENT, now_ms);
  this->decide_(now_ms);
}

void FrequencyGuard::set_invalid_(GuardReason reason, int64_t now_ms) {
  if (reason != GuardReason::NO_VOLTAGE) {
    this->dead_since_ms_.reset();
  } else if (!this->dead_since_ms_.has_value()) {
    this->dead_since_ms_ = now_ms;
  }
  this->last_.trust = Trust::INVALID;
  this->check_.reset();
  this->usable_since_ms_.reset();
  this->recovered_ = false;
  this->below_ = {};
  this->above_ = {};
  this->restoring_ = this->uninhibiting_ = this->releasing_ = {};
  this->rate_count_ = 0;
  this->falling_ = false;
  if (!this->valid_ && this->reason_ == reason)
    return;
  if (this->valid_)
    this->wanted_settle_ms_ = this->settings_.settle_ms;
  this->valid_ = false;
  this->reason_ = reason;
  this->changes_++;
}

void FrequencyGuard::feed_timers_(double hertz, int64_t now_ms) {
  for (size_t i = 0; i < UNDER_STAGES; i++)
    this->below_[i].feed(hertz < this->under_(i), now_ms);
  for (size_t i = 0; i < OVER_STAGES; i++)
    this->above_[i].feed(hertz >= this->over_(i), now_ms);
  const double restore = this->settings_.profile.restore.hertz;
  this->restoring_.feed(hertz >= restore, now_ms);
  this->uninhibiting_.feed(hertz >= std::max(restore, this->under_(0)), now_ms);
  this->releasing_.feed(hertz <= this->settings_.profile.release.hertz, now_ms);
  if (this->restoring_.samples == 0)
    this->recovered_ = false;
}

void FrequencyGuard::feed_rate_(double hertz, int64_t now_ms) {
  if (this->settings_.rate_of_change <= 0)
    return;
  if (this->rate_count_ == 0 || now_ms - this->rates_[this->rate_count_ - 1].time_ms >= RATE_STEP_MS) {
    if (this->rate_count_ == this->rates_.size()) {
      std::copy(this->rates_.begin() + 1, this->rates_.end(), this->rates_.begin());
      this->rate_count_--;
    }
    this->rates_[this->rate_count_++] = {now_ms, hertz};
  }
  const RateSample &oldest = this->rates_[0];
  const int64_t span_ms = now_ms - oldest.time_ms;
  this->falling_ =
      span_ms >= RATE_WINDOW_MS && (oldest.hertz - hertz) * 1000.0 / span_ms > this->settings_.rate_of_change;
}

std::optional<GuardState> FrequencyGuard::low_(int64_t now_ms) const {
  static constexpr GuardState STAGES[] = {GuardState::INHIBIT, GuardState::SHED_1, GuardState::SHED_2,
                                          GuardState::SHED_3};
  for (size_t i = UNDER_STAGES; i-- > 0;) {
    if (this->below_[i].has_lasted(this->settings_.profile.under[i].delay_ms, now_ms))
      return STAGES[i];
  }
  return std::nullopt;
}

std::optional<GuardState> FrequencyGuard::high_(int64_t now_ms) const {
  static constexpr GuardState STAGES[] = {GuardState::ABSORB_1, GuardState::ABSORB_2};
  for (size_t i = OVER_STAGES; i-- > 0;) {
    if (this->above_[i].has_lasted(this->settings_.profile.over[i].delay_ms, now_ms))
      return STAGES[i];
  }
  return std::nullopt;
}

void FrequencyGuard::decide_(int64_t now_ms) {
  if (this->dead_since_ms_.has_value() && now_ms - *this->dead_since_ms_ >= this->settings_.outage_ms)
    this->outage_ = true;
  if (under_depth(this->valid_state_) >= under_depth(GuardState::SHED_1))
    this->absorb_locked_until_ms_ = now_ms + this->settings_.absorb_lockout_ms;
  if (this->last_.trust != Trust::BELIEVED)
    return;

  // An emergency waits for nothing.
  const std::optional<GuardState> low = this->low_(now_ms);
  if (low.has_value() && under_depth(*low) > under_depth(this->valid_state_)) {
    this->enter_(*low, GuardReason::UNDER_FREQUENCY);
    return;
  }
  if (this->falling_ && under_depth(this->valid_state_) < under_depth(GuardState::SHED_1)) {
    this->enter_(GuardState::SHED_1, GuardReason::RATE_OF_CHANGE);
    return;
  }
  if (!this->valid_) {
    if (now_ms - *this->usable_since_ms_ < this->wanted_settle_ms_)
      return;
    this->enter_(this->valid_state_, GuardReason::VALID_AGAIN);
  }

  const int64_t restore_ms = this->settings_.profile.restore.delay_ms;
  if (this->restoring_.has_lasted(restore_ms, now_ms))
    this->recovered_ = true;
  if (under_depth(this->valid_state_) > 0) {
    if (this->uninhibiting_.has_lasted(restore_ms, now_ms)) {
      this->enter_(GuardState::NORMAL, GuardReason::RECOVERED);
    } else if (this->recovered_ && this->valid_state_ != GuardState::INHIBIT) {
      // Where the restore threshold lies below that of the inhibition.
      this->enter_(GuardState::INHIBIT, GuardReason::RECOVERED);
    }
    return;
  }
  if (over_depth(this->valid_state_) > 0 &&
      this->releasing_.has_lasted(this->settings_.profile.release.delay_ms, now_ms)) {
    this->enter_(GuardState::NORMAL, GuardReason::RELEASED);
    return;
  }
  const std::optional<GuardState> high = this->high_(now_ms);
  if (high.has_value() && over_depth(*high) > over_depth(this->valid_state_) && !this->is_absorbing_locked(now_ms))
    this->enter_(*high, GuardReason::OVER_FREQUENCY);
}

void FrequencyGuard::enter_(GuardState state, GuardReason reason) {
  this->valid_ = true;
  this->valid_state_ = state;
  this->reason_ = reason;
  this->changes_++;
}

}  // namespace esphome::frequency_guard

#pragma once

#include "frequency_check.h"
#include "guard_profile.h"
#include "guard_state.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace esphome::frequency_guard {

struct GuardSettings {
  GuardProfile profile{GUARD_PROFILES[0].profile};
  FrequencyLimits limits{};
  /// Spread of this device, Hz, 0 to 0.02: moves its thresholds outwards, so that devices do not act all at once.
  double spread{0};
  /// Fall of frequency that means SHED_1, Hz/s; 0 = not monitored.
  double rate_of_change{0};
  /// Milliseconds without absorbing after the last moment of a shed: systems overshoot after the nadir.
  int64_t absorb_lockout_ms{15 * 60 * 1000};
  /// Time without voltage after which there is an outage, ms.
  int64_t outage_ms{60 * 1000};
  /// Time of valid frequency after which the state INVALID ends, ms.
  int64_t settle_ms{1000};
  /// The same after a start.
  int64_t start_ms{10 * 1000};
};

/** The state machine over the frequency.
 *
 * Feed every sample to sample(), and call tick() in between so that delays end in time. Both are cheap. A stage is
 * entered when the frequency has been beyond its threshold for its delay, with two samples at least and the last one
 * believed; a deeper stage has the shorter delay and implies the ones before.
 */
class FrequencyGuard {
 public:
  /// @param kept the state before a restart, taken up again; @param now_ms the time of the start.
  explicit FrequencyGuard(const GuardSettings &settings, GuardState kept = GuardState::NORMAL, int64_t now_ms = 0);

  /// New thresholds; the state stays until they say otherwise.
  void set_profile(const GuardProfile &profile);
  void set_rate_of_change(double hertz_per_second) { this->settings_.rate_of_change = hertz_per_second; }
  const GuardSettings &settings() const { return this->settings_; }

  /// Times must not go back, also between sample() and tick().
  void sample(const GridSample &sample);
  void tick(int64_t now_ms);

  GuardState state() const { return this->valid_ ? this->valid_state_ : GuardState::INVALID; }
  GuardReason reason() const { return this->reason_; }
  /// The state as long as the frequency was valid: what the outputs follow while it is not.
  GuardState held_state() const { return this->valid_state_; }
  /// Counts changes of state() and reason().
  uint32_t changes() const { return this->changes_; }
  /// Frequency of the last accepted sample, Hz; NaN while invalid.
  double frequency() const;
  /// Whether loads may come back: the frequency has been high enough for long enough, and still is.
  bool may_restore() const { return this->valid_ && this->recovered_; }
  /// Whether absorbing is locked out at `now_ms`.
  bool is_absorbing_locked(int64_t now_ms) const { return now_ms < this->absorb_locked_until_ms_; }
  /// Whether there was no voltage for so long that every load must be picked up again; until clear_outage().
  bool had_outage() const { return this->outage_; }
  void clear_outage() { this->outage_ = false; }

 protected:
  /// How long a condition has held.
  struct Timer {
    int64_t since_ms{0};
    uint32_t samples{0};
    void feed(bool holds, int64_t now_ms);
    bool has_lasted(int64_t delay_ms, int64_t now_ms) const;
  };

  double under_(size_t stage) const { return this->settings_.profile.under[stage].hertz - this->settings_.spread; }
  double over_(size_t stage) const { return this->settings_.profile.over[stage].hertz + this->settings_.spread; }
  void set_invalid_(GuardReason reason, int64_t now_ms);
  void feed_timers_(double hertz, int64_t now_ms);
  void feed_rate_(double hertz, int64_t now_ms);
  void decide_(int64_t now_ms);
  /// The deepest stage whose time has come; nullopt without one.
  std::optional<GuardState> low_(int64_t now_ms) const;
  std::optional<GuardState> high_(int64_t now_ms) const;
  void enter_(GuardState state, GuardReason reason);

  GuardSettings settings_;
  FrequencyCheck check_;

  GuardState valid_state_;
  GuardReason reason_{GuardReason::START};
  bool valid_{false};
  uint32_t changes_{0};
  CheckedFrequency last_{Trust::INVALID, 0, GuardReason::START};
  int64_t last_sample_ms_;
  /// Time since which the frequency is valid again, after it was missing.
  std::optional<int64_t> usable_since_ms_;
  int64_t wanted_settle_ms_;
  std::optional<int64_t> dead_since_ms_;
  bool outage_{false};
  bool recovered_{false};
  int64_t absorb_locked_until_ms_;

  std::array<Timer, UNDER_STAGES> below_;
  std::array<Timer, OVER_STAGES> above_;
  Timer restoring_;
  Timer uninhibiting_;
  Timer releasing_;

  struct RateSample {
    int64_t time_ms;
    double hertz;
  };
  /// Believed samples, RATE_STEP_MS apart, newest last.
  std::array<RateSample, 6> rates_{};
  size_t rate_count_{0};
  bool falling_{false};
};

}  // namespace esphome::frequency_guard

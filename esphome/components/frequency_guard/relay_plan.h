#pragma once

#include "guard_state.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace esphome::frequency_guard {

static constexpr size_t MAX_RELAYS = 8;

/// Classes of loads, by when the guard may switch them.
enum class LoadClass : uint8_t {
  /// Never switched by the guard.
  NEVER_SHED,
  /// Off from this stage on.
  SHED_1,
  SHED_2,
  SHED_3,
  /// A storage load: on where the grid has too much, off from INHIBIT on.
  ABSORB,
};

struct RelaySettings {
  LoadClass load_class{LoadClass::NEVER_SHED};
  /// 0 to 255: the higher, the later it is shed of a class, and the earlier restored or started.
  uint8_t priority{0};
  int64_t minimum_on_ms{60 * 1000};
  int64_t minimum_off_ms{180 * 1000};
};

struct PlanSettings {
  /// Loads come back after a random time up to this (EU 2016/1388 Art. 29: up to 5 min).
  int64_t restore_spread_ms{300 * 1000};
  /// Time between two loads that are switched on, ms.
  int64_t restore_spacing_ms{10 * 1000};
  /// Starts the guard may cause in an hour, for each relay.
  uint8_t starts_per_hour{6};
  /// How long a person's override of the guard holds.
  int64_t override_ms{30 * 60 * 1000};
};

/// Reasons of a relay's state; the first reason that applies wins.
enum class RelayReason : uint8_t {
  /// Override by a person, against the guard.
  OVERRIDE,
  SHED,
  INHIBITED,
  ABSORBING,
  /// Waiting for its turn to be restored.
  RESTORING,
  /// The frequency is invalid: it stays.
  HELD,
  /// As requested.
  ASKED,
};

const char *relay_reason_name(RelayReason reason);
const char *load_class_name(LoadClass load_class);

/// State of the guard, as input of the plan.
struct GuardView {
  GuardState state;
  /// State followed by the outputs: the guard's state, or its last state before INVALID.
  GuardState held_state;
  bool may_restore;
};

struct RelayDecision {
  bool on;
  RelayReason reason;
};

/** Decides what each relay does; the same inputs give the same decisions.
 *
 * A relay follows what is asked of it until the guard has a say. Sheds are immediate, whatever the minimum times; all
 * that comes on by itself keeps them, one at a time, in the reverse order of shedding, after a random delay.
 */
class RelayPlan {
 public:
  /// @param seed of the random delays, of the device.
  RelayPlan(const PlanSettings &settings, uint32_t seed) : settings_(settings), random_(seed != 0 ? seed : 1) {}

  /// Adds a relay that is `on` now. @return its index, MAX_RELAYS where there is no room.
  size_t add(const RelaySettings &settings, bool on, int64_t now_ms);
  size_t size() const { return this->count_; }
  void configure(size_t relay, const RelaySettings &settings) { this->relays_[relay].settings = settings; }
  const RelaySettings &settings(size_t relay) const { return this->relays_[relay].settings; }

  /// Somebody wants the relay on or off. Against a shed it waits; override() does not.
  void ask(size_t relay, bool on) { this->relays_[relay].asked = on; }
  /// Overrides the guard for a relay, for a while.
  void override_guard(size_t relay, bool on, int64_t now_ms);
  void clear_override(size_t relay) { this->relays_[relay].override_until_ms = 0; }
  /// After an outage: every load is off and comes back one by one.
  void begin_pickup(int64_t now_ms);

  /// Decides anew; times must not go back.
  void update(const GuardView &guard, int64_t now_ms);
  RelayDecision decision(size_t relay) const { return {this->relays_[relay].on, this->relays_[relay].reason}; }
  /// Requested state of a relay, whatever its output is.
  bool asked(size_t relay) const { return this->relays_[relay].asked; }

 protected:
  struct Relay {
    RelaySettings settings{};
    bool asked{false};
    bool on{false};
    RelayReason reason{RelayReason::ASKED};
    int64_t changed_ms{0};
    /// Shed, and to be restored in its turn.
    bool to_restore{false};
    bool scheduled{false};
    int64_t restore_at_ms{0};
    bool overridden_on{false};
    int64_t override_until_ms{0};
    /// Times of the relay's starts by the guard in the last hour; the oldest is overwritten.
    std::array<int64_t, 16> starts_ms{};
    uint8_t starts{0};
  };

  bool must_be_off_(const Relay &relay, GuardState held) const;
  bool may_start_(const Relay &relay, int64_t now_ms) const;
  void schedule_restores_(int64_t now_ms);
  /// Whether `left` comes back before `right`.
  static bool comes_back_before_(const Relay &left, const Relay &right);
  void set_(Relay &relay, bool on, RelayReason reason, int64_t now_ms);
  void start_(Relay &relay, RelayReason reason, int64_t now_ms);
  void follow_(Relay &relay, const GuardView &guard, bool absorb, int64_t now_ms);
  int64_t random_below_(int64_t limit);

  PlanSettings settings_;
  uint32_t random_;
  std::array<Relay, MAX_RELAYS> relays_{};
  size_t count_{0};
  bool any_started_{false};
  int64_t last_start_ms_{0};
};

}  // namespace esphome::frequency_guard

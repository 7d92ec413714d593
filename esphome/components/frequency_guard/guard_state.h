#pragma once

#include <cstdint>

/// State of the grid by its frequency. Pure rules: no framework, time is an argument.
namespace esphome::frequency_guard {

enum class GuardState : uint8_t {
  NORMAL,
  /// U0: nothing is to be started, surplus loads go off.
  INHIBIT,
  /// U1..U3: loads of the class and of the ones before go off.
  SHED_1,
  SHED_2,
  SHED_3,
  /// O1, O2: one storage load is wanted, all of them are.
  ABSORB_1,
  ABSORB_2,
  /// The frequency is not known: all stays as it is.
  INVALID,
};

/// Reasons of a state.
enum class GuardReason : uint8_t {
  /// Nothing has been measured since the start.
  START,
  UNDER_FREQUENCY,
  RATE_OF_CHANGE,
  OVER_FREQUENCY,
  /// Back above the restore threshold for its delay.
  RECOVERED,
  /// Back below the release threshold for its delay.
  RELEASED,
  /// Valid again; the state is the one before it was invalid.
  VALID_AGAIN,
  NO_VOLTAGE,
  NO_FREQUENCY,
  OUT_OF_RANGE,
  PHASES_DISAGREE,
  /// No sample for too long, or one without any voltage measured.
  SILENT,
};

/// "normal", "inhibit", "shed_1" ... "absorb_2", "invalid".
const char *guard_state_name(GuardState state);
/// "start", "under_frequency", ... as in the enumeration.
const char *guard_reason_name(GuardReason reason);

/// Depth of an under-frequency state: 0 for none, 1 for INHIBIT, 2..4 for SHED_1..SHED_3.
constexpr int under_depth(GuardState state) {
  return state >= GuardState::INHIBIT && state <= GuardState::SHED_3 ? static_cast<int>(state) : 0;
}
/// Depth of an over-frequency state: 0 for none, 1 and 2 for ABSORB_1 and ABSORB_2.
constexpr int over_depth(GuardState state) {
  return state == GuardState::ABSORB_1 || state == GuardState::ABSORB_2
             ? static_cast<int>(state) - static_cast<int>(GuardState::ABSORB_1) + 1
             : 0;
}

}  // namespace esphome::frequency_guard

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace esphome::frequency_guard {

/// A frequency, and how long it must be beyond it.
struct Threshold {
  /// Hertz.
  double hertz;
  int64_t delay_ms;
};

static constexpr size_t UNDER_STAGES = 4;
static constexpr size_t OVER_STAGES = 2;

/// What a synchronous area calls low and high.
struct GuardProfile {
  /// Hertz.
  double nominal;
  /// INHIBIT, SHED_1, SHED_2, SHED_3: below.
  std::array<Threshold, UNDER_STAGES> under;
  /// At or above: back to normal.
  Threshold restore;
  /// ABSORB_1, ABSORB_2: at or above.
  std::array<Threshold, OVER_STAGES> over;
  /// At or below: back to normal.
  Threshold release;
};

struct NamedProfile {
  const char *name;
  GuardProfile profile;
};

/// Continental Europe, Great Britain and the Nordic area, North America, islands of 50 and 60 Hz.
extern const std::array<NamedProfile, 5> GUARD_PROFILES;

/// The profile of a name; nullptr where there is none.
const GuardProfile *find_guard_profile(const char *name);

/// What is wrong with a profile, in a sentence; nullptr where nothing is.
const char *guard_profile_error(const GuardProfile &profile);

}  // namespace esphome::frequency_guard

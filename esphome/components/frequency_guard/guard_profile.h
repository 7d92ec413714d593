#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace esphome::frequency_guard {

/// Threshold of frequency, and the delay beyond the threshold.
struct Threshold {
  /// Hertz.
  double hertz;
  int64_t delay_ms;
};

static constexpr size_t UNDER_STAGES = 4;
static constexpr size_t OVER_STAGES = 2;

/// Thresholds of a synchronous area.
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

/// Whether a device configured with a profile goes on after a restart with the profile it stored.
///
/// Older firmware stored the profile of 50 Hz on devices for 60 Hz too, where no frequency is ever valid.
bool outlives_restart(const GuardProfile &stored, const GuardProfile &configured);

/// Returns the error of a profile as a sentence; nullptr for a valid profile.
const char *guard_profile_error(const GuardProfile &profile);

}  // namespace esphome::frequency_guard

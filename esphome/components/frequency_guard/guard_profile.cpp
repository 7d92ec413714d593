#include "guard_profile.h"

#include <cmath>
#include <cstring>

namespace esphome::frequency_guard {

// Stages sit between the primary control band of each area (CE ±200 mHz, quasi-steady) and the first step of its
// under-frequency load shedding plan (EU 2017/2196 annex: CE 49.0 Hz, GB and Nordic 48.8 Hz), so that these loads are
// gone before whole feeders are. Islands run wider: their inverters shift the frequency on purpose.
const std::array<NamedProfile, 5> GUARD_PROFILES = {{
    {"continental_europe",
     {50.0,
      {{{49.90, 5000}, {49.80, 1000}, {49.60, 500}, {49.20, 200}}},
      {49.90, 60000},
      {{{50.10, 10000}, {50.20, 1000}}},
      {50.02, 30000}}},
    {"great_britain_nordic",
     {50.0,
      {{{49.80, 5000}, {49.70, 1000}, {49.50, 500}, {49.20, 200}}},
      {49.85, 60000},
      {{{50.15, 10000}, {50.30, 1000}}},
      {50.05, 30000}}},
    {"north_america",
     {60.0,
      {{{59.95, 5000}, {59.90, 1000}, {59.80, 500}, {59.60, 200}}},
      {59.96, 60000},
      {{{60.04, 10000}, {60.10, 1000}}},
      {60.01, 30000}}},
    {"island_50",
     {50.0,
      {{{49.80, 10000}, {49.30, 2000}, {48.80, 1000}, {48.00, 500}}},
      {49.70, 120000},
      {{{50.20, 2000}, {50.50, 1000}}},
      {50.05, 30000}}},
    {"island_60",
     {60.0,
      {{{59.76, 10000}, {59.16, 2000}, {58.56, 1000}, {57.60, 500}}},
      {59.64, 120000},
      {{{60.24, 2000}, {60.60, 1000}}},
      {60.06, 30000}}},
}};

const GuardProfile *find_guard_profile(const char *name) {
  for (const NamedProfile &named : GUARD_PROFILES) {
    if (std::strcmp(named.name, name) == 0)
      return &named.profile;
  }
  return nullptr;
}

bool outlives_restart(const GuardProfile &stored, const GuardProfile &configured) {
  // A 60 Hz profile on a device for 50 Hz has been chosen by somebody: 50 Hz is what a configuration says unasked.
  return stored.nominal >= configured.nominal;
}

const char *guard_profile_error(const GuardProfile &profile) {
  if (profile.nominal != 50.0 && profile.nominal != 60.0)
    return "the nominal frequency is 50 or 60 Hz";
  const Threshold *thresholds[] = {&profile.under[0], &profile.under[1], &profile.under[2], &profile.under[3],
                                   &profile.restore,  &profile.over[0],  &profile.over[1],  &profile.release};
  for (const Threshold *threshold : thresholds) {
    if (!std::isfinite(threshold->hertz) || std::abs(threshold->hertz - profile.nominal) > 5.0)
      return "each threshold lies within 5 Hz of the nominal frequency";
    if (threshold->delay_ms < 0 || threshold->delay_ms > 3600000)
      return "each delay lies between 0 and one hour";
  }
  for (size_t i = 1; i < UNDER_STAGES; i++) {
    if (profile.under[i].hertz >= profile.under[i - 1].hertz)
      return "a deeper shedding stage has a lower frequency";
  }
  if (profile.restore.hertz < profile.under[1].hertz)
    return "the restore frequency is not below the first shedding stage";
  if (profile.over[1].hertz <= profile.over[0].hertz)
    return "the second absorbing stage has a higher frequency than the first";
  if (profile.release.hertz >= profile.over[0].hertz)
    return "the release frequency is below the first absorbing stage";
  if (profile.release.hertz < profile.under[0].hertz || profile.restore.hertz > profile.over[0].hertz)
    return "restore and release lie between the first low and the first high stage";
  return nullptr;
}

}  // namespace esphome::frequency_guard

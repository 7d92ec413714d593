#include "guard_state.h"

namespace esphome::frequency_guard {

const char *guard_state_name(GuardState state) {
  static const char *const NAMES[] = {"normal", "inhibit",  "shed_1",   "shed_2",
                                      "shed_3", "absorb_1", "absorb_2", "invalid"};
  return NAMES[static_cast<int>(state)];
}

const char *guard_reason_name(GuardReason reason) {
  static const char *const NAMES[] = {"start",        "under_frequency", "rate_of_change",  "over_frequency",
                                      "recovered",    "released",        "valid_again",     "no_voltage",
                                      "no_frequency", "out_of_range",    "phases_disagree", "silent"};
  return NAMES[static_cast<int>(reason)];
}

}  // namespace esphome::frequency_guard

#pragma once

#include "house_time.h"

namespace esphome::mains_signal {

/// Returns the demand of all appliances on a phase (0, 1, 2 = L1, L2, L3).
LoadDemand appliance_demand(const HouseTime &time, int phase);

}  // namespace esphome::mains_signal

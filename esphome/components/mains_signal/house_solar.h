#pragma once

#include "house_time.h"

namespace esphome::mains_signal {

/// Returns the share of the clear-sky irradiance of an ideal panel that reaches the panels, 0 (night) .. 1.
double clear_sky(double hour);

/// Returns the power fed into each phase by the three-phase inverter of a 6 kWp roof; active power is zero or negative.
LoadDemand solar_demand(const HouseTime &time);

}  // namespace esphome::mains_signal

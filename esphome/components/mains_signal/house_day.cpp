#include "house_day.h"

#include "house_appliances.h"
#include "house_grid.h"
#include "house_solar.h"

#include <cmath>

namespace esphome::mains_signal {

Signal HouseDay::at(double seconds) const {
  const double days = std::floor(seconds / SECONDS_PER_DAY);
  const HouseTime time{this->first_day_ + static_cast<int64_t>(days), seconds - days * SECONDS_PER_DAY};
  const LoadDemand sun = solar_demand(time);

  Signal signal;
  signal.frequency = grid_frequency(time);
  for (int phase = 0; phase < PHASES; phase++) {
    LoadDemand demand = appliance_demand(time, phase);
    demand.active_power += sun.active_power;
    demand.reactive_power += sun.reactive_power;
    // Harmonics of different appliances have different angles and add like independent quantities.
    demand.distortion_current = std::hypot(demand.distortion_current, sun.distortion_current);
    signal.phases[phase] = PhaseSignal::from_power(connection_voltage(time, phase, demand), demand.active_power,
                                                   demand.reactive_power, demand.distortion_current);
    signal.phases[phase].voltage_harmonics = background_harmonics(time, phase);
  }
  return signal;
}

}  // namespace esphome::mains_signal

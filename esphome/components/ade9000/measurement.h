#pragma once

#include "ade9000_bus.h"
#include "scaling.h"
#include "snapshot.h"

#include <array>
#include <bitset>

namespace esphome::ade9000 {

/// Quantities requested from an update.
using WantedQuantities = std::bitset<QUANTITIES>;

/// Result of one update.
struct Measurement {
  std::array<PhaseValues, PHASES> phases;
  DeviceValues device;
};

/** Reads the requested quantities: one burst (twice, see burst.h) for all quantities in bursts, and a frame for each
 * other quantity.
 *
 * Voltage, current and the three powers are always read; what else is not wanted stays NO_VALUE.
 *
 * @param configuration value of CONFIG1 outside of the burst.
 * @return false if a frame was damaged, or what it says can not be: then nothing may be used.
 */
bool measure(Ade9000Bus &bus, const Scaling &scaling, uint16_t configuration, const WantedQuantities &wanted,
             Measurement &measurement);

}  // namespace esphome::ade9000

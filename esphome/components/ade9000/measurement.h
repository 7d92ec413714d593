#pragma once

#include "ade9000_bus.h"
#include "scaling.h"
#include "snapshot.h"

#include <array>
#include <bitset>

namespace esphome::ade9000 {

/// The quantities wanted from one update.
using WantedQuantities = std::bitset<QUANTITIES>;

/// What one update measures.
struct Measurement {
  std::array<PhaseValues, PHASES> phases;
  DeviceValues device;
};

/** Reads what is wanted: one burst (twice, see burst.h) for all that bursts hold, and a frame for each of the others.
 *
 * Voltage, current and the three powers are always read; what else is not wanted stays NO_VALUE.
 *
 * @param configuration value of CONFIG1 outside of the burst.
 * @return false if a frame was damaged, or what it says can not be: then nothing may be used.
 */
bool measure(Ade9000Bus &bus, const Scaling &scaling, uint16_t configuration, const WantedQuantities &wanted,
             Measurement &measurement);

}  // namespace esphome::ade9000

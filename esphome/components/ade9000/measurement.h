#pragma once

#include "ade9000_bus.h"
#include "chip_settings.h"
#include "scaling.h"
#include "snapshot.h"

#include <array>
#include <bitset>

namespace esphome::ade9000 {

/// Quantities requested from an update.
using WantedQuantities = std::bitset<QUANTITIES>;

/// A bit for each phase.
using PhaseSet = std::bitset<PHASES>;

/** Returns the phases that have a voltage input of their own.
 *
 * The chip takes the period of a phase from the zero crossings at the input of that phase. An input that is switched
 * off has none, even where the chip computes the voltage of the phase from the others (as in a delta): its period
 * register then reads nominal, whatever the grid does.
 */
PhaseSet own_voltage_inputs(const ChipSettings &settings);

/// Result of one update.
struct Measurement {
  std::array<PhaseValues, PHASES> phases;
  DeviceValues device;
};

/** Reads the requested quantities, each register in a frame of its own with a CRC, and confirmed by the chip.
 *
 * Voltage, current, the three powers and the peaks are always read, the first five of a phase within 0.3 ms and of all
 * phases within 1 ms at 5 MHz: after a step of the load they settle over 0.43 s (TRM, table 11), so what a reading
 * moves meanwhile is 1 % of the step. The power factor is that of these powers. What else is not wanted stays NO_VALUE.
 * A phase without a voltage input of its own has no frequency.
 *
 * @param settings with which the chip runs.
 * @return false if every attempt at a frame was damaged, or what it says can not be: then nothing may be used.
 */
bool measure(Ade9000Bus &bus, const Scaling &scaling, const ChipSettings &settings, const WantedQuantities &wanted,
             Measurement &measurement);

}  // namespace esphome::ade9000

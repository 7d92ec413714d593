#pragma once

#include "frequency_check.h"

// Only where the meter's chip is part of the firmware.
#if __has_include("esphome/components/ade9000/ade9000_bus.h")
#define FREQUENCY_GUARD_HAS_CHIP

#include "esphome/components/ade9000/ade9000_bus.h"
#include "esphome/components/ade9000/measurement.h"
#include "esphome/components/ade9000/scaling.h"

namespace esphome::frequency_guard {

/** Reads voltage and period of each phase; `sample` keeps its time.
 *
 * @param inputs phases with a voltage input of their own: the others have a voltage at most, and no frequency.
 * @return false where a frame was thrown away.
 */
bool read_chip_sample(ade9000::Ade9000Bus &bus, const ade9000::Scaling &scaling, const ade9000::PhaseSet &inputs,
                      GridSample &sample);

}  // namespace esphome::frequency_guard

#endif

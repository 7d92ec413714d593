#pragma once

#include "chip_settings.h"

namespace esphome::ade9000 {

/** Adds the settings that follow from the others and that the data sheet asks for.
 *
 * Source of the half-cycle rms, line period for the waveform buffer, registers of the configuration checksum.
 */
void add_derived_settings(ChipSettings &settings);

}  // namespace esphome::ade9000

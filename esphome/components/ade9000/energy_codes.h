#pragma once

#include "ade9000_bus.h"
#include "snapshot.h"

#include <array>
#include <cstdint>
#include <optional>

namespace esphome::ade9000 {

using AccumulatorCodes = std::array<uint64_t, PHASES>;

/// What the chip's energy accumulators hold at one moment, modulo 2^45.
struct EnergyCodes {
  AccumulatorCodes active;
  AccumulatorCodes reactive;
  AccumulatorCodes apparent;
};

/// What they gained between two moments, in codes.
struct EnergyGains {
  std::array<int64_t, PHASES> active;
  std::array<int64_t, PHASES> reactive;
  std::array<int64_t, PHASES> apparent;
};

/** What the accumulators gained, whether or not they wrapped meanwhile.
 *
 * Active and reactive gains are ambiguous from 2^44 codes on (106 s at full-scale power). Neither is ever greater than
 * the apparent one, which only grows: that one tells, up to 2^45 codes, when they may have become so.
 *
 * @return nothing where they may have.
 */
std::optional<EnergyGains> energy_gains(const EnergyCodes &before, const EnergyCodes &after);

/** Reads all accumulators, as they were at one moment.
 *
 * Every frame is checked by its CRC; no burst reaches an energy.
 *
 * @return false if a frame was damaged: then `codes` is not to be used.
 */
bool read_energy_codes(Ade9000Bus &bus, EnergyCodes &codes);

}  // namespace esphome::ade9000

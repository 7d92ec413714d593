#pragma once

#include "ade9000_bus.h"
#include "snapshot.h"

#include <array>
#include <cstdint>

namespace esphome::ade9000 {

/// A 45-bit two's-complement accumulator of the chip: HI holds bits 44:13, LO the 13 below (data sheet "Energy").
static constexpr int ACCUMULATOR_BITS = 45;
static constexpr int ACCUMULATOR_LO_BITS = 13;

/** Returns the code of an accumulator, modulo 2^45, from its high word.
 *
 * LO is not read: its 13 bits are worth a millionth of a watt-hour at 75 kW full scale, and what they hold comes with a
 * later reading.
 */
inline uint64_t accumulator_code(uint32_t hi) { return static_cast<uint64_t>(hi) << ACCUMULATOR_LO_BITS; }

/// Returns a code without the bits of LO, as older firmware stored them.
inline uint64_t high_word_of(uint64_t code) { return code >> ACCUMULATOR_LO_BITS << ACCUMULATOR_LO_BITS; }

/** Returns the gain of an accumulator between two readings, in codes; right over one wrap.
 *
 * Right as long as the gain is within +-2^44 codes: 106 s at full-scale power.
 */
inline int64_t accumulator_gain(uint64_t before, uint64_t after) {
  const int unused = 64 - ACCUMULATOR_BITS;
  return static_cast<int64_t>((after - before) << unused) >> unused;
}

using AccumulatorCodes = std::array<uint64_t, PHASES>;

/// Codes of the chip's energy accumulators at one moment, modulo 2^45.
struct EnergyCodes {
  AccumulatorCodes active;
  AccumulatorCodes reactive;
  AccumulatorCodes apparent;
};

/// Gains of the energy accumulators between two moments, in codes.
struct EnergyGains {
  std::array<int64_t, PHASES> active;
  std::array<int64_t, PHASES> reactive;
  std::array<int64_t, PHASES> apparent;
  /// Whether every gain is certain; one that is not is 0.
  bool complete{true};
};

/** Returns the gains of the accumulators between two moments, also over a wrap.
 *
 * Active and reactive gains are ambiguous from 2^44 codes on (106 s at full-scale power). Neither is ever greater than
 * the apparent one, which only grows and goes round at 2^45 codes: it tells which of two possible gains is the right
 * one as long as it can not have gone round itself. Where more than one gain is possible, none is counted.
 *
 * @param greatest apparent gain that can have been meanwhile, in codes: the greatest power times the time; 0 if
 * unknown.
 */
EnergyGains energy_gains(const EnergyCodes &before, const EnergyCodes &after, double greatest = 0);

/** Reads all energy accumulators as they were at one moment.
 *
 * Every frame is checked by its CRC, and every value was read twice or confirmed by the chip.
 *
 * @return false if every attempt at a frame was damaged: then `codes` is not to be used.
 */
bool read_energy_codes(Ade9000Bus &bus, EnergyCodes &codes);

}  // namespace esphome::ade9000

#include "energy_accumulators.h"

#include "ade9000_registers.h"

#include <algorithm>
#include <cstdlib>

namespace esphome::ade9000 {

namespace {

constexpr int64_t TURN = int64_t{1} << ACCUMULATOR_BITS;
/// Times that each accumulator is read at most to find them all at rest.
constexpr size_t ROUNDS = 6;
constexpr int READ_ATTEMPTS = 3;

/// The high words, phase by phase: active, reactive, apparent.
using HighWords = std::array<uint32_t, 3 * PHASES>;

constexpr uint16_t address_of(size_t index) {
  constexpr uint16_t ADDRESSES[] = {reg::AWATTHR_HI, reg::AVARHR_HI, reg::AVAHR_HI};
  return ADDRESSES[index % 3] + index / 3 * reg::ENERGY_STRIDE;
}

bool read_again_if_damaged(Ade9000Bus &bus, uint16_t address, uint32_t &value) {
  for (int attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
    if (bus.read(address, value))
      return true;
  }
  return false;
}

/** Reads the accumulators round and round, until a whole round has changed nothing.
 *
 * Then all of them are of the same window, and each was read twice: a frame whose address was damaged brought another
 * register, and a window that closed meanwhile changed what had been read before. On a chip windows last 20 ms, and a
 * round 0.3 ms.
 *
 * @return false if damage was everywhere, or windows close faster than that (a simulation faster than real time).
 */
bool read_at_rest(Ade9000Bus &bus, HighWords &words) {
  size_t unchanged = 0;
  for (size_t i = 0; i < ROUNDS * words.size() && unchanged < words.size(); i++) {
    uint32_t &word = words[i % words.size()];
    uint32_t value;
    if (!read_again_if_damaged(bus, address_of(i % words.size()), value))
      return false;
    unchanged = i >= words.size() && value == word ? unchanged + 1 : 0;
    word = value;
  }
  return unchanged == words.size();
}

/// Reads each accumulator for itself.
bool read_moving(Ade9000Bus &bus, HighWords &words) {
  for (size_t i = 0; i < words.size(); i++) {
    if (!bus.read_confirmed(address_of(i), words[i]))
      return false;
  }
  return true;
}

/// Whether a gain is the only one within +-`apparent` that leads to the same code.
bool is_certain(int64_t gain, int64_t apparent) { return TURN - std::abs(gain) > apparent; }

}  // namespace

EnergyGains energy_gains(const EnergyCodes &before, const EnergyCodes &after, double greatest) {
  EnergyGains gains{};
  gains.complete = greatest < TURN;
  if (!gains.complete)
    return gains;
  for (size_t i = 0; i < PHASES; i++) {
    gains.apparent[i] = (after.apparent[i] - before.apparent[i]) & (TURN - 1);
    const int64_t active = accumulator_gain(before.active[i], after.active[i]);
    const int64_t reactive = accumulator_gain(before.reactive[i], after.reactive[i]);
    if (is_certain(active, gains.apparent[i]) && is_certain(reactive, gains.apparent[i])) {
      gains.active[i] = active;
      gains.reactive[i] = reactive;
    } else {
      gains.complete = false;
    }
  }
  return gains;
}

bool read_energy_codes(Ade9000Bus &bus, EnergyCodes &codes) {
  HighWords words;
  if (!read_at_rest(bus, words) && !read_moving(bus, words))
    return false;
  for (size_t i = 0; i < PHASES; i++) {
    codes.active[i] = accumulator_code(words[3 * i]);
    codes.reactive[i] = accumulator_code(words[3 * i + 1]);
    codes.apparent[i] = accumulator_code(words[3 * i + 2]);
  }
  return true;
}

}  // namespace esphome::ade9000

#include "energy_accumulators.h"

#include "ade9000_registers.h"

#include <algorithm>
#include <cstdlib>

namespace esphome::ade9000 {

namespace {

constexpr int64_t TURN = int64_t{1} << ACCUMULATOR_BITS;
constexpr int ATTEMPTS = 3;
constexpr int LO_BITS = 13;
constexpr uint32_t MAXIMUM_LO = (1U << LO_BITS) - 1;

bool read_code(Ade9000Bus &bus, uint16_t hi_address, uint64_t &code) {
  uint32_t hi, lo;
  if (!bus.read(hi_address, hi) || !bus.read(hi_address - 1, lo))
    return false;
  code = accumulator_code(hi, lo);
  return lo <= MAXIMUM_LO;
}

/// Reads HI alone into the place of a code: LO is a millionth of a watt-hour.
bool read_high_code(Ade9000Bus &bus, uint16_t hi_address, uint64_t &code) {
  uint32_t hi;
  if (!bus.read(hi_address, hi))
    return false;
  code = accumulator_code(hi, 0);
  return true;
}

bool have_same_high_codes(const EnergyCodes &left, const EnergyCodes &right) {
  const auto same = [](const AccumulatorCodes &a, const AccumulatorCodes &b) {
    return std::equal(a.begin(), a.end(), b.begin(),
                      [](uint64_t x, uint64_t y) { return x >> LO_BITS == y >> LO_BITS; });
  };
  return same(left.active, right.active) && same(left.reactive, right.reactive) && same(left.apparent, right.apparent);
}

/// LO may carry into HI between the two frames: read LO again until HI stood still around it, at most once.
bool read_moving_code(Ade9000Bus &bus, uint16_t hi_address, uint64_t &code) {
  uint32_t before, lo, after;
  if (!bus.read(hi_address, before) || !bus.read(hi_address - 1, lo) || !bus.read(hi_address, after))
    return false;
  if (before != after && !bus.read(hi_address - 1, lo))
    return false;
  code = accumulator_code(after, lo);
  return lo <= MAXIMUM_LO;
}

/// Whether a gain is the only one within +-`apparent` that leads to the same code.
bool is_certain(int64_t gain, int64_t apparent) { return TURN - std::abs(gain) > apparent; }

template<typename Read> bool read_all(Ade9000Bus &bus, EnergyCodes &codes, Read read) {
  for (size_t i = 0; i < PHASES; i++) {
    const uint16_t stride = i * reg::ENERGY_STRIDE;
    if (!read(bus, reg::AWATTHR_HI + stride, codes.active[i]) ||
        !read(bus, reg::AVARHR_HI + stride, codes.reactive[i]) || !read(bus, reg::AVAHR_HI + stride, codes.apparent[i]))
      return false;
  }
  return true;
}

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
  // A window that closes while the registers are being read would be in some of them only: then read again. On a chip
  // windows last 20 ms and a reading 1 ms; where they close faster than that (a simulation at a thousand times real
  // time) each code is at least whole in itself.
  // HI is read twice: a frame whose address was damaged brings another register, with a CRC that matches.
  bool moving = false;
  for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
    bus.write(reg::STATUS0, reg::STATUS0_EGYRDY);
    uint32_t status;
    EnergyCodes again;
    if (!read_all(bus, codes, read_code) || !read_all(bus, again, read_high_code) || !bus.read(reg::STATUS0, status))
      continue;
    const bool closed = (status & reg::STATUS0_EGYRDY) != 0;
    if (!closed && have_same_high_codes(codes, again))
      return true;
    moving |= closed;
    if (!closed)
      bus.reject_frame();
  }
  return moving && read_all(bus, codes, read_moving_code);
}

}  // namespace esphome::ade9000

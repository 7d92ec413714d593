#include "energy_accumulators.h"

#include "ade9000_registers.h"

namespace esphome::ade9000 {

namespace {

constexpr int64_t AMBIGUOUS_GAIN = int64_t{1} << (ACCUMULATOR_BITS - 1);
constexpr int ATTEMPTS = 2;

bool read_code(Ade9000Bus &bus, uint16_t hi_address, uint64_t &code) {
  uint32_t hi, lo;
  if (!bus.read(hi_address, hi) || !bus.read(hi_address - 1, lo))
    return false;
  code = accumulator_code(hi, lo);
  return true;
}

/// LO may carry into HI between the two frames: read LO again until HI stood still around it, at most once.
bool read_moving_code(Ade9000Bus &bus, uint16_t hi_address, uint64_t &code) {
  uint32_t before, lo, after;
  if (!bus.read(hi_address, before) || !bus.read(hi_address - 1, lo) || !bus.read(hi_address, after))
    return false;
  if (before != after && !bus.read(hi_address - 1, lo))
    return false;
  code = accumulator_code(after, lo);
  return true;
}

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

std::optional<EnergyGains> energy_gains(const EnergyCodes &before, const EnergyCodes &after) {
  EnergyGains gains;
  for (size_t i = 0; i < PHASES; i++) {
    gains.active[i] = accumulator_gain(before.active[i], after.active[i]);
    gains.reactive[i] = accumulator_gain(before.reactive[i], after.reactive[i]);
    gains.apparent[i] = (after.apparent[i] - before.apparent[i]) & ((uint64_t{1} << ACCUMULATOR_BITS) - 1);
    if (gains.apparent[i] >= AMBIGUOUS_GAIN)
      return std::nullopt;
  }
  return gains;
}

bool read_energy_codes(Ade9000Bus &bus, EnergyCodes &codes) {
  // A window that closes while the registers are being read would be in some of them only: then read again. On a chip
  // windows last 20 ms and a reading 1 ms; where they close faster than that (a simulation at a thousand times real
  // time) each code is at least whole in itself.
  for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
    bus.write(reg::STATUS0, reg::STATUS0_EGYRDY);
    uint32_t status;
    if (!read_all(bus, codes, read_code) || !bus.read(reg::STATUS0, status))
      return false;
    if ((status & reg::STATUS0_EGYRDY) == 0)
      return true;
  }
  return read_all(bus, codes, read_moving_code);
}

}  // namespace esphome::ade9000

#include "accumulators.h"

#include "chip_addresses.h"

#include <algorithm>
#include <cmath>

namespace esphome::ade9000_simulator {

using mains_signal::PHASES;

namespace {

/// Longest stretch of signal taken as constant, s; one line cycle at 50 Hz.
constexpr double STEP = 0.02;
/// A long stretch at high playback speed is cut in this many steps rather than in STEPs, to bound the cost.
constexpr double STEPS_AT_MOST = 64.0;
/// One that is longer than this, s, in fewer: so much time passes at once only where somebody skips it.
constexpr double SKIPPED_STRETCH = 2.0;
constexpr double STEPS_OF_SKIPPED = 5.0;

constexpr uint16_t accumulator_address(uint16_t first, int phase, int quantity) {
  return static_cast<uint16_t>(first + phase * address::ACCUMULATOR_PHASE_STRIDE +
                               quantity * address::ACCUMULATOR_QUANTITY_STRIDE);
}

/// Low word: 13 bits; high word: the 32 above (UG-1098, Figure 24).
void store_45(RegisterFile &registers, uint16_t low_address, int64_t value) {
  registers.store(low_address, static_cast<uint32_t>(value & 0x1FFF));
  registers.store(low_address + 1, static_cast<uint32_t>(wrap_45(value) >> 13));
}

/// The whole part of a sum; the rest stays for the next window.
int64_t take_whole(double &sum) {
  const double whole = std::floor(sum);
  sum -= whole;
  return static_cast<int64_t>(whole);
}

/// Length of the energy window, s: EGY_TIME + 1 samples, or half line cycles.
double energy_window(const RegisterFile &registers) {
  const double count = registers.read(address::EGY_TIME) + 1.0;
  if (!registers.any(address::EP_CFG, bits::EP_CFG_EGY_TMR_MODE))
    return count / SAMPLE_RATE;
  const double line_period = (registers.read(address::COM_PERIOD) + 1.0) / (SAMPLE_RATE * 65536.0);
  return count * line_period / 2.0;
}

double power_window(const RegisterFile &registers) { return (registers.read(address::PWR_TIME) + 1.0) / SAMPLE_RATE; }

/// ACCMODE.WATTACC and VARACC: 0 signed, 1 absolute, 2 positive only, 3 negative only.
double accumulated_part(double power, uint32_t mode) {
  switch (mode & 3) {
    case 1:
      return std::abs(power);
    case 2:
      return std::max(0.0, power);
    case 3:
      return std::min(0.0, power);
    default:
      return power;
  }
}

/// EP_CFG.NOLOAD_TMR = 7 turns the no-load check off.
bool no_load_check(const RegisterFile &registers) { return ((registers.read(address::EP_CFG) >> 13) & 7) != 7; }

}  // namespace

void Accumulators::reset() { *this = Accumulators(); }

void Accumulators::start(double elapsed) {
  this->energy_start_ = elapsed;
  this->power_start_ = elapsed;
}

void Accumulators::integrate(RegisterFile &registers, double from, double to, const Measure &measure) {
  const double energy_length = energy_window(registers);
  const double power_length = power_window(registers);
  const double steps = to - from > SKIPPED_STRETCH ? STEPS_OF_SKIPPED : STEPS_AT_MOST;
  const double longest_step = std::max(STEP, (to - from) / steps);
  double now = from;
  // The ends of windows cut the steps, and do not make the signal change.
  std::optional<ThreePhaseCodes> codes;
  double measured_until = from;
  while (now < to) {
    const double energy_end = this->energy_start_ + energy_length;
    const double power_end = this->power_start_ + power_length;
    const double end = std::max(now, std::min({to, now + longest_step, energy_end, power_end}));
    if (end > now) {
      if (now >= measured_until) {
        measured_until = std::min(to, now + longest_step);
        codes = measure((now + measured_until) / 2.0);
      }
      if (codes)
        this->add_(registers, *codes, (end - now) * SAMPLE_RATE);
      now = end;
    }
    if (now >= energy_end) {
      this->close_energy_window_(registers);
      this->energy_start_ = energy_end;
    }
    if (now >= power_end) {
      this->close_power_window_(registers);
      this->power_start_ = power_end;
    }
  }
}

void Accumulators::add_(const RegisterFile &registers, const ThreePhaseCodes &codes, double samples) {
  const uint32_t mode = registers.read(address::ACCMODE);
  const bool check = no_load_check(registers);
  // One step of a level is 1/64 of a power code (UG-1098, No-Load Detection).
  const double active_level = registers.read(address::ACT_NL_LVL) / 64.0;
  const double reactive_level = registers.read(address::REACT_NL_LVL) / 64.0;
  const double apparent_level = registers.read(address::APP_NL_LVL) / 64.0;
  for (int phase = 0; phase < PHASES; phase++) {
    const PhaseCodes &code = codes[phase];
    const double power[ACCUMULATED_QUANTITIES] = {code.watt, code.var, code.va, code.fwatt, code.fvar, code.fva};
    const double level[ACCUMULATED_QUANTITIES] = {active_level, reactive_level, apparent_level,
                                                  active_level, reactive_level, apparent_level};
    const uint32_t modes[ACCUMULATED_QUANTITIES] = {mode, mode >> 2, 0, mode, mode >> 2, 0};
    for (int quantity = 0; quantity < ACCUMULATED_QUANTITIES; quantity++) {
      Channel &channel = this->channels_[phase][quantity];
      channel.power_window += power[quantity] * samples;
      if (!check || std::abs(power[quantity]) >= level[quantity])
        channel.energy_window += accumulated_part(power[quantity], modes[quantity]) * samples;
    }
    this->signed_power_[0] += std::max(0.0, code.watt) * samples;
    this->signed_power_[1] += std::min(0.0, code.watt) * samples;
    this->signed_power_[2] += std::max(0.0, code.var) * samples;
    this->signed_power_[3] += std::min(0.0, code.var) * samples;
  }
}

void Accumulators::close_energy_window_(RegisterFile &registers) {
  const bool overwrite = registers.any(address::EP_CFG, bits::EP_CFG_EGY_LD_ACCUM);
  for (int phase = 0; phase < PHASES; phase++) {
    for (int quantity = 0; quantity < ACCUMULATED_QUANTITIES; quantity++) {
      Channel &channel = this->channels_[phase][quantity];
      const int64_t window = take_whole(channel.energy_window);
      channel.user_energy = wrap_45(overwrite ? window : channel.user_energy + window);
      store_45(registers, accumulator_address(address::ENERGY_ACCUMULATOR, phase, quantity), channel.user_energy);
    }
  }
  registers.set_bits(address::STATUS0, bits::STATUS0_EGYRDY);
}

void Accumulators::close_power_window_(RegisterFile &registers) {
  this->update_signs_(registers);
  for (int phase = 0; phase < PHASES; phase++) {
    for (int quantity = 0; quantity < ACCUMULATED_QUANTITIES; quantity++) {
      store_45(registers, accumulator_address(address::POWER_ACCUMULATOR, phase, quantity),
               take_whole(this->channels_[phase][quantity].power_window));
    }
  }
  constexpr uint16_t SIGNED_SUMS[] = {address::PWATT_ACC, address::NWATT_ACC, address::PVAR_ACC, address::NVAR_ACC};
  for (size_t i = 0; i < this->signed_power_.size(); i++)
    store_45(registers, SIGNED_SUMS[i], take_whole(this->signed_power_[i]));
  registers.set_bits(address::STATUS0, bits::STATUS0_PWRRDY);
}

void Accumulators::update_signs_(RegisterFile &registers) {
  // EP_CFG bit 6 and 7 (PWR_SIGN_SEL): sign of the fundamental instead of the total, for active and reactive power.
  const uint32_t config = registers.read(address::EP_CFG);
  const int active = (config & (1u << 6)) != 0 ? ACC_FWATT : ACC_WATT;
  const int reactive = (config & (1u << 7)) != 0 ? ACC_FVAR : ACC_VAR;
  uint32_t signs = 0;
  for (int phase = 0; phase < PHASES; phase++) {
    if (this->channels_[phase][active].power_window < 0.0)
      signs |= 1u << (2 * phase);
    if (this->channels_[phase][reactive].power_window < 0.0)
      signs |= 2u << (2 * phase);
  }
  const uint32_t changed = signs ^ registers.read(address::PHSIGN);
  for (int phase = 0; phase < PHASES; phase++) {
    if ((changed & (1u << (2 * phase))) != 0)
      registers.set_bits(address::STATUS0, 1u << (1 + phase));  // REVAPA..REVAPC
    if ((changed & (2u << (2 * phase))) != 0)
      registers.set_bits(address::STATUS0, 1u << (4 + phase));  // REVRPA..REVRPC
  }
  registers.store(address::PHSIGN, signs);
}

void Accumulators::clear_after_read(RegisterFile &registers, uint16_t address) {
  for (int phase = 0; phase < PHASES; phase++) {
    for (int quantity = 0; quantity < ACCUMULATED_QUANTITIES; quantity++) {
      const uint16_t low = accumulator_address(address::ENERGY_ACCUMULATOR, phase, quantity);
      if (address != low && address != low + 1)
        continue;
      Channel &channel = this->channels_[phase][quantity];
      channel.user_energy = address == low ? channel.user_energy & ~int64_t{0x1FFF} : channel.user_energy & 0x1FFF;
      store_45(registers, low, channel.user_energy);
    }
  }
}

}  // namespace esphome::ade9000_simulator

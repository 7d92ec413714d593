#include "chip_monitor.h"

#include "esphome/components/ade9000/ade9000_registers.h"

#include <algorithm>
#include <cmath>

namespace esphome::power_quality {

using ade9000::Scaling;
namespace reg = ade9000::reg;

namespace {

// Register Map, phase A; the fast rms of the next phase is PHASE_STRIDE further, the others follow at once.
constexpr uint16_t AIRMSONE = 0x219;
constexpr uint16_t AVRMSONE = 0x21A;
constexpr uint16_t PHASE_STRIDE = 0x20;
constexpr uint16_t STATUS1 = 0x403;
constexpr uint16_t OILVL = 0x409;
constexpr uint16_t OIA = 0x40A;
constexpr uint16_t DIP_LVL = 0x410;
constexpr uint16_t DIPA = 0x411;
constexpr uint16_t SWELL_LVL = 0x414;
constexpr uint16_t SWELLA = 0x415;
constexpr uint16_t DIP_CYC = 0x48B;
constexpr uint16_t SWELL_CYC = 0x48C;
constexpr uint16_t SEQ_CYC = 0x49C;
// STATUS1.
constexpr int STATUS1_SWELLA_BIT = 20;
constexpr int STATUS1_DIPA_BIT = 23;
constexpr uint32_t STATUS1_OI = 1UL << 17;
constexpr uint32_t STATUS1_SEQERR = 1UL << 18;
constexpr uint32_t WATCHED = STATUS1_OI | STATUS1_SEQERR | 7UL << STATUS1_SWELLA_BIT | 7UL << STATUS1_DIPA_BIT;
/// Levels and results are the fast rms over 2^5 (TRM, "DIP_LVL"); OILVL by its width.
constexpr double LEVEL_PER_RMS = 1.0 / 32;
constexpr uint32_t MAXIMUM_LEVEL = 0x00FFFFFF;
/// Of the limit, from where on the chip may find a current too high: its level is rounded, and the rms ripples.
constexpr double OVERCURRENT_MARGIN = 0.99;

uint32_t level_of_rms(double code) {
  return static_cast<uint32_t>(std::lround(std::clamp(code * LEVEL_PER_RMS, 0.0, double{MAXIMUM_LEVEL})));
}

}  // namespace

uint32_t ChipMonitor::level_of_volts_(double volts) const {
  return level_of_rms(volts / this->scaling_.full_scale_voltage() * reg::FULL_SCALE_RMS);
}

uint32_t ChipMonitor::level_of_amperes_(double amperes) const {
  return level_of_rms(amperes / this->scaling_.full_scale_current() * reg::FULL_SCALE_RMS);
}

bool ChipMonitor::configure(const Scaling &scaling) {
  this->scaling_ = scaling;
  const PowerQualityLimits &limits = this->detector_.limits();
  const auto code_of = [](uint32_t level) { return static_cast<uint32_t>(level / LEVEL_PER_RMS); };
  this->dip_code_ = code_of(this->level_of_volts_(limits.dip * limits.nominal_voltage));
  this->swell_code_ = code_of(this->level_of_volts_(limits.swell * limits.nominal_voltage));
  this->overcurrent_code_ = limits.overcurrent > 0 ? code_of(this->level_of_amperes_(limits.overcurrent)) : UINT32_MAX;
  const struct {
    uint16_t address;
    uint32_t value;
  } settings[] = {
      {DIP_LVL, this->level_of_volts_(limits.dip * limits.nominal_voltage)},
      {SWELL_LVL, this->level_of_volts_(limits.swell * limits.nominal_voltage)},
      {OILVL, limits.overcurrent > 0 ? this->level_of_amperes_(limits.overcurrent) : MAXIMUM_LEVEL},
      // The shortest the chip can: half cycles or cycles, the documents differ.
      {DIP_CYC, 1},
      {SWELL_CYC, 1},
      {SEQ_CYC, 1},  // as the data sheet recommends
  };
  for (const auto &setting : settings) {
    if (!this->bus_.write_checked(setting.address, setting.value))
      return false;
  }
  for (uint16_t channel = 0; channel < this->overcurrent_codes_.size(); channel++) {
    if (!this->bus_.read_confirmed(OIA + channel, this->overcurrent_codes_[channel]))
      return false;
  }
  this->overcurrent_grows_ = {};
  this->settled_us_.reset();
  this->bus_.write(STATUS1, WATCHED);
  return true;
}

bool ChipMonitor::poll(int64_t now_us) {
  if (!this->settled_us_.has_value())
    this->settled_us_ = now_us + SETTLING_US;
  if (now_us < *this->settled_us_)
    return this->discard_(now_us);
  // Flags first: whatever they tell of either shows in the half cycle read after them, or is over.
  uint32_t status;
  HalfCycle half_cycle{now_us, {}, {}};
  LatchedFlags flags;
  if (!this->read_status_(status) || ((status & WATCHED) && !this->read_flags_(status, flags)) ||
      !this->read_half_cycle_(half_cycle) || !this->keep_overcurrents_(half_cycle))
    return false;
  if (status & WATCHED) {
    // Once more if the first write was lost: an event must not be told twice.
    uint32_t left;
    this->bus_.write(STATUS1, status & WATCHED);
    if (!this->bus_.read(STATUS1, left) || (left & status & WATCHED))
      this->bus_.write(STATUS1, status & WATCHED);
  }
  this->detector_.add(half_cycle);
  this->detector_.add(flags, now_us);
  return true;
}

bool ChipMonitor::read_status_(uint32_t &status) {
  if (!this->bus_.read(STATUS1, status))
    return false;
  // A frame damaged on its way brings another register, with a CRC that matches: an event is confirmed.
  return (status & WATCHED) == 0 || this->bus_.read_confirmed(STATUS1, status);
}

bool ChipMonitor::read_rms_(uint16_t address, uint32_t low, uint32_t high, uint32_t &code) {
  if (!this->bus_.read(address, code))
    return false;
  if (code >= low && code <= high)
    return true;
  return this->bus_.read_confirmed(address, code);
}

bool ChipMonitor::discard_(int64_t now_us) {
  uint32_t status;
  if (!this->bus_.read(STATUS1, status))
    return false;
  this->bus_.write(STATUS1, status & WATCHED);
  this->detector_.add(LatchedFlags{}, now_us);
  return true;
}

bool ChipMonitor::read_half_cycle_(HalfCycle &half_cycle) {
  for (size_t phase = 0; phase < 3; phase++) {
    const auto offset = static_cast<uint16_t>(phase * PHASE_STRIDE);
    uint32_t voltage, current;
    if (!this->read_rms_(AVRMSONE + offset, this->dip_code_, this->swell_code_, voltage) ||
        !this->read_rms_(AIRMSONE + offset, 0, this->overcurrent_code_, current))
      return false;
    half_cycle.voltage[phase] = static_cast<float>(this->scaling_.volts(voltage));
    half_cycle.current[phase] = static_cast<float>(this->scaling_.amperes(current));
  }
  return true;
}

bool ChipMonitor::read_flags_(uint32_t status, LatchedFlags &flags) {
  flags.dips = (status >> STATUS1_DIPA_BIT) & 7;
  flags.swells = (status >> STATUS1_SWELLA_BIT) & 7;
  flags.wrong_sequence = (status & STATUS1_SEQERR) != 0;
  uint32_t code;
  for (uint16_t phase = 0; phase < 3; phase++) {
    if ((flags.dips >> phase) & 1) {
      if (!this->bus_.read_confirmed(DIPA + phase, code))
        return false;
      flags.lowest[phase] = static_cast<float>(this->scaling_.volts(code) / LEVEL_PER_RMS);
    }
    if ((flags.swells >> phase) & 1) {
      if (!this->bus_.read_confirmed(SWELLA + phase, code))
        return false;
      flags.highest[phase] = static_cast<float>(this->scaling_.volts(code) / LEVEL_PER_RMS);
    }
  }
  return (status & STATUS1_OI) == 0 || this->read_overcurrents_(flags);
}

// OI does not say of which phase it speaks, OISTATUS only of the moment, and OIx keeps the value of an earlier event
// (data sheet, "OIx"): of this event are the values that have changed.
bool ChipMonitor::read_overcurrents_(LatchedFlags &flags) {
  std::array<uint32_t, 4> codes;
  std::array<bool, 4> changed{}, above{};
  for (uint16_t channel = 0; channel < codes.size(); channel++) {
    if (!this->bus_.read_confirmed(OIA + channel, codes[channel]))
      return false;
    changed[channel] = codes[channel] != this->overcurrent_codes_[channel];
    above[channel] = this->scaling_.amperes(codes[channel]) / LEVEL_PER_RMS > this->detector_.limits().overcurrent;
  }
  // Where none has changed, an event was as high as the last of its phase: sure where one channel alone ever had one.
  const bool repeated =
      std::count(changed.begin(), changed.end(), true) == 0 && std::count(above.begin(), above.end(), true) == 1;
  for (size_t phase = 0; phase < 3; phase++) {
    if (above[phase] && (changed[phase] || repeated)) {
      flags.overcurrents |= 1 << phase;
      flags.currents[phase] = static_cast<float>(this->scaling_.amperes(codes[phase]) / LEVEL_PER_RMS);
    }
  }
  this->overcurrent_codes_ = codes;
  return true;
}

bool ChipMonitor::keep_overcurrents_(const HalfCycle &half_cycle) {
  const double limit = this->detector_.limits().overcurrent;
  for (uint16_t phase = 0; phase < 3; phase++) {
    if (limit > 0 && half_cycle.current[phase] > OVERCURRENT_MARGIN * limit) {
      this->overcurrent_grows_[phase] = true;
    } else if (this->overcurrent_grows_[phase]) {
      if (!this->bus_.read_confirmed(OIA + phase, this->overcurrent_codes_[phase]))
        return false;
      this->overcurrent_grows_[phase] = false;
    }
  }
  return true;
}

}  // namespace esphome::power_quality

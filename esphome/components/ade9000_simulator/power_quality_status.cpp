#include "power_quality_status.h"

#include "chip_addresses.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace esphome::ade9000_simulator {

using mains_signal::PHASES;
using mains_signal::Spectrum;

namespace {

/// Levels compare the fast rms over 2^5.
uint32_t level_of(const RegisterFile &registers, uint16_t address) { return registers.read(address) >> 5; }

}  // namespace

void PowerQualityStatus::compare_(RegisterFile &registers, LevelState &state, const LevelRegisters &level_registers,
                                  int phase, uint32_t value) {
  const uint32_t level = registers.read(level_registers.level);
  const auto needed = static_cast<int>(std::max<uint32_t>(1, registers.read(level_registers.cycles)));
  const bool beyond = level_registers.below ? value < level : value > level;
  const bool once = registers.any(address::CONFIG1, bits::CONFIG1_DIP_SWELL_IRQ_MODE);
  if (!beyond) {
    if (state.active && once)
      registers.set_bits(address::STATUS1, level_registers.status << phase);
    registers.clear_bits(address::EVENT_STATUS, level_registers.event << phase);
    state = {};
    return;
  }
  if (state.half_cycles == 0)
    state.furthest = value;
  state.furthest = level_registers.below ? std::min(state.furthest, value) : std::max(state.furthest, value);
  state.half_cycles = std::min(state.half_cycles + 1, needed);
  if (state.half_cycles < needed)
    return;
  registers.store(level_registers.result + phase, state.furthest);
  state.since_interrupt++;
  if (!state.active || (!once && state.since_interrupt >= needed)) {
    registers.set_bits(address::STATUS1, level_registers.status << phase);
    registers.set_bits(address::EVENT_STATUS, level_registers.event << phase);
    state.since_interrupt = 0;
  }
  state.active = true;
}

void PowerQualityStatus::compare_current_(RegisterFile &registers, int channel, uint32_t value) {
  const bool enabled = registers.any(address::CONFIG3, 0x8000u >> channel);
  const bool over = enabled && value > registers.read(address::OILVL);
  const auto result = static_cast<uint16_t>(address::OIA + channel);
  if (over) {
    if (!this->overcurrent_[channel]) {
      registers.set_bits(address::STATUS1, bits::STATUS1_OI);
      registers.store(result, value);
    }
    registers.store(result, std::max(registers.read(result), value));
    registers.set_bits(address::OISTATUS, 1u << channel);
  } else {
    registers.clear_bits(address::OISTATUS, 1u << channel);
  }
  this->overcurrent_[channel] = over;
}

void PowerQualityStatus::on_half_cycle(RegisterFile &registers, int phase) {
  constexpr LevelRegisters DIP{address::DIP_LVL,   address::DIP_CYC, address::DIPA,
                               bits::STATUS1_DIPA, bits::EVENT_DIPA, true};
  constexpr LevelRegisters SWELL{address::SWELL_LVL,   address::SWELL_CYC, address::SWELLA,
                                 bits::STATUS1_SWELLA, bits::EVENT_SWELLA, false};
  const auto stride = static_cast<uint16_t>(phase * address::PHASE_STRIDE);
  const uint32_t voltage = level_of(registers, address::VRMSONE + stride);
  compare_(registers, this->dips_[phase], DIP, phase, voltage);
  compare_(registers, this->swells_[phase], SWELL, phase, voltage);
  this->compare_current_(registers, phase, level_of(registers, address::IRMSONE + stride));
  if (phase == 0)
    this->compare_current_(registers, PHASES, level_of(registers, address::NIRMSONE));
}

void PowerQualityStatus::on_crossing(RegisterFile &registers, int phase, double time, bool voltage, bool current) {
  this->crossing_[phase] = voltage;
  if (current)
    registers.set_bits(address::STATUS1, bits::STATUS1_ZXIA << phase);
  if (voltage) {
    registers.set_bits(address::STATUS1, bits::STATUS1_ZXVA << phase | bits::STATUS1_ZXCOMB);
    this->last_crossing_[phase] = time;
    this->timed_out_[phase] = false;
  } else if (!this->timed_out_[phase] &&
             time - this->last_crossing_[phase] > registers.read(address::ZXTOUT) / SAMPLE_RATE) {
    registers.set_bits(address::STATUS1, bits::STATUS1_ZXTOVA << phase);
    this->timed_out_[phase] = true;
  }
}

void PowerQualityStatus::check_sequence(RegisterFile &registers, const std::array<Spectrum, PHASES> &voltages) {
  const bool complete =
      std::all_of(this->crossing_.begin(), this->crossing_.end(), [](bool crossing) { return crossing; });
  const auto turns_behind_a = [&](int phase) {
    const double turns = (std::arg(voltages[0][1]) - std::arg(voltages[phase][1])) / (2.0 * std::numbers::pi);
    return turns - std::floor(turns);
  };
  if (complete && turns_behind_a(1) < turns_behind_a(2)) {
    this->wrong_half_cycles_ = 0;
    return;
  }
  const auto needed = static_cast<int>(2 * std::max<uint32_t>(1, registers.read(address::SEQ_CYC)));
  if (++this->wrong_half_cycles_ >= needed) {
    this->wrong_half_cycles_ = 0;
    registers.set_bits(address::STATUS1, bits::STATUS1_SEQERR);
  }
}

}  // namespace esphome::ade9000_simulator

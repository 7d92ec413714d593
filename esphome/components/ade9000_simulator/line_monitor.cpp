#include "line_monitor.h"

#include "chip_addresses.h"
#include "result_registers.h"

#include <cmath>
#include <numbers>
#include <utility>

namespace esphome::ade9000_simulator {

using mains_signal::PHASES;
using mains_signal::Spectrum;

namespace {

constexpr double FULL_TURN = 2.0 * std::numbers::pi;
/// A half cycle of which less than this was seen (a jump of the angle) is joined to the next.
constexpr double SHORTEST_HALF_CYCLE = 0.3;

uint16_t of_phase(uint16_t phase_a, int phase) {
  return static_cast<uint16_t>(phase_a + phase * address::PHASE_STRIDE);
}

void store_rms(RegisterFile &registers, uint16_t result, uint16_t offset, double rms) {
  registers.store_signed(result, apply_rms_offset(rms * RMS_FULL_SCALE_CODE, registers.read_signed(offset)));
}

/// Half cycles in the long window: 10 cycles at 50 Hz, 12 at 60 Hz (IEC 61000-4-30).
int window_half_cycles(const RegisterFile &registers) {
  return registers.any(address::ACCMODE, bits::ACCMODE_SELFREQ) ? 24 : 20;
}

}  // namespace

LineMonitor::MeanSquare &LineMonitor::MeanSquare::operator+=(const MeanSquare &other) {
  this->sum += other.sum;
  this->weight += other.weight;
  return *this;
}

double LineMonitor::MeanSquare::rms() const { return this->weight > 0.0 ? std::sqrt(this->sum / this->weight) : 0.0; }

double LineMonitor::Channel::close(bool empty) {
  MeanSquare cycle = this->previous;
  if (empty)
    cycle.add(0.0, this->open.weight);
  cycle += this->open;
  this->window += this->open;
  this->previous = this->open;
  this->open = {};
  return cycle.rms();
}

double LineMonitor::Channel::close_window() {
  const double rms = this->window.rms();
  this->window = {};
  return rms;
}

void LineMonitor::stop() {
  this->skip();
  this->empty_.fill(true);
}

void LineMonitor::skip() {
  this->phases_ = {};
  this->neutral_ = {};
}

void LineMonitor::follow(RegisterFile &registers, const LineStep &step, const Waves &waves) {
  const double middle = step.turns + 0.5 * step.frequency * step.length;
  for (int phase = 0; phase < PHASES; phase++) {
    PhaseState &state = this->phases_[phase];
    const Spectrum &voltage = waves.voltage[phase];
    const double turns = middle + std::arg(voltage[1]) / FULL_TURN;
    const double half_cycle = std::floor(2.0 * turns);
    if (!state.started) {
      state.started = true;
      state.half_cycle = half_cycle;
    } else if (half_cycle != state.half_cycle) {
      state.half_cycle = half_cycle;
      if (state.duration * step.frequency * 2.0 >= SHORTEST_HALF_CYCLE) {
        this->close_half_cycle_(registers, step, waves, phase);
        state.duration = 0.0;
      }
    }
    // The sine squared says when in its half cycle a wave carries its energy.
    const double sine = std::sin(FULL_TURN * turns);
    const double weight = 2.0 * sine * sine * step.length;
    const double voltage_rms = voltage.rms();
    const double current_rms = waves.current[phase].rms();
    state.voltage.open.add(voltage_rms * voltage_rms, weight);
    state.current.open.add(current_rms * current_rms, weight);
    if (phase == 0) {
      const double neutral_rms = waves.neutral.rms();
      this->neutral_.open.add(neutral_rms * neutral_rms, weight);
    }
    state.duration += step.length;
  }
}

void LineMonitor::close_half_cycle_(RegisterFile &registers, const LineStep &step, const Waves &waves, int phase) {
  PhaseState &state = this->phases_[phase];
  const bool empty = std::exchange(this->empty_[phase], false);
  store_rms(registers, of_phase(address::VRMSONE, phase), of_phase(address::VRMSONEOS, phase),
            state.voltage.close(empty));
  store_rms(registers, of_phase(address::IRMSONE, phase), of_phase(address::IRMSONEOS, phase),
            state.current.close(empty));
  if (phase == 0)
    store_rms(registers, address::NIRMSONE, address::NIRMSONEOS, this->neutral_.close(empty));
  registers.set_bits(address::STATUS0, bits::STATUS0_RMSONERDY);
  if (++state.half_cycles_in_window >= window_half_cycles(registers)) {
    state.half_cycles_in_window = 0;
    this->close_window_(registers, phase);
  }

  this->status_.on_half_cycle(registers, phase);
  const uint32_t threshold = registers.read(address::ZXTHRSH);
  const auto crosses = [&](double rms) { return crosses_zero(rms * RMS_FULL_SCALE_CODE, step.frequency, threshold); };
  this->status_.on_crossing(registers, phase, step.start, crosses(waves.own_voltage[phase]),
                            crosses(waves.current[phase].rms()));
  if (phase == 0)
    this->status_.check_sequence(registers, waves.voltage);
  // A new half cycle has an odd number when it is a negative one.
  const bool was_positive = std::fmod(state.half_cycle, 2.0) != 0.0;
  this->peaks_.on_half_cycle(registers, phase, was_positive, waves.voltage[phase], waves.current[phase]);
}

void LineMonitor::close_window_(RegisterFile &registers, int phase) {
  PhaseState &state = this->phases_[phase];
  store_rms(registers, of_phase(address::VRMS1012, phase), of_phase(address::VRMS1012OS, phase),
            state.voltage.close_window());
  store_rms(registers, of_phase(address::IRMS1012, phase), of_phase(address::IRMS1012OS, phase),
            state.current.close_window());
  if (phase == 0)
    store_rms(registers, address::NIRMS1012, address::NIRMS1012OS, this->neutral_.close_window());
  registers.set_bits(address::STATUS0, bits::STATUS0_RMS1012RDY);
}

}  // namespace esphome::ade9000_simulator

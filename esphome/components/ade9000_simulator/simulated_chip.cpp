#include "simulated_chip.h"

#include "chip_addresses.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

namespace esphome::ade9000_simulator {

using mains_signal::Instant;
using mains_signal::PHASES;
using mains_signal::Signal;
using mains_signal::SignalModel;

namespace {

/// Time from power-up or software reset to RSTDONE, s. Assumption: sources differ, drivers wait 50 ms; until then the
/// port does not drive MISO and the pull-up shows ones.
constexpr double RESET_TIME = 0.046;
/// Time the background task takes for the configuration checksum, s (UG-1098, CRC of Configuration Registers).
constexpr double CHECKSUM_TIME = 0.0108;
/// What VERSION2 reads once the signal processor runs.
constexpr uint32_t VERSION2_RUNNING = 0x0C;

/// Between two of the 8000 samples a second, s; the results are renewed with each.
constexpr double SAMPLE_TIME = 0.000125;
/// The signal is taken as steady for this long while the line is followed, s: 1/16 of a cycle at 50 Hz.
constexpr double LINE_STEP = 0.00125;
/// Of a longer stretch of simulated time than real time, only the last of this length is followed, s: at 62 passes of
/// the main loop a second, all of it up to 10 times real time.
constexpr double LONGEST_STRETCH = 0.160;
/// Where more than this passes at once, s, nobody follows the line.
constexpr double SKIPPED_STRETCH = 2.0;
/// And of any stretch only the last of this length, s.
constexpr double LONGEST_CATCH_UP = 0.5;

/// The signal is taken as steady for this long where the filters settle, s, but not more often than so.
constexpr double SETTLING_STEP = 0.01;
constexpr int SETTLING_STEPS_AT_MOST = 32;
/// From one frame to the next, s: the signal is not looked at anew.
constexpr double BETWEEN_FRAMES = 0.0005;
/// Of SCLK, Hz: results are renewed while a burst is shifted out.
constexpr double ASSUMED_CLOCK = 5e6;
/// Settings that change what is measured lie below this address.
constexpr uint16_t END_OF_CALIBRATION = 0x074;

/// CONFIG1.PWR_SETTLE: wait between RUN and the first accumulated sample, s. Assumption: in chip time from RUN = 1.
double power_settle_time(uint32_t config1) {
  constexpr double TIMES[] = {0.064, 0.128, 0.256, 0.0};
  return TIMES[(config1 >> 8) & 3];
}

}  // namespace

SimulatedChip::SimulatedChip(const SignalModel &model, const FrontEnd &front_end, const Instant &power_on)
    : model_(model), front_end_(front_end), now_(power_on) {
  this->start_reset_(power_on.real + RESET_TIME);
}

void SimulatedChip::transfer(uint8_t *data, size_t length, const Instant &now) {
  // The chip computes with each sample, not in between.
  if (now.elapsed - this->now_.elapsed >= SAMPLE_TIME || now.real - this->now_.real >= SAMPLE_TIME)
    this->advance(now);
  const bool is_read = length > 1 && (data[1] & 0x08) != 0;
  LineFault fault = LineFault::NONE;
  if (this->fault_frames_ > 0 && length > 0) {
    this->fault_frames_--;
    fault = this->fault_;
  }
  const size_t bit = length == 0 ? 0 : this->fault_position_ % (8 * length);
  const auto invert = [&] { data[bit / 8] ^= static_cast<uint8_t>(0x80 >> (bit % 8)); };
  switch (fault) {
    case LineFault::NONE:
      this->exchange_(data, length, now);
      break;
    case LineFault::LOST:
      std::fill(data, data + length, 0xFF);
      break;
    case LineFault::SHORTENED: {
      const size_t arrived = this->fault_position_ % length;
      this->exchange_(data, arrived, now);
      std::fill(data + arrived, data + length, 0xFF);
      break;
    }
    case LineFault::DOUBLED: {
      std::vector<uint8_t> first(data, data + length);
      this->exchange_(first.data(), length, now);
      this->exchange_(data, length, now);
      break;
    }
    case LineFault::GARBLED_COMMAND:
      invert();
      this->exchange_(data, length, now);
      break;
    case LineFault::GARBLED_REPLY:
      this->exchange_(data, length, now);
      invert();
      break;
  }
  this->disturb_(data, length, is_read);
}

void SimulatedChip::exchange_(uint8_t *data, size_t length, const Instant &now) {
  if (this->answers_(now)) {
    if (this->running_())
      this->update_results_(now);
    this->port_.exchange(data, length);
  } else {
    std::fill(data, data + length, 0xFF);
  }
}

void SimulatedChip::advance(const Instant &now) {
  if (this->in_reset_ && now.real >= this->ready_at_)
    this->finish_reset_();
  if (!this->in_reset_) {
    this->integrate_(now);
    this->follow_line_(now);
    this->settle_(now);
    this->update_checksum_(now.real);
    this->temperature_.advance(this->registers_, now.real);
  }
  this->now_ = now;
}

void SimulatedChip::brown_out(const Instant &now, double seconds) {
  this->advance(now);
  this->start_reset_(now.real + std::max(0.0, seconds) + RESET_TIME);
}

void SimulatedChip::corrupt_next_frames(unsigned frames, size_t bit) {
  this->corrupt_frames_ = frames;
  this->corrupt_bit_ = bit;
}

void SimulatedChip::fail_next_frames(LineFault fault, unsigned frames, size_t position) {
  this->fault_ = fault;
  this->fault_frames_ = frames;
  this->fault_position_ = position;
}

void SimulatedChip::upset_register(uint16_t address, uint32_t mask) {
  if (address >= ADDRESS_COUNT)
    return;
  this->registers_.store(address, this->registers_.read(address) ^ mask);
  this->restart_settling_();
  this->results_known_ = false;
  this->refresh_calibration_();
}

void SimulatedChip::rewire(const Instant &now, const FrontEnd &front_end) {
  this->advance(now);
  this->front_end_ = front_end;
  this->results_known_ = false;
  this->restart_settling_();
}

void SimulatedChip::on_register_written(uint16_t address, uint32_t value) {
  if (address < END_OF_CALIBRATION || address == address::PGA_GAIN || address == address::CHNL_DIS ||
      address == address::ACCMODE)
    this->restart_settling_();
  this->results_known_ = false;
  switch (address) {
    case address::CONFIG1:
      if ((value & bits::CONFIG1_SWRST) != 0)
        this->start_reset_(this->now_.real + RESET_TIME);
      break;
    case address::RUN:
    case address::EP_CFG:
      this->start_accumulation_();
      if (this->running_())
        this->registers_.store(address::VERSION2, VERSION2_RUNNING);
      break;
    case address::CRC_FORCE:
      this->checksum_known_ = false;
      this->checksum_at_ = this->now_.real + CHECKSUM_TIME;
      break;
    case address::TEMP_CFG:
      this->temperature_.on_register_written(this->registers_, this->now_.real);
      break;
    case address::WFB_CFG:
      this->waveform_.on_configured(this->registers_, this->line_time_ + this->line_pending_);
      break;
    default:
      break;
  }
  this->refresh_calibration_();
}

void SimulatedChip::on_register_read(uint16_t address) {
  if (this->registers_.any(address::EP_CFG, bits::EP_CFG_RD_RST_EN))
    this->accumulators_.clear_after_read(this->registers_, address);
  this->line_.on_register_read(this->registers_, address);
}

void SimulatedChip::on_waveform_read(uint16_t address, uint8_t *data, size_t length) {
  this->waveform_.read_out(this->registers_, address, data, length);
}

bool SimulatedChip::running_() const { return this->registers_.any(address::RUN, 1); }

void SimulatedChip::start_accumulation_() {
  const bool enabled = this->running_() && this->registers_.any(address::EP_CFG, bits::EP_CFG_EGY_PWR_EN);
  if (enabled && !this->accumulating_) {
    this->settled_at_ = this->now_.elapsed + power_settle_time(this->registers_.read(address::CONFIG1));
    this->accumulators_.start(this->settled_at_);
  }
  this->accumulating_ = enabled;
}

bool SimulatedChip::answers_(const Instant &now) const {
  return !this->in_reset_ && this->model_.at(now.position).measured;
}

void SimulatedChip::start_reset_(double ready_at) {
  this->in_reset_ = true;
  this->results_known_ = false;
  this->accumulating_ = false;
  this->ready_at_ = ready_at;
  this->registers_.reset();
  this->accumulators_.reset();
  this->results_.reset();
  this->restart_settling_();
  this->line_.reset();
  this->waveform_.reset();
  this->temperature_.reset();
  this->checksum_known_ = false;
  this->refresh_calibration_();
}

void SimulatedChip::finish_reset_() {
  this->in_reset_ = false;
  this->registers_.set_bits(address::STATUS1, bits::STATUS1_RSTDONE);
}

void SimulatedChip::integrate_(const Instant &now) {
  if (!this->accumulating_)
    return;
  const double from = std::max(this->now_.elapsed, this->settled_at_);
  if (from >= now.elapsed)
    return;
  const double offset = now.position - now.elapsed;
  this->accumulators_.integrate(this->registers_, from, now.elapsed,
                                [this, offset](double elapsed) -> std::optional<ThreePhaseCodes> {
                                  const Signal signal = this->model_.at(elapsed + offset);
                                  if (!signal.measured)
                                    return std::nullopt;
                                  return this->measure_(this->waves_(signal));
                                });
}

void SimulatedChip::update_results_(const Instant &now) {
  const auto is_within = [](double one, double other) { return std::abs(one - other) < SAMPLE_TIME; };
  if (this->results_known_ && is_within(now.real, this->results_at_.real) &&
      is_within(now.elapsed, this->results_at_.elapsed) && is_within(now.position, this->results_at_.position))
    return;
  this->results_at_ = now;
  this->results_known_ = true;
  const Signal signal = this->model_.at(now.position);
  const Waves waves = this->waves_(signal);
  const double turns = this->line_turns_ + this->line_pending_ * signal.frequency;
  this->target_ = this->readings_of_(waves);
  this->target_at_ = now.real;
  if (!this->settling_.is_known())
    this->settling_.follow(this->target_, 0.0);
  this->results_.update(this->registers_, waves, this->settling_.readings(), signal.frequency,
                        2.0 * std::numbers::pi * std::fmod(turns, 1.0), now);
}

void SimulatedChip::restart_settling_() {
  this->settling_.restart();
  this->target_at_ = -1.0;
}

void SimulatedChip::settle_(const Instant &now) {
  if (!this->running_())
    return;
  const double simulated = now.elapsed - this->now_.elapsed;
  const bool held = simulated <= 0.0;
  const double passed = held ? now.real - this->now_.real : simulated;
  if (passed <= 0.0)
    return;
  if (passed <= BETWEEN_FRAMES && this->now_.real - this->target_at_ < SAMPLE_TIME) {
    this->settling_.follow(this->target_, passed);
    return;
  }
  if (passed >= Settling::MEMORY)
    this->settling_.restart();
  const double span = std::min(passed, Settling::MEMORY);
  const int pieces = std::clamp(static_cast<int>(span / SETTLING_STEP), 1, SETTLING_STEPS_AT_MOST);
  const double length = span / pieces;
  for (int piece = 0; piece < pieces; piece++) {
    const double before_now = span - (piece + 0.5) * length;
    const Signal signal = this->model_.at(held ? now.position : now.position - before_now);
    if (signal.measured)
      this->settling_.follow(this->readings_of_(this->waves_(signal)), length);
  }
}

void SimulatedChip::on_burst_progress(size_t bytes) {
  const auto samples = static_cast<int>(bytes * 8 / ASSUMED_CLOCK / SAMPLE_TIME);
  if (std::exchange(this->burst_samples_, samples) == samples || samples == 0 || !this->settling_.is_known())
    return;
  Settling ahead = this->settling_;
  ahead.follow(this->target_, samples * SAMPLE_TIME);
  ResultRegisters::store_readings(this->registers_, ahead.readings());
  this->results_known_ = false;
}

void SimulatedChip::follow_line_(const Instant &now) {
  const double simulated = now.elapsed - this->now_.elapsed;
  const double real = now.real - this->now_.real;
  const bool held = simulated <= 0.0;
  this->line_pending_ += std::max(0.0, held ? real : simulated);
  const double longest = std::min(simulated, real) > SKIPPED_STRETCH
                             ? LINE_STEP
                             : std::min(std::max(real, LONGEST_STRETCH), LONGEST_CATCH_UP);
  if (this->line_pending_ > longest + LINE_STEP) {
    const double skipped = this->line_pending_ - longest;
    this->line_.skip();
    this->waveform_.skip(skipped);
    this->line_time_ += skipped;
    this->line_pending_ = longest;
  }
  while (this->line_pending_ >= LINE_STEP) {
    const Signal signal = this->model_.at(held ? now.position : now.position - this->line_pending_ + LINE_STEP / 2.0);
    const LineStep step{this->line_time_, LINE_STEP, this->line_turns_, signal.frequency};
    if (signal.measured && this->running_()) {
      const Waves waves = this->waves_(signal);
      this->line_.follow(this->registers_, step, waves);
      this->waveform_.follow(this->registers_, step, waves);
    } else {
      if (this->running_()) {
        this->line_.skip();
      } else {
        this->line_.stop();
      }
      this->waveform_.skip(LINE_STEP);
    }
    this->line_time_ += LINE_STEP;
    // An absurd frequency of a recording must not spoil the angle for ever.
    const double turned = std::isfinite(signal.frequency) ? std::fmod(signal.frequency * LINE_STEP, 1.0) : 0.0;
    this->line_turns_ += turned;
    this->line_pending_ -= LINE_STEP;
  }
}

void SimulatedChip::update_checksum_(double real_now) {
  // Assumption: it is a task of the processor that RUN stops.
  if (real_now < this->checksum_at_ || !this->running_())
    return;
  this->checksum_at_ = real_now + CHECKSUM_TIME;
  const uint16_t crc = this->registers_.configuration_crc();
  if (this->registers_.any(address::CRC_FORCE, 1)) {
    this->registers_.store(address::CRC_FORCE, 0);
    this->registers_.set_bits(address::STATUS1, bits::STATUS1_CRC_DONE);
  } else if (this->checksum_known_ && crc != this->registers_.read(address::CRC_RSLT)) {
    this->registers_.set_bits(address::STATUS1, bits::STATUS1_CRC_CHG);
  }
  this->registers_.store(address::CRC_RSLT, crc);
  this->checksum_known_ = true;
}

Waves SimulatedChip::waves_(const Signal &signal) const {
  return process_inputs(inputs_of(signal, this->front_end_), this->front_end_, this->calibration_, signal.frequency);
}

Readings SimulatedChip::readings_of_(const Waves &waves) const {
  Readings readings;
  readings.phases = this->measure_(waves);
  measure_neutral(this->registers_, waves, readings);
  return readings;
}

ThreePhaseCodes SimulatedChip::measure_(const Waves &waves) const {
  ThreePhaseCodes codes;
  for (int phase = 0; phase < PHASES; phase++)
    codes[phase] = measure_phase(waves.voltage[phase], waves.current[phase], this->calibration_.phases[phase]);
  return codes;
}

void SimulatedChip::refresh_calibration_() { this->calibration_ = Calibration::from_registers(this->registers_); }

void SimulatedChip::disturb_(uint8_t *data, size_t length, bool is_read) {
  constexpr size_t HEADER_BYTES = 2;
  if (this->corrupt_frames_ > 0 && is_read && length > HEADER_BYTES) {
    this->corrupt_frames_--;
    const size_t bit = this->corrupt_bit_ % (8 * (length - HEADER_BYTES));
    data[HEADER_BYTES + bit / 8] ^= static_cast<uint8_t>(0x80 >> (bit % 8));
  }
  if (this->miso_ != Miso::DRIVEN)
    std::fill(data, data + length, this->miso_ == Miso::STUCK_HIGH ? 0xFF : 0x00);
}

}  // namespace esphome::ade9000_simulator

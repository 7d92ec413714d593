#include "ade9000_simulator.h"

#ifdef USE_HOST

#include "esphome/components/mains_signal/house_day.h"
#include "esphome/components/mains_signal/local_time.h"
#include "esphome/components/mains_signal/recording_reader.h"

#include "esphome/core/log.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace esphome::ade9000_simulator {

using mains_signal::Disturbance;
using mains_signal::DisturbedSignal;
using mains_signal::HouseDay;
using mains_signal::Instant;
using mains_signal::local_time;
using mains_signal::LocalTime;
using mains_signal::PHASES;
using mains_signal::PlaybackClock;
using mains_signal::read_recording;
using mains_signal::Recording;
using mains_signal::Signal;

static const char *const TAG = "ade9000_simulator";

namespace {

/// Seconds of a clock that never goes back.
double steady_time() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

const char *environment(const char *name) { return std::getenv(name); }

}  // namespace

void Ade9000Simulator::setup() {
  auto settings = apply_environment(this->settings_, environment);
  if (!settings)
    this->refuse_(settings.error);
  this->settings_ = std::move(*settings.value);
  this->load_model_();
  this->clock_ = PlaybackClock(this->real_(), this->settings_.start.value_or(0.0), this->settings_.speed);
  this->loop_now_ = this->now_();
  this->chip_ = std::make_unique<SimulatedChip>(*this->model_, this->front_end_, this->loop_now_);
}

void Ade9000Simulator::load_model_() {
  if (this->settings_.recording.empty()) {
    const LocalTime now = local_time(std::time(nullptr));
    if (!this->settings_.start)
      this->settings_.start = now.second;
    this->model_ = std::make_unique<DisturbedSignal>(std::make_unique<HouseDay>(now.day));
    this->description_ = "built-in house with solar panels";
    return;
  }
  auto recording = read_recording(this->settings_.recording, this->settings_.options);
  if (!recording)
    this->refuse_(recording.error);
  char facts[96];
  snprintf(facts, sizeof(facts), " (%zu rows, %.0f s, layout ", recording.value->rows(), recording.value->duration());
  this->description_ = "recording " + this->settings_.recording + facts + recording.value->layout() + ")";
  this->model_ = std::make_unique<DisturbedSignal>(std::make_unique<Recording>(std::move(*recording.value)));
}

void Ade9000Simulator::refuse_(const std::string &sentence) const {
  ESP_LOGE(TAG, "%s", sentence.c_str());
  fprintf(stderr, "%s\n", sentence.c_str());
  fflush(stdout);
  std::exit(2);
}

void Ade9000Simulator::dump_config() {
  ESP_LOGCONFIG(TAG,
                "ADE9000 simulator:\n"
                "  Signal: %s\n"
                "  Speed: %.3g\n"
                "  Position: %.0f s\n"
                "  Voltage divider: %.2f\n"
                "  Current sensitivity: %.7f V/A",
                this->description_.c_str(), this->get_speed(), this->get_position(), this->front_end_.voltage_divider,
                this->front_end_.current_sensitivity);
}

void Ade9000Simulator::loop() { this->advance_(); }

Instant Ade9000Simulator::advance_() {
  this->loop_now_ = this->now_();
  this->chip_->advance(this->loop_now_);
  return this->loop_now_;
}

void Ade9000Simulator::transfer(uint8_t *data, size_t length) {
  if (this->chip_ == nullptr) {
    std::fill(data, data + length, 0xFF);
    return;
  }
  // Faster than real time, a frame still takes the line no longer: the frames of one loop are at one moment.
  this->chip_->transfer(data, length, this->get_speed() > 1.0 ? this->loop_now_ : this->now_());
}

double Ade9000Simulator::real_() const { return steady_time() + this->skipped_; }

Instant Ade9000Simulator::now_() const { return this->clock_.at(this->real_()); }

void Ade9000Simulator::set_speed(double speed) {
  this->advance_();
  this->clock_.set_speed(this->real_(), speed);
}

void Ade9000Simulator::seek(double position) {
  this->advance_();
  this->clock_.seek(this->real_(), position);
}

void Ade9000Simulator::skip(double seconds) {
  if (!(seconds > 0.0))
    return;
  this->clock_.skip(this->real_(), seconds);
  this->skipped_ += seconds;
  this->advance_();
}

double Ade9000Simulator::get_position() const { return this->now_().position; }

void Ade9000Simulator::brown_out(double seconds) { this->chip_->brown_out(this->advance_(), seconds); }

void Ade9000Simulator::corrupt_next_frames(unsigned frames, size_t bit) {
  this->chip_->corrupt_next_frames(frames, bit);
}

void Ade9000Simulator::fail_next_frames(int fault, int frames, int position) {
  if (fault < 0 || fault >= LINE_FAULTS || frames < 0 || position < 0) {
    ESP_LOGW(TAG, "There is no fault %d of %d frames at position %d: use a fault of 0 to %d", fault, frames, position,
             LINE_FAULTS - 1);
    return;
  }
  this->chip_->fail_next_frames(static_cast<LineFault>(fault), frames, position);
}

void Ade9000Simulator::set_miso(SimulatedChip::Miso miso) { this->chip_->set_miso(miso); }

void Ade9000Simulator::upset_register(uint16_t address, uint32_t mask) { this->chip_->upset_register(address, mask); }

void Ade9000Simulator::disturb(Disturbance disturbance, double seconds) {
  const Instant now = this->advance_();
  disturbance.from = now.position;
  disturbance.to = now.position + seconds;
  this->model_->add(disturbance);
}

void Ade9000Simulator::rewire_current(int input, int phase, double gain) {
  if (input < 0 || input >= PHASES || phase < 0 || phase >= PHASES) {
    ESP_LOGW(TAG, "There are no current pins %d or no line %d: use 0 to 2", input, phase);
    return;
  }
  FrontEnd front_end = this->chip_->front_end();
  front_end.currents[input].phase = phase;
  front_end.currents[input].gain = gain;
  this->chip_->rewire(this->advance_(), front_end);
}

void Ade9000Simulator::rewire_voltage(int input, int phase, double gain) {
  if (input < 0 || input >= PHASES || phase < 0 || phase >= PHASES) {
    ESP_LOGW(TAG, "There are no voltage pins %d or no line %d: use 0 to 2", input, phase);
    return;
  }
  FrontEnd front_end = this->chip_->front_end();
  front_end.voltages[input] = {phase, gain};
  this->chip_->rewire(this->advance_(), front_end);
}

}  // namespace esphome::ade9000_simulator

#endif  // USE_HOST

#include "grid_input.h"

#include "chip_sample.h"

#include <cmath>
#include <limits>

namespace esphome::frequency_guard {

namespace {

constexpr double NOTHING = std::numeric_limits<double>::quiet_NaN();

double state_of(const sensor::Sensor *sensor) {
  return sensor != nullptr && sensor->has_state() ? static_cast<double>(sensor->state) : NOTHING;
}

}  // namespace

void SensorInput::add_phase(sensor::Sensor *frequency, sensor::Sensor *voltage) {
  if (this->count_ < PHASES)
    this->phases_[this->count_++] = {{frequency}, {voltage}};
}

void SensorInput::setup() {
  for (size_t i = 0; i < this->count_; i++) {
    this->listen_(this->phases_[i].frequency);
    this->listen_(this->phases_[i].voltage);
  }
}

void SensorInput::listen_(Source &source) {
  if (source.sensor != nullptr)
    source.sensor->add_on_state_callback([this, &source](float) { source.fresh |= !this->forgetting_; });
}

bool SensorInput::is_silent_(const Source &source, int64_t now_ms) const {
  return now_ms - source.published_ms > this->silence_ms_;
}

void SensorInput::forget_(Source &source, int64_t now_ms) {
  if (std::isnan(state_of(source.sensor)) || !this->is_silent_(source, now_ms))
    return;
  this->forgetting_ = true;
  // Past the sensor's filters: an average would take the old values along.
  source.sensor->internal_send_state_to_frontend(NAN);
  this->forgetting_ = false;
}

bool SensorInput::read(GridSample &sample, int64_t now_ms) {
  bool told = false;
  for (size_t i = 0; i < this->count_; i++) {
    Phase &phase = this->phases_[i];
    for (Source *source : {&phase.frequency, &phase.voltage}) {
      if (!source->fresh)
        continue;
      source->fresh = false;
      source->published_ms = now_ms;
      told |= source == &phase.frequency;
    }
    // A voltage alone may be published as rarely as it likes.
    if (phase.frequency.sensor != nullptr && this->is_silent_(phase.frequency, now_ms)) {
      this->forget_(phase.frequency, now_ms);
      this->forget_(phase.voltage, now_ms);
    }
  }
  if (!told)
    return false;
  sample.time_ms = now_ms;
  sample.phases.fill({NOTHING, NOTHING});
  for (size_t i = 0; i < this->count_; i++)
    sample.phases[i] = {state_of(this->phases_[i].voltage.sensor), state_of(this->phases_[i].frequency.sensor)};
  return true;
}

#ifdef USE_ADE9000

namespace {

/// A line cycle at 50 Hz; the chip renews the periods once a cycle.
constexpr int64_t CYCLE_MS = 20;

}  // namespace

bool ChipInput::read(GridSample &sample, int64_t now_ms) {
  if (now_ms < this->next_ms_)
    return false;
  this->next_ms_ = now_ms + CYCLE_MS;
  ade9000::Ade9000Bus *bus = this->hub_->get_running_bus();
  if (bus == nullptr)
    return false;
  sample.time_ms = now_ms;
  return read_chip_sample(*bus, this->hub_->get_scaling(), this->hub_->get_own_voltage_inputs(), sample);
}

#endif  // USE_ADE9000

}  // namespace esphome::frequency_guard

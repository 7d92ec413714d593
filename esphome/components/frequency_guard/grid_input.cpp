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
    this->phases_[this->count_++] = {frequency, voltage};
}

void SensorInput::setup() {
  for (size_t i = 0; i < this->count_; i++) {
    if (this->phases_[i].frequency != nullptr)
      this->phases_[i].frequency->add_on_state_callback([this](float) { this->told_ = true; });
  }
}

bool SensorInput::read(GridSample &sample, int64_t now_ms) {
  if (!this->told_)
    return false;
  this->told_ = false;
  sample.time_ms = now_ms;
  sample.phases.fill({NOTHING, NOTHING});
  for (size_t i = 0; i < this->count_; i++)
    sample.phases[i] = {state_of(this->phases_[i].voltage), state_of(this->phases_[i].frequency)};
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
  return read_chip_sample(*bus, this->hub_->get_scaling(), sample);
}

#endif  // USE_ADE9000

}  // namespace esphome::frequency_guard

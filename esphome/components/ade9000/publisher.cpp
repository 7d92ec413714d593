#include "publisher.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

namespace esphome::ade9000 {

namespace {

constexpr Quantity FAST_QUANTITIES[] = {
    Quantity::ACTIVE_POWER, Quantity::REACTIVE_POWER,           Quantity::APPARENT_POWER,
    Quantity::FREQUENCY,    Quantity::FUNDAMENTAL_ACTIVE_POWER, Quantity::FUNDAMENTAL_REACTIVE_POWER,
};

bool is_fast(size_t quantity) {
  return std::any_of(std::begin(FAST_QUANTITIES), std::end(FAST_QUANTITIES),
                     [quantity](Quantity fast) { return static_cast<size_t>(fast) == quantity; });
}

}  // namespace

bool Publisher::has(Quantity quantity) const {
  return std::any_of(this->sensors_.begin(), this->sensors_.end(),
                     [quantity](const auto &channel) { return channel[static_cast<size_t>(quantity)] != nullptr; });
}

WantedQuantities Publisher::wanted(bool slow) const {
  WantedQuantities wanted;
  for (size_t i = 0; i < QUANTITIES; i++)
    wanted[i] = (slow || is_fast(i)) && this->has(static_cast<Quantity>(i));
  return wanted;
}

void Publisher::publish(const Snapshot &snapshot, bool slow) {
  for (size_t i = 0; i < CHANNELS; i++) {
    for (size_t quantity = 0; quantity < QUANTITIES; quantity++) {
      sensor::Sensor *sensor = this->sensors_[i][quantity];
      if (sensor != nullptr && (slow || is_fast(quantity)))
        sensor->publish_state(snapshot.at(static_cast<Channel>(i), static_cast<Quantity>(quantity)));
    }
  }
}

void Publisher::publish_diagnostics(const DiagnosticCounts &counts) {
  for (size_t i = 0; i < DIAGNOSTICS; i++) {
    sensor::Sensor *sensor = this->diagnostics_[i];
    if (sensor != nullptr && (!sensor->has_state() || sensor->get_raw_state() != counts[i]))
      sensor->publish_state(counts[i]);
  }
}

void Publisher::publish_over_range(const std::string &text) {
#ifdef USE_TEXT_SENSOR
  if (this->over_range_ != nullptr && (!this->over_range_->has_state() || this->over_range_->state != text))
    this->over_range_->publish_state(text);
#endif
}

void Publisher::publish_exact(const ActiveEnergy &energy) {
#ifdef USE_TEXT_SENSOR
  constexpr int64_t NANO_PER_MILLI = 1'000'000;
  for (size_t i = 0; i < CHANNELS; i++) {
    const auto channel = static_cast<Channel>(i);
    const int64_t totals[EXACT_ENERGIES] = {energy.get_import(channel), energy.get_export(channel)};
    for (size_t kind = 0; kind < EXACT_ENERGIES; kind++) {
      text_sensor::TextSensor *sensor = this->exact_[i][kind];
      if (sensor == nullptr)
        continue;
      char text[24];
      std::snprintf(text, sizeof(text), "%" PRId64, totals[kind] / NANO_PER_MILLI);
      if (!sensor->has_state() || sensor->state != text)
        sensor->publish_state(text);
    }
  }
#endif
}

}  // namespace esphome::ade9000

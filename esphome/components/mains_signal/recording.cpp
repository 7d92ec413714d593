#include "recording.h"

#include "recorded_phase.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace esphome::mains_signal {

namespace {

/// The harmonic of this order, which is added if it is not there.
Harmonic &of_order(Harmonics &harmonics, int order) {
  for (Harmonic &harmonic : harmonics) {
    if (harmonic.order == order)
      return harmonic;
  }
  harmonics.push_back({order, 0.0, 0.0});
  return *(harmonics.end() - 1);
}

}  // namespace

void Recording::append(double time, const std::vector<double> &values) {
  this->times_.push_back(time);
  this->values_.insert(this->values_.end(), values.begin(), values.end());
}

bool Recording::row_measured_(size_t row) const {
  for (size_t column = 0; column < this->series_.size(); column++) {
    if (std::isnan(this->value_(row, column)))
      return false;
  }
  return true;
}

size_t Recording::gaps() const {
  size_t gaps = 0;
  for (size_t row = 0; row < this->rows(); row++)
    gaps += this->row_measured_(row) ? 0 : 1;
  return gaps;
}

Signal Recording::at(double seconds) const {
  Signal signal;
  if (this->times_.empty()) {
    signal.measured = false;
    return signal;
  }
  const double time = std::clamp(this->times_.front() + seconds, this->times_.front(), this->times_.back());
  const auto later = std::upper_bound(this->times_.begin(), this->times_.end(), time);
  const auto left = static_cast<size_t>(later - this->times_.begin()) - 1;
  // On a row exactly, that row alone counts.
  const size_t right = time > this->times_[left] ? left + 1 : left;
  if (!this->row_measured_(left) || !this->row_measured_(right)) {
    signal.measured = false;
    return signal;
  }
  const double weight = right == left ? 0.0 : (time - this->times_[left]) / (this->times_[right] - this->times_[left]);

  std::array<RecordedPhase, PHASES> phases;
  for (size_t column = 0; column < this->series_.size(); column++) {
    const double value = std::lerp(this->value_(left, column), this->value_(right, column), weight);
    const Series series = series_at(this->series_[column]);
    switch (series.quantity) {
      case FREQUENCY:
        signal.frequency = value;
        break;
      case VOLTAGE:
        phases[series.phase].voltage = value;
        break;
      case CURRENT:
        phases[series.phase].current = value;
        break;
      case ACTIVE_POWER:
        phases[series.phase].active_power = value;
        break;
      case REACTIVE_POWER:
        phases[series.phase].reactive_power = value;
        break;
      case VOLTAGE_ANGLE:
        phases[series.phase].voltage_angle = value;
        break;
      case VOLTAGE_HARMONIC:
        of_order(phases[series.phase].voltage_harmonics, series.order).ratio = value / 100.0;
        break;
      case VOLTAGE_HARMONIC_ANGLE:
        of_order(phases[series.phase].voltage_harmonics, series.order).angle = value * std::numbers::pi / 180.0;
        break;
      case CURRENT_HARMONIC:
        of_order(phases[series.phase].current_harmonics, series.order).ratio = value / 100.0;
        break;
      case CURRENT_HARMONIC_ANGLE:
        of_order(phases[series.phase].current_harmonics, series.order).angle = value * std::numbers::pi / 180.0;
        break;
      case QUANTITIES:
        break;
    }
  }
  for (int phase = 0; phase < PHASES; phase++)
    signal.phases[phase] = reconstruct_phase(phases[phase]);
  return signal;
}

}  // namespace esphome::mains_signal

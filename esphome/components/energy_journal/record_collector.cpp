#include "record_collector.h"

#include <cmath>

namespace esphome::energy_journal {

namespace {

constexpr double WATT = 1.0;
constexpr double MILLIHERTZ = 0.001;
/// No reading in any unit is greater; what is comes from an error.
constexpr double GREATEST = 1e9;

}  // namespace

void RecordCollector::Mean::add(float value, double step) {
  if (!(std::abs(value) < GREATEST))
    return;
  const auto steps = static_cast<int32_t>(std::lround(value / step));
  this->sum += steps;
  this->count++;
  this->extremes.add(steps);
}

Summary RecordCollector::Mean::summary() const {
  if (this->count == 0)
    return {};
  const double mean = static_cast<double>(this->sum) / this->count;
  return {static_cast<int32_t>(std::lround(mean)), this->extremes};
}

void RecordCollector::begin(uint32_t uptime) {
  this->begin_ = uptime;
  this->flags_ = 0;
  this->power_ = {};
  this->voltage_ = {};
  this->frequency_ = {};
}

void RecordCollector::add_power(size_t channel, float watts) { this->power_[channel].add(watts, WATT); }

void RecordCollector::add_voltage(size_t phase, float volts) { this->voltage_[phase].add(volts, VOLTAGE_STEP); }

void RecordCollector::add_frequency(float hertz) { this->frequency_.add(hertz, MILLIHERTZ); }

bool RecordCollector::is_due(uint32_t uptime, std::optional<uint32_t> boot) const {
  const uint64_t offset = boot.value_or(0);
  return (offset + uptime) / this->interval_ > (offset + this->begin_) / this->interval_;
}

JournalRecord RecordCollector::finish(uint32_t uptime) {
  JournalRecord record;
  record.span = uptime - this->begin_;
  record.flags = this->flags_;
  for (size_t i = 0; i < CHANNELS; i++)
    record.power[i] = this->power_[i].extremes;
  for (size_t i = 0; i < PHASES; i++)
    record.voltage[i] = this->voltage_[i].summary();
  record.frequency = this->frequency_.summary();
  this->begin(uptime);
  return record;
}

}  // namespace esphome::energy_journal

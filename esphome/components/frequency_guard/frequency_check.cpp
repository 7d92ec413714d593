#include "frequency_check.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace esphome::frequency_guard {

static CheckedFrequency invalid(GuardReason reason) {
  return {Trust::INVALID, std::numeric_limits<double>::quiet_NaN(), reason};
}

CheckedFrequency FrequencyCheck::combine_(const GridSample &sample) const {
  std::array<double, PHASES> found;
  size_t count = 0;
  bool measured = false;
  bool live = false;
  for (const PhaseSample &phase : sample.phases) {
    measured |= std::isfinite(phase.voltage);
    const double ratio = phase.voltage / this->limits_.nominal_voltage;
    if (!(ratio >= this->limits_.minimum_voltage && ratio <= this->limits_.maximum_voltage))
      continue;
    live = true;
    if (std::isfinite(phase.frequency))
      found[count++] = phase.frequency;
  }
  if (!measured)
    return invalid(GuardReason::SILENT);
  if (!live)
    return invalid(GuardReason::NO_VOLTAGE);
  if (count == 0)
    return invalid(GuardReason::NO_FREQUENCY);
  std::sort(found.begin(), found.begin() + count);
  if (std::abs(found[0] - this->nominal_) > this->limits_.maximum_deviation ||
      std::abs(found[count - 1] - this->nominal_) > this->limits_.maximum_deviation)
    return invalid(GuardReason::OUT_OF_RANGE);
  if (found[count - 1] - found[0] > this->limits_.maximum_disagreement)
    return invalid(GuardReason::PHASES_DISAGREE);
  const double median = count == 2 ? (found[0] + found[1]) / 2 : found[count / 2];
  return {Trust::SUSPECT, median, GuardReason::START};
}

CheckedFrequency FrequencyCheck::check(const GridSample &sample) {
  CheckedFrequency checked = this->combine_(sample);
  if (checked.trust == Trust::INVALID)
    return checked;
  if (!this->known_) {
    this->known_ = true;
    this->reference_ = checked.hertz;
    this->reference_ms_ = sample.time_ms;
    return checked;
  }
  const double seconds = (sample.time_ms - this->reference_ms_) / 1000.0;
  const double reach = this->limits_.maximum_rate * seconds + this->limits_.jump;
  if (std::abs(checked.hertz - this->reference_) > reach)
    return checked;
  checked.trust = Trust::BELIEVED;
  this->reference_ = checked.hertz;
  this->reference_ms_ = sample.time_ms;
  return checked;
}

}  // namespace esphome::frequency_guard

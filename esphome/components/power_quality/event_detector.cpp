#include "event_detector.h"

#include <algorithm>
#include <cmath>

namespace esphome::power_quality {

const char *power_quality_kind_name(PowerQualityKind kind) {
  switch (kind) {
    case PowerQualityKind::DIP:
      return "dip";
    case PowerQualityKind::SWELL:
      return "swell";
    case PowerQualityKind::INTERRUPTION:
      return "interruption";
    case PowerQualityKind::PHASE_LOSS:
      return "phase_loss";
    case PowerQualityKind::OVERCURRENT:
      return "overcurrent";
    case PowerQualityKind::WRONG_SEQUENCE:
      return "wrong_sequence";
    case PowerQualityKind::VOLTAGE_OVER_RANGE:
    case PowerQualityKind::CURRENT_OVER_RANGE:
      return "over_range";
  }
  return "unknown";
}

void EventDetector::add(const HalfCycle &half_cycle) {
  const auto &limits = this->limits_;
  const double hysteresis = limits.hysteresis * limits.nominal_voltage;
  const double dip_voltage = limits.dip * limits.nominal_voltage;
  const double swell_voltage = limits.swell * limits.nominal_voltage;
  const Threshold dip{Side::LOWER, dip_voltage, dip_voltage + hysteresis};
  const Threshold swell{Side::UPPER, swell_voltage, swell_voltage - hysteresis};
  const Threshold overcurrent{Side::UPPER, limits.overcurrent, limits.overcurrent * (1 - limits.hysteresis)};
  const int64_t now = half_cycle.time_us;
  this->now_us_ = now;
  for (uint8_t phase = 0; phase < 3; phase++) {
    if (!this->connected_(phase))
      continue;
    const float voltage = half_cycle.voltage[phase], current = half_cycle.current[phase];
    if (std::isfinite(voltage)) {
      this->compare_(this->dips_[phase], {PowerQualityKind::DIP, phase}, dip, voltage, now);
      this->compare_(this->swells_[phase], {PowerQualityKind::SWELL, phase}, swell, voltage, now);
    }
    if (std::isfinite(current) && limits.overcurrent > 0)
      this->compare_(this->overcurrents_[phase], {PowerQualityKind::OVERCURRENT, phase}, overcurrent, current, now);
  }
  this->classify_(half_cycle);
  this->has_sequence_ = limits.sequence && limits.phases == 0b111 &&
                        std::all_of(half_cycle.voltage.begin(), half_cycle.voltage.end(), [&limits](float voltage) {
                          return voltage >= limits.sequence_voltage * limits.nominal_voltage;
                        });
  if (!this->has_sequence_)
    this->first_sequence_error_us_.reset();
  if (this->sequence_.active && now - this->last_sequence_error_us_ > limits.sequence_hold_us)
    this->end_(this->sequence_, this->last_sequence_error_us_);
}

void EventDetector::Tracker::extend(Side side, float value) {
  float &extreme = this->event.extreme;
  extreme = side == Side::LOWER ? std::min(extreme, value) : std::max(extreme, value);
}

void EventDetector::compare_(Tracker &tracker, const Subject &subject, const Threshold &threshold, float value,
                             int64_t time_us) {
  if (!tracker.active) {
    if (threshold.is_crossed(value))
      this->begin_(tracker, subject, value, time_us);
    return;
  }
  if (threshold.is_left(value)) {
    this->end_(tracker, time_us);
    return;
  }
  tracker.extend(threshold.side, value);
}

void EventDetector::begin_(Tracker &tracker, const Subject &subject, float value, int64_t time_us) {
  tracker.active = true;
  tracker.event = {++this->started_, subject.kind, subject.phase, false, time_us, 0, value};
}

void EventDetector::end_(Tracker &tracker, int64_t time_us) {
  tracker.event.duration_us = time_us - tracker.event.start_us;
  this->push_(tracker.event);
  tracker.active = false;
  tracker.ended_since_flags = true;
}

void EventDetector::classify_(const HalfCycle &half_cycle) {
  const double threshold = this->limits_.interruption * this->limits_.nominal_voltage;
  bool any = false, all = true;
  std::array<bool, 3> dead{};
  for (size_t phase = 0; phase < 3; phase++) {
    if (!this->connected_(phase))
      continue;
    dead[phase] = half_cycle.voltage[phase] < threshold;
    any = any || dead[phase];
    all = all && dead[phase];
  }
  if (!any)
    return;
  for (size_t phase = 0; phase < 3; phase++) {
    if (!dead[phase] || !this->dips_[phase].active)
      continue;
    PowerQualityKind &kind = this->dips_[phase].event.kind;
    if (all) {
      kind = PowerQualityKind::INTERRUPTION;
    } else if (kind == PowerQualityKind::DIP) {
      kind = PowerQualityKind::PHASE_LOSS;
    }
  }
}

void EventDetector::add(const LatchedFlags &flags, int64_t time_us) {
  for (uint8_t phase = 0; phase < 3; phase++) {
    if (!this->connected_(phase))
      continue;
    Tracker &dip = this->dips_[phase], &swell = this->swells_[phase], &overcurrent = this->overcurrents_[phase];
    if ((flags.dips >> phase) & 1)
      this->add_latched_(dip, {PowerQualityKind::DIP, phase}, Side::LOWER, flags.lowest[phase], time_us);
    if ((flags.swells >> phase) & 1)
      this->add_latched_(swell, {PowerQualityKind::SWELL, phase}, Side::UPPER, flags.highest[phase], time_us);
    if (((flags.overcurrents >> phase) & 1) && this->limits_.overcurrent > 0) {
      this->add_latched_(overcurrent, {PowerQualityKind::OVERCURRENT, phase}, Side::UPPER, flags.currents[phase],
                         time_us);
    }
    dip.ended_since_flags = swell.ended_since_flags = overcurrent.ended_since_flags = false;
  }
  const double missing = this->limits_.sequence_voltage * this->limits_.nominal_voltage;
  for (size_t phase = 0; phase < 3; phase++) {
    // A phase that was missing in between, and is back.
    if (((flags.dips >> phase) & 1) && !(flags.lowest[phase] >= missing))
      this->has_sequence_ = false;
  }
  if (flags.wrong_sequence)
    this->add_sequence_error_(time_us);
  this->flags_us_ = time_us;
}

void EventDetector::add(const OverRange &range, int64_t time_us) {
  this->now_us_ = std::max(this->now_us_, time_us);
  for (uint8_t phase = 0; phase < 3; phase++) {
    if (!this->connected_(phase))
      continue;
    this->follow_range_(this->voltages_over_range_[phase], {PowerQualityKind::VOLTAGE_OVER_RANGE, phase},
                        (range.voltages >> phase & 1) != 0, range.voltage[phase], range, time_us);
    this->follow_range_(this->currents_over_range_[phase], {PowerQualityKind::CURRENT_OVER_RANGE, phase},
                        (range.currents >> phase & 1) != 0, range.current[phase], range, time_us);
  }
}

void EventDetector::follow_range_(Tracker &tracker, const Subject &subject, bool over, float highest,
                                  const OverRange &range, int64_t time_us) {
  if (over && tracker.active) {
    tracker.extend(Side::UPPER, highest);
  } else if (over) {
    this->begin_(tracker, subject, highest, time_us);
  } else if (tracker.active) {
    this->end_(tracker, std::max(tracker.event.start_us, time_us - range.hold_us));
  }
}

void EventDetector::add_sequence_error_(int64_t time_us) {
  if (!this->has_sequence_) {
    this->first_sequence_error_us_.reset();
    return;
  }
  const bool goes_on = this->first_sequence_error_us_.has_value() &&
                       time_us - this->last_sequence_error_us_ <= this->limits_.sequence_hold_us;
  if (!goes_on)
    this->first_sequence_error_us_ = time_us;
  this->last_sequence_error_us_ = time_us;
  if (!this->sequence_.active && time_us - *this->first_sequence_error_us_ >= this->limits_.sequence_confirmation_us) {
    this->begin_(this->sequence_, {PowerQualityKind::WRONG_SEQUENCE, NO_PHASE}, 0, *this->first_sequence_error_us_);
  }
}

void EventDetector::add_latched_(Tracker &tracker, const Subject &subject, Side side, float value, int64_t time_us) {
  if (tracker.active) {
    // The chip has measured every half cycle of the event, also those between two readings.
    if (std::isfinite(value))
      tracker.extend(side, value);
    return;
  }
  if (tracker.ended_since_flags)
    return;
  this->push_({++this->started_, subject.kind, subject.phase, true, this->flags_us_, time_us - this->flags_us_, value});
}

void EventDetector::push_(const PowerQualityEvent &event) {
  if (this->count_ == QUEUE_SIZE) {
    this->first_ = (this->first_ + 1) % QUEUE_SIZE;
    this->count_--;
    this->lost_++;
  }
  this->queue_[(this->first_ + this->count_++) % QUEUE_SIZE] = event;
}

bool EventDetector::pop(PowerQualityEvent &event) {
  if (this->count_ == 0)
    return false;
  event = this->queue_[this->first_];
  this->first_ = (this->first_ + 1) % QUEUE_SIZE;
  this->count_--;
  return true;
}

size_t EventDetector::ongoing(std::array<PowerQualityEvent, MAX_ONGOING> &events) const {
  size_t count = 0;
  const auto append = [&](const Tracker &tracker) {
    if (!tracker.active)
      return;
    events[count] = tracker.event;
    events[count++].duration_us = this->now_us_ - tracker.event.start_us;
  };
  for (size_t phase = 0; phase < 3; phase++) {
    append(this->dips_[phase]);
    append(this->swells_[phase]);
    append(this->overcurrents_[phase]);
    append(this->voltages_over_range_[phase]);
    append(this->currents_over_range_[phase]);
  }
  append(this->sequence_);
  return count;
}

}  // namespace esphome::power_quality

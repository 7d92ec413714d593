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
  }
  return "unknown";
}

void EventDetector::add(const HalfCycle &half_cycle) {
  const auto &limits = this->limits_;
  const double hysteresis = limits.hysteresis * limits.nominal_voltage;
  const double dip = limits.dip * limits.nominal_voltage;
  const double swell = limits.swell * limits.nominal_voltage;
  const int64_t now = half_cycle.time_us;
  this->now_us_ = now;
  for (uint8_t phase = 0; phase < 3; phase++) {
    if (!this->connected_(phase))
      continue;
    const float voltage = half_cycle.voltage[phase], current = half_cycle.current[phase];
    if (std::isfinite(voltage)) {
      this->watch_(this->low_[phase], PowerQualityKind::DIP, phase, voltage < dip, voltage >= dip + hysteresis, voltage,
                   true, now);
      this->watch_(this->high_[phase], PowerQualityKind::SWELL, phase, voltage > swell, voltage <= swell - hysteresis,
                   voltage, false, now);
    }
    if (std::isfinite(current) && limits.overcurrent > 0) {
      this->watch_(this->current_[phase], PowerQualityKind::OVERCURRENT, phase, current > limits.overcurrent,
                   current <= limits.overcurrent * (1 - limits.hysteresis), current, false, now);
    }
  }
  this->classify_(half_cycle);
  if (this->sequence_.active && now - this->last_complaint_us_ > limits.sequence_hold_us)
    this->end_(this->sequence_, this->last_complaint_us_);
}

void EventDetector::watch_(Watch &watch, PowerQualityKind kind, uint8_t phase, bool begins, bool ends, float value,
                           bool lower, int64_t time_us) {
  if (!watch.active) {
    if (begins)
      this->begin_(watch, kind, phase, value, time_us);
    return;
  }
  if (ends) {
    this->end_(watch, time_us);
    return;
  }
  watch.event.extreme = lower ? std::min(watch.event.extreme, value) : std::max(watch.event.extreme, value);
}

void EventDetector::begin_(Watch &watch, PowerQualityKind kind, uint8_t phase, float value, int64_t time_us) {
  watch.active = true;
  watch.event = {++this->started_, kind, phase, false, time_us, 0, value};
}

void EventDetector::end_(Watch &watch, int64_t time_us) {
  watch.event.duration_us = time_us - watch.event.start_us;
  this->push_(watch.event);
  watch.active = false;
  watch.seen = true;
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
    if (!dead[phase] || !this->low_[phase].active)
      continue;
    PowerQualityKind &kind = this->low_[phase].event.kind;
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
    if ((flags.dips >> phase) & 1)
      this->add_missed_(this->low_[phase], PowerQualityKind::DIP, phase, flags.lowest[phase], time_us);
    if ((flags.swells >> phase) & 1)
      this->add_missed_(this->high_[phase], PowerQualityKind::SWELL, phase, flags.highest[phase], time_us);
    if (((flags.overcurrents >> phase) & 1) && this->limits_.overcurrent > 0)
      this->add_missed_(this->current_[phase], PowerQualityKind::OVERCURRENT, phase, flags.currents[phase], time_us);
    this->low_[phase].seen = this->high_[phase].seen = this->current_[phase].seen = false;
  }
  if (flags.wrong_sequence) {
    this->last_complaint_us_ = time_us;
    if (!this->sequence_.active)
      this->begin_(this->sequence_, PowerQualityKind::WRONG_SEQUENCE, NO_PHASE, 0, time_us);
  }
  this->flags_us_ = time_us;
}

void EventDetector::add_missed_(Watch &watch, PowerQualityKind kind, uint8_t phase, float value, int64_t time_us) {
  const bool lower = kind == PowerQualityKind::DIP;
  if (watch.active) {
    // The chip saw every half cycle of it.
    if (std::isfinite(value))
      watch.event.extreme = lower ? std::min(watch.event.extreme, value) : std::max(watch.event.extreme, value);
    return;
  }
  if (watch.seen)
    return;
  this->push_({++this->started_, kind, phase, true, this->flags_us_, time_us - this->flags_us_, value});
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
  const auto take = [&](const Watch &watch) {
    if (!watch.active)
      return;
    events[count] = watch.event;
    events[count++].duration_us = this->now_us_ - watch.event.start_us;
  };
  for (size_t phase = 0; phase < 3; phase++) {
    take(this->low_[phase]);
    take(this->high_[phase]);
    take(this->current_[phase]);
  }
  take(this->sequence_);
  return count;
}

}  // namespace esphome::power_quality

#include "playback_clock.h"

#include <algorithm>
#include <cmath>

namespace esphome::mains_signal {

PlaybackClock::PlaybackClock(double real_now, double position, double speed) {
  this->anchor_.real = real_now;
  this->seek(real_now, position);
  this->set_speed(real_now, speed);
}

Instant PlaybackClock::at(double real_now) const {
  const double passed = std::max(0.0, real_now - this->anchor_.real) * this->speed_;
  return {std::max(real_now, this->anchor_.real), this->anchor_.elapsed + passed, this->anchor_.position + passed};
}

void PlaybackClock::set_speed(double real_now, double speed) {
  if (std::isnan(speed))
    return;
  this->anchor_ = this->at(real_now);
  this->speed_ = std::clamp(speed, 0.0, MAXIMUM_SPEED);
}

void PlaybackClock::seek(double real_now, double position) {
  if (std::isnan(position))
    return;
  this->anchor_ = this->at(real_now);
  this->anchor_.position = std::clamp(position, 0.0, MAXIMUM_POSITION);
}

void PlaybackClock::skip(double real_now, double seconds) {
  if (!(seconds > 0.0))
    return;
  this->anchor_ = this->at(real_now);
  this->anchor_.real += seconds;
  this->anchor_.elapsed += seconds;
  this->anchor_.position = std::min(this->anchor_.position + seconds, MAXIMUM_POSITION);
}

}  // namespace esphome::mains_signal

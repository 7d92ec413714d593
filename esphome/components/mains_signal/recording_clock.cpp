#include "recording_clock.h"

#include <cmath>
#include <cstdint>

namespace esphome::mains_signal {

namespace {

constexpr double HOUR = 3600.0;
constexpr double DAY = 24.0 * HOUR;

/// Whether clocks may be put back on this day: autumn of either half of the Earth.
bool is_autumn(int month) { return month == 3 || month == 4 || (month >= 9 && month <= 11); }

/// Whether a moment lies in the first hours of a Sunday, in which clocks are put back wherever they are.
bool is_early_on_sunday(double seconds) {
  const auto day = static_cast<int64_t>(std::floor(seconds / DAY));
  // 1970-01-01 was a Thursday.
  return (day % 7 + 7 + 4) % 7 == 0 && seconds - static_cast<double>(day) * DAY < 5.0 * HOUR;
}

const char *scale_name(TimeScale scale) {
  switch (scale) {
    case TimeScale::COUNT:
      return "a number";
    case TimeScale::WALL_CLOCK:
      return "a date without an offset";
    case TimeScale::UTC:
      return "a date with an offset";
  }
  return "";
}

}  // namespace

Outcome<double> RecordingClock::next(const std::string &text) {
  using Result = Outcome<double>;
  const auto time = parse_recording_time(text, this->order_);
  if (!time && is_slash_date(text) && this->order_ == SlashOrder::UNKNOWN)
    return Result::failure("'" + text +
                           "' may be a day of either of two months, and no other row tells which; write dates as "
                           "2025-04-28 or 28.04.2025");
  if (!time)
    return Result::failure("'" + text + "' is not a time; write " + std::string(TIME_FORMATS));
  if (!this->before_) {
    this->seconds_before_ = time->seconds;
  } else {
    if (time->scale != this->before_->scale)
      return Result::failure("'" + text + "' is " + scale_name(time->scale) + " and '" + this->text_before_ +
                             "' of the row before " + scale_name(this->before_->scale) +
                             "; write all times in the same form");
    double seconds = time->seconds + this->put_back_;
    if (!(seconds > this->seconds_before_)) {
      const auto hour = this->repeated_hour_(*time);
      if (!hour)
        return this->refuse_(text, *time);
      this->put_back_ += *hour;
      seconds += *hour;
    }
    this->step_ = seconds - this->seconds_before_;
    this->seconds_before_ = seconds;
  }
  this->before_ = time;
  this->text_before_ = text;
  return Result::of(this->seconds_before_);
}

std::optional<double> RecordingClock::repeated_hour_(const RecordingTime &time) const {
  if (time.scale != TimeScale::WALL_CLOCK || !is_autumn(time.month) || !is_early_on_sunday(time.seconds + HOUR))
    return std::nullopt;
  const double step = time.seconds + this->put_back_ + HOUR - this->seconds_before_;
  // A repeated row, too, goes back by less than an hour; but the hour would then be a gap between the rows.
  if (!(step > 0.0 && step <= 1.5 * this->step_))
    return std::nullopt;
  return HOUR;
}

Outcome<double> RecordingClock::refuse_(const std::string &text, const RecordingTime &time) const {
  std::string advice = "sort the rows by time and remove repeated ones";
  if (time.scale == TimeScale::WALL_CLOCK && is_autumn(time.month) && is_early_on_sunday(time.seconds + HOUR))
    advice +=
        "; if the clock was put back between them, write times with their offset such as 2025-10-26T02:00:00+01:00";
  return Outcome<double>::failure("the time '" + text + "' is not later than '" + this->text_before_ +
                                  "' of the row before; " + advice);
}

}  // namespace esphome::mains_signal

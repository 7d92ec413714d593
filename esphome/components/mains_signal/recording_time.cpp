#include "recording_time.h"

#include "civil_date.h"
#include "text.h"

#include <cmath>

namespace esphome::mains_signal {

namespace {

constexpr std::string_view MONTHS[12] = {"jan", "feb", "mar", "apr", "may", "jun",
                                         "jul", "aug", "sep", "oct", "nov", "dec"};

/// Reads a date or time from left to right; every step fails for good after the first that does not fit.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text) {}

  bool ok() const { return this->ok_; }
  bool at_end() const { return this->rest_.empty(); }

  int digits(size_t count) {
    int value = 0;
    for (size_t i = 0; i < count; i++) {
      if (i >= this->rest_.size() || !is_digit(this->rest_[i]))
        return this->fail_();
      value = value * 10 + (this->rest_[i] - '0');
    }
    this->rest_.remove_prefix(count);
    return value;
  }

  void symbol(std::string_view any_of) {
    if (this->rest_.empty() || any_of.find(this->rest_.front()) == std::string_view::npos) {
      this->fail_();
      return;
    }
    this->rest_.remove_prefix(1);
  }

  /// Takes the symbol if it is there.
  bool optional_symbol(char symbol) {
    if (!this->ok_ || this->rest_.empty() || this->rest_.front() != symbol)
      return false;
    this->rest_.remove_prefix(1);
    return true;
  }

  int month_name() {
    if (this->rest_.size() < 3)
      return this->fail_();
    const std::string name = lower_case(this->rest_.substr(0, 3));
    this->rest_.remove_prefix(3);
    for (int month = 0; month < 12; month++) {
      if (MONTHS[month] == name)
        return month + 1;
    }
    return this->fail_();
  }

  /// Takes as many digits as there are, 1 or 2.
  int one_or_two_digits() {
    const bool two = this->rest_.size() >= 2 && is_digit(this->rest_[1]);
    return this->digits(two ? 2 : 1);
  }

  /// Reads H[H]:MM[:SS[.fff]] and returns the seconds since midnight.
  double time_of_day() {
    const int hour = this->one_or_two_digits();
    this->symbol(":");
    const int minute = this->digits(2);
    double second = this->optional_symbol(':') ? this->digits(2) + this->fraction_() : 0.0;
    if (hour > 23 || minute > 59 || second >= 60.0)
      this->fail_();
    return hour * 3600.0 + minute * 60.0 + second;
  }

  /// Reads Z, +HH, +HHMM or +HH:MM and returns the seconds by which the clock is ahead of UTC; nothing without any.
  std::optional<double> offset() {
    if (this->optional_symbol('Z'))
      return 0.0;
    if (this->at_end() || (this->rest_.front() != '+' && this->rest_.front() != '-'))
      return std::nullopt;
    const double sign = this->rest_.front() == '+' ? 1.0 : -1.0;
    this->rest_.remove_prefix(1);
    const int hours = this->digits(2);
    this->optional_symbol(':');
    const int minutes = this->at_end() ? 0 : this->digits(2);
    // Clocks are 12 h behind to 14 h ahead of UTC.
    if (hours > 14 || minutes > 59)
      this->fail_();
    return sign * (hours * 3600.0 + minutes * 60.0);
  }

 protected:
  int fail_() {
    this->ok_ = false;
    this->rest_ = {};
    return 0;
  }

  double fraction_() {
    if (!this->optional_symbol('.') && !this->optional_symbol(','))
      return 0.0;
    if (this->rest_.empty() || !is_digit(this->rest_.front()))
      this->fail_();
    double fraction = 0.0;
    for (double weight = 0.1; !this->rest_.empty() && is_digit(this->rest_.front()); weight /= 10.0) {
      fraction += weight * (this->rest_.front() - '0');
      this->rest_.remove_prefix(1);
    }
    return fraction;
  }

  std::string_view rest_;
  bool ok_{true};
};

/// Reads what follows the date, and returns the moment; nothing where there is none.
std::optional<RecordingTime> moment(TimeReader &reader, int year, int month, int day, std::string_view before_time) {
  reader.symbol(before_time);
  const double time_of_day = reader.time_of_day();
  const std::optional<double> offset = reader.offset();
  if (!reader.ok() || !reader.at_end() || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
    return std::nullopt;
  const double seconds = static_cast<double>(days_from_civil(year, month, day)) * 86400.0 + time_of_day;
  return RecordingTime{seconds - offset.value_or(0.0), offset ? TimeScale::UTC : TimeScale::WALL_CLOCK, month};
}

/// Reads YYYY-MM-DD[T ]time.
std::optional<RecordingTime> parse_iso(std::string_view text) {
  TimeReader reader(text);
  const int year = reader.digits(4);
  reader.symbol("-");
  const int month = reader.digits(2);
  reader.symbol("-");
  const int day = reader.digits(2);
  return moment(reader, year, month, day, "T ");
}

/// Reads D[D]-Mon-YYYY time.
std::optional<RecordingTime> parse_named_month(std::string_view text) {
  TimeReader reader(text);
  const int day = reader.one_or_two_digits();
  reader.symbol("-");
  const int month = reader.month_name();
  reader.symbol("-");
  const int year = reader.digits(4);
  return moment(reader, year, month, day, " ");
}

/// Reads D[D].M[M].YYYY time; with dots the day is first everywhere.
std::optional<RecordingTime> parse_dots(std::string_view text) {
  TimeReader reader(text);
  const int day = reader.one_or_two_digits();
  reader.symbol(".");
  const int month = reader.one_or_two_digits();
  reader.symbol(".");
  const int year = reader.digits(4);
  return moment(reader, year, month, day, " ");
}

/// Reads a date with slashes and its time.
std::optional<RecordingTime> parse_slashes(std::string_view text, SlashOrder order) {
  if (order == SlashOrder::UNKNOWN)
    return std::nullopt;
  TimeReader reader(text);
  const int first = reader.one_or_two_digits();
  reader.symbol("/");
  const int second = reader.one_or_two_digits();
  reader.symbol("/");
  const int year = reader.digits(4);
  const bool day_first = order == SlashOrder::DAY_FIRST;
  return moment(reader, year, day_first ? second : first, day_first ? first : second, " ");
}

/// Returns seconds; a count that is too great for its unit is in the next finer unit.
double seconds_of_count(double count) {
  if (count >= 1e17)
    return count / 1e9;
  if (count >= 1e14)
    return count / 1e6;
  return count >= 1e11 ? count / 1e3 : count;
}

}  // namespace

std::optional<RecordingTime> parse_recording_time(std::string_view text, SlashOrder order) {
  if (const auto count = parse_number(text)) {
    // Beyond the year 5000 even in nanoseconds, or no number at all.
    if (!(std::fabs(*count) < 1e20))
      return std::nullopt;
    return RecordingTime{seconds_of_count(*count), TimeScale::COUNT, 0};
  }
  for (const auto parse : {parse_iso, parse_named_month, parse_dots}) {
    if (const auto time = parse(text))
      return time;
  }
  return parse_slashes(text, order);
}

bool is_slash_date(std::string_view text) {
  TimeReader reader(text);
  reader.one_or_two_digits();
  reader.symbol("/");
  reader.one_or_two_digits();
  reader.symbol("/");
  return reader.ok();
}

SlashOrder find_slash_order(std::string_view text) {
  const bool day_first = parse_slashes(text, SlashOrder::DAY_FIRST).has_value();
  const bool month_first = parse_slashes(text, SlashOrder::MONTH_FIRST).has_value();
  if (day_first == month_first)
    return SlashOrder::UNKNOWN;
  return day_first ? SlashOrder::DAY_FIRST : SlashOrder::MONTH_FIRST;
}

}  // namespace esphome::mains_signal

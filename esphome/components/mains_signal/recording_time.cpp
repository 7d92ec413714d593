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

  /// HH:MM:SS[.fff], to the end but for a Z.
  double time_of_day() {
    const int hour = this->digits(2);
    this->symbol(":");
    const int minute = this->digits(2);
    this->symbol(":");
    double second = this->digits(2);
    if (this->optional_symbol('.')) {
      double weight = 0.1;
      if (this->rest_.empty() || !is_digit(this->rest_.front()))
        this->fail_();
      while (!this->rest_.empty() && is_digit(this->rest_.front())) {
        second += weight * (this->rest_.front() - '0');
        weight /= 10.0;
        this->rest_.remove_prefix(1);
      }
    }
    if (hour > 23 || minute > 59 || second >= 60.0)
      this->fail_();
    return hour * 3600.0 + minute * 60.0 + second;
  }

 protected:
  int fail_() {
    this->ok_ = false;
    this->rest_ = {};
    return 0;
  }

  std::string_view rest_;
  bool ok_{true};
};

std::optional<double> moment(const TimeReader &reader, int year, int month, int day, double time_of_day) {
  if (!reader.ok() || !reader.at_end() || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
    return std::nullopt;
  return static_cast<double>(days_from_civil(year, month, day)) * 86400.0 + time_of_day;
}

/// YYYY-MM-DD[T ]HH:MM:SS[.fff][Z]
std::optional<double> parse_iso(std::string_view text) {
  TimeReader reader(text);
  const int year = reader.digits(4);
  reader.symbol("-");
  const int month = reader.digits(2);
  reader.symbol("-");
  const int day = reader.digits(2);
  reader.symbol("T ");
  const double time_of_day = reader.time_of_day();
  reader.optional_symbol('Z');
  return moment(reader, year, month, day, time_of_day);
}

/// DD-Mon-YYYY HH:MM:SS
std::optional<double> parse_named_month(std::string_view text) {
  TimeReader reader(text);
  const int day = reader.digits(2);
  reader.symbol("-");
  const int month = reader.month_name();
  reader.symbol("-");
  const int year = reader.digits(4);
  reader.symbol(" ");
  const double time_of_day = reader.time_of_day();
  return moment(reader, year, month, day, time_of_day);
}

/// D[D]/M[M]/YYYY HH:MM:SS, day first
std::optional<double> parse_slashes(std::string_view text) {
  const size_t first = text.find('/');
  const size_t second = first == std::string_view::npos ? first : text.find('/', first + 1);
  if (second == std::string_view::npos || first < 1 || first > 2 || second - first < 2 || second - first > 3)
    return std::nullopt;
  TimeReader reader(text);
  const int day = reader.digits(first);
  reader.symbol("/");
  const int month = reader.digits(second - first - 1);
  reader.symbol("/");
  const int year = reader.digits(4);
  reader.symbol(" ");
  const double time_of_day = reader.time_of_day();
  return moment(reader, year, month, day, time_of_day);
}

}  // namespace

std::optional<double> parse_recording_time(std::string_view text) {
  if (const auto seconds = parse_number(text))
    return std::isfinite(*seconds) ? seconds : std::nullopt;
  for (const auto parse : {parse_iso, parse_named_month, parse_slashes}) {
    if (const auto seconds = parse(text))
      return seconds;
  }
  return std::nullopt;
}

}  // namespace esphome::mains_signal

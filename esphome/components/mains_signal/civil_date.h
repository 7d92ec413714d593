#pragma once

#include <cstdint>

namespace esphome::mains_signal {

/// Counts the days from 1970-01-01 to a date of the Gregorian calendar; month 1..12, day 1..31.
constexpr int64_t days_from_civil(int year, int month, int day) {
  // Years start in March, so that the leap day is the last of its year; an era is 400 years or 146,097 days.
  const int64_t shifted_year = month <= 2 ? year - 1 : year;
  const int64_t era = (shifted_year >= 0 ? shifted_year : shifted_year - 399) / 400;
  const int64_t year_of_era = shifted_year - era * 400;
  const int64_t shifted_month = (month + 9) % 12;
  const int64_t day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

/// Returns the number of days in a month, 1..12.
constexpr int days_in_month(int year, int month) {
  const int next_year = month == 12 ? year + 1 : year;
  const int next_month = month == 12 ? 1 : month + 1;
  return static_cast<int>(days_from_civil(next_year, next_month, 1) - days_from_civil(year, month, 1));
}

}  // namespace esphome::mains_signal

#pragma once

#include <optional>
#include <string_view>

namespace esphome::mains_signal {

/// The time formats a recording may use, for error messages.
constexpr std::string_view TIME_FORMATS =
    "seconds, milliseconds since 1970, 2025-04-28 11:00, 2025-04-28T11:00:00.5+02:00, 28-Apr-2025 11:00:00, "
    "28.04.2025 11:00:00 or 28/04/2025 11:00:00";

/// Order of day and month in dates with slashes.
enum class SlashOrder { UNKNOWN, DAY_FIRST, MONTH_FIRST };

/// Origins from which the times of a recording count.
enum class TimeScale {
  /// A number: seconds, from anywhere.
  COUNT,
  /// A date on a wall clock, of which the time zone is not said.
  WALL_CLOCK,
  /// A date with its offset from UTC.
  UTC
};

/// Time of a row as its text says.
struct RecordingTime {
  /// Seconds. COUNT: the number. WALL_CLOCK: seconds since 1970-01-01 00:00 on that clock. UTC: since 1970-01-01 00:00
  /// UTC.
  double seconds;
  TimeScale scale;
  /// Month, 1..12; 0 for a COUNT.
  int month;
};

/// Reads a time of a recording.
///
/// Numbers from 1e11 on are milliseconds since 1970, from 1e14 on microseconds and from 1e17 on nanoseconds: in the
/// coarser unit they would lie beyond the year 5000.
///
/// @param order of day and month in dates with slashes; where UNKNOWN, there is no such date.
/// @return nothing if the text is none of TIME_FORMATS or no such moment exists.
std::optional<RecordingTime> parse_recording_time(std::string_view text, SlashOrder order);

/// Reads from a date with slashes whether the day or the month comes first; UNKNOWN where both could, or for any other
/// text.
SlashOrder find_slash_order(std::string_view text);

/// Returns whether a text begins like a date with slashes.
bool is_slash_date(std::string_view text);

}  // namespace esphome::mains_signal

#pragma once

#include <optional>
#include <string_view>

namespace esphome::mains_signal {

/// The time formats a recording may use, for error messages.
constexpr std::string_view TIME_FORMATS =
    "seconds, 2025-04-28 11:00:00, 2025-04-28T11:00:00.5Z, 28-Apr-2025 11:00:00 or 28/04/2025 11:00:00";

/// Reads a time of a recording.
///
/// @return seconds on a scale of its own (differences are what counts; dates count from 1970-01-01 without a time
/// zone),
///         or nothing if the text is none of TIME_FORMATS or no such moment exists.
std::optional<double> parse_recording_time(std::string_view text);

}  // namespace esphome::mains_signal

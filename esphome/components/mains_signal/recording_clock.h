#pragma once

#include "outcome.h"
#include "recording_time.h"

#include <optional>
#include <string>

namespace esphome::mains_signal {

/// Follows the times of a recording from row to row.
///
/// A wall clock that is put back in a night of autumn repeats an hour. The order of the rows tells the second pass from
/// the first: the rows then go on an hour later.
class RecordingClock {
 public:
  /// @param order of day and month in this recording's dates with slashes.
  explicit RecordingClock(SlashOrder order) : order_(order) {}

  /// Reads the time of the next row.
  ///
  /// @param text with a decimal point.
  /// @return seconds, later than those of the row before; or why not, as a sentence without the place.
  Outcome<double> next(const std::string &text);

 protected:
  /// @return what to add to the wall clock so that the row comes after the row before; nothing where no clock was put
  ///         back.
  std::optional<double> repeated_hour_(const RecordingTime &time) const;
  Outcome<double> refuse_(const std::string &text, const RecordingTime &time) const;

  SlashOrder order_;
  std::optional<RecordingTime> before_;
  std::string text_before_;
  /// Seconds of the row before, and the step to it from its predecessor; with the hours by which the clock was put
  /// back.
  double seconds_before_{0.0};
  double step_{0.0};
  /// Seconds by which the wall clock was put back so far.
  double put_back_{0.0};
};

}  // namespace esphome::mains_signal

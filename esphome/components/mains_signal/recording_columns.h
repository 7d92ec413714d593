#pragma once

#include "outcome.h"
#include "recording_options.h"
#include "recording_time.h"

#include <string>
#include <string_view>
#include <vector>

namespace esphome::mains_signal {

/// Series, and the field of each row that holds its value.
struct SeriesColumn {
  int series;
  size_t field;
  double factor;
};

/// Meaning of each field of a row.
struct ColumnPlan {
  std::string layout;
  char separator{','};
  std::vector<std::string> header;
  /// Fields that make up the time, read as one text with a space between.
  std::vector<size_t> time_fields;
  /// Order of day and month in dates with slashes, where the layout tells.
  SlashOrder slash_order{SlashOrder::UNKNOWN};
  std::vector<SeriesColumn> series;
};

/// Makes the plan of the columns from the first line of a recording and a person's options.
///
/// @return the plan, or a sentence to follow the file's name.
Outcome<ColumnPlan> plan_columns(std::string_view header_line, const RecordingOptions &options);

}  // namespace esphome::mains_signal

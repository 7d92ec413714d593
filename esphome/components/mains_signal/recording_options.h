#pragma once

#include "outcome.h"

#include <string>
#include <string_view>
#include <vector>

namespace esphome::mains_signal {

/// Option "take `series` (or the word time) from the column `column`"; for time, columns joined with + are read as one
/// text.
struct ColumnChoice {
  std::string series;
  std::string column;
};

/// Option "multiply `name` (a quantity, or one series of it) by `factor`."
struct ScaleChoice {
  std::string name;
  double factor;
};

/// Options that tell of a recording what its header does not.
struct RecordingOptions {
  std::vector<ColumnChoice> columns;
  std::vector<ScaleChoice> scale;
};

/// Reads the columns of an option, "voltage_l1=AnalyzerL1PhaseVoltage,time=Date+Time"; an empty text is an empty list.
Outcome<std::vector<ColumnChoice>> parse_column_choices(std::string_view text);

/// Reads the factors of an option, "voltage=0.008328,active_power_l1=1000"; an empty text is an empty list.
Outcome<std::vector<ScaleChoice>> parse_scale_choices(std::string_view text);

}  // namespace esphome::mains_signal

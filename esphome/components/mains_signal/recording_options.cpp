#include "recording_options.h"

#include "recorded_quantities.h"
#include "text.h"

#include <cmath>

namespace esphome::mains_signal {

namespace {

struct Assignment {
  std::string_view name;
  std::string_view value;
};

/// Splits "a=b,c=d"; `example` is what a right one looks like.
Outcome<std::vector<Assignment>> parse_assignments(std::string_view text, const std::string &what,
                                                   const std::string &example) {
  using Result = Outcome<std::vector<Assignment>>;
  std::vector<Assignment> assignments;
  if (trim(text).empty())
    return Result::of({});
  for (const std::string_view part : split(text, ',')) {
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos || trim(part.substr(0, equals)).empty() ||
        trim(part.substr(equals + 1)).empty())
      return Result::failure("the " + what + " '" + std::string(part) + "' is not of the form " + example +
                             "; write name=value pairs separated by commas");
    assignments.push_back({trim(part.substr(0, equals)), trim(part.substr(equals + 1))});
  }
  return Result::of(std::move(assignments));
}

}  // namespace

Outcome<std::vector<ColumnChoice>> parse_column_choices(std::string_view text) {
  using Result = Outcome<std::vector<ColumnChoice>>;
  auto assignments = parse_assignments(text, "column mapping", "voltage_l1=ColumnName");
  if (!assignments)
    return Result::failure(assignments.error);
  std::vector<ColumnChoice> choices;
  for (const Assignment &assignment : *assignments.value)
    choices.push_back({std::string(assignment.name), std::string(assignment.value)});
  return Result::of(std::move(choices));
}

Outcome<std::vector<ScaleChoice>> parse_scale_choices(std::string_view text) {
  using Result = Outcome<std::vector<ScaleChoice>>;
  auto assignments = parse_assignments(text, "scale", "voltage=0.001");
  if (!assignments)
    return Result::failure(assignments.error);
  std::vector<ScaleChoice> choices;
  for (const Assignment &assignment : *assignments.value) {
    const auto factor = parse_number(assignment.value);
    if (!factor)
      return Result::failure("the scale of " + std::string(assignment.name) + " is '" + std::string(assignment.value) +
                             "', which is not a number; write a factor such as 0.001");
    choices.push_back({std::string(assignment.name), *factor});
  }
  return Result::of(std::move(choices));
}

}  // namespace esphome::mains_signal

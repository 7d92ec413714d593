#pragma once

#include "recorded_quantities.h"

#include <optional>
#include <string>
#include <string_view>

namespace esphome::mains_signal {

/// Name and unit of a column, whatever its capitals and spaces: "Active Power L1 (kW)" is active_power_l1 in kW.
struct HeaderName {
  /// Name in small letters, with _ for spaces.
  std::string name;
  /// Unit in brackets at the end; empty without brackets.
  std::string unit;
};

HeaderName parse_header_name(std::string_view column);

/// Returns the factor from a unit such as kW or mA to the unit of a quantity; nothing where it is no unit of the
/// quantity.
std::optional<double> factor_of_unit(std::string_view unit, RecordedQuantity quantity);

}  // namespace esphome::mains_signal

#include "header_name.h"

#include "text.h"

#include <algorithm>

namespace esphome::mains_signal {

namespace {

struct Prefix {
  char letter;
  double factor;
};

// Of a prefix, the case of the letter counts: a milliwatt is no megawatt.
constexpr Prefix PREFIXES[] = {{'m', 1e-3}, {'k', 1e3}, {'K', 1e3}, {'M', 1e6}};

}  // namespace

HeaderName parse_header_name(std::string_view column) {
  HeaderName parsed;
  constexpr std::string_view OPENING = "([";
  constexpr std::string_view CLOSING = ")]";
  if (!column.empty() && CLOSING.find(column.back()) != std::string_view::npos) {
    const size_t open = column.rfind(OPENING[CLOSING.find(column.back())]);
    if (open != std::string_view::npos) {
      parsed.unit = trim(column.substr(open + 1, column.size() - open - 2));
      column = trim(column.substr(0, open));
    }
  }
  parsed.name = lower_case(column);
  std::replace(parsed.name.begin(), parsed.name.end(), ' ', '_');
  return parsed;
}

std::optional<double> factor_of_unit(std::string_view unit, RecordedQuantity quantity) {
  const std::string own = lower_case(QUANTITY_TRAITS[quantity].unit);
  if (lower_case(unit) == own || (own == "degrees" && (unit == "°" || lower_case(unit) == "deg")) ||
      (own.starts_with('%') && unit == "%"))
    return 1.0;
  for (const Prefix &prefix : PREFIXES) {
    if (!unit.empty() && unit.front() == prefix.letter && lower_case(unit.substr(1)) == own)
      return prefix.factor;
  }
  return std::nullopt;
}

}  // namespace esphome::mains_signal

#include "recorded_quantities.h"

#include <algorithm>
#include <array>

namespace esphome::mains_signal {

std::string series_name(int index) {
  const Series series = series_at(index);
  const QuantityTraits &traits = QUANTITY_TRAITS[series.quantity];
  std::string name(traits.name);
  if (traits.per_order)
    name += std::to_string(series.order) + std::string(traits.after_order);
  if (traits.per_phase)
    name += "_l" + std::to_string(series.phase + 1);
  return name;
}

int find_series(std::string_view name) {
  static const auto NAMES = [] {
    std::array<std::string, SERIES_COUNT> names;
    for (int index = 0; index < SERIES_COUNT; index++)
      names[index] = series_name(index);
    return names;
  }();
  const auto found = std::find(NAMES.begin(), NAMES.end(), name);
  return found == NAMES.end() ? -1 : static_cast<int>(found - NAMES.begin());
}

RecordedQuantity find_quantity(std::string_view name) {
  for (int quantity = 0; quantity < QUANTITIES; quantity++) {
    if (!QUANTITY_TRAITS[quantity].per_order && QUANTITY_TRAITS[quantity].name == name)
      return static_cast<RecordedQuantity>(quantity);
  }
  return QUANTITIES;
}

std::string understood_series() {
  std::string words;
  for (const QuantityTraits &traits : QUANTITY_TRAITS) {
    if (!words.empty())
      words += ", ";
    words += traits.name;
    if (traits.per_order) {
      words += std::to_string(FIRST_ORDER) + ".." + std::string(traits.name.substr(traits.name.size() - 1));
      words += std::to_string(HIGHEST_ORDER) + std::string(traits.after_order);
    }
    if (traits.per_phase)
      words += "_l1..l3";
  }
  return words;
}

}  // namespace esphome::mains_signal

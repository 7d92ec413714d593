#pragma once

#include "signal_model.h"

#include <array>
#include <string>
#include <string_view>

namespace esphome::mains_signal {

/// Quantities that a recording can hold, by the words of headers and options.
enum RecordedQuantity {
  FREQUENCY,
  VOLTAGE,
  CURRENT,
  ACTIVE_POWER,
  REACTIVE_POWER,
  VOLTAGE_ANGLE,
  VOLTAGE_HARMONIC,
  VOLTAGE_HARMONIC_ANGLE,
  CURRENT_HARMONIC,
  CURRENT_HARMONIC_ANGLE,
  QUANTITIES
};

struct QuantityTraits {
  std::string_view name;
  std::string_view unit;
  bool per_phase;
  /// Whether the quantity has a column for each harmonic: "voltage_h5_l1".
  bool per_order;
  /// Word that follows the order of the harmonic: "voltage_h5_angle_l1".
  std::string_view after_order;
  /// Whether a value below zero makes sense.
  bool is_signed;
  /// Largest magnitude the simulated meter can carry; beyond it a recording needs a scale.
  double limit;
};

constexpr std::array<QuantityTraits, QUANTITIES> QUANTITY_TRAITS = {{
    {"frequency", "Hz", false, false, "", false, 1000.0},
    {"voltage", "V", true, false, "", false, 700.0},
    {"current", "A", true, false, "", true, 1e5},
    {"active_power", "W", true, false, "", true, 1e8},
    {"reactive_power", "var", true, false, "", true, 1e8},
    {"voltage_angle", "degrees", true, false, "", true, 360.0},
    {"voltage_h", "% of the fundamental", true, true, "", false, 200.0},
    {"voltage_h", "degrees", true, true, "_angle", true, 360.0},
    {"current_h", "% of the fundamental", true, true, "", false, 1000.0},
    {"current_h", "degrees", true, true, "_angle", true, 360.0},
}};

/// A column of a recording: a quantity, of one phase where it has phases, of one harmonic where it has orders.
struct Series {
  RecordedQuantity quantity;
  int phase;
  int order;
};

constexpr int FIRST_ORDER = 2;
constexpr int ORDERS = HIGHEST_ORDER - FIRST_ORDER + 1;

/// Series of a quantity: its phases, each with its orders.
constexpr int series_of(RecordedQuantity quantity) {
  const QuantityTraits &traits = QUANTITY_TRAITS[quantity];
  return (traits.per_phase ? PHASES : 1) * (traits.per_order ? ORDERS : 1);
}
constexpr int first_series(int quantity) {
  int first = 0;
  for (int before = 0; before < quantity; before++)
    first += series_of(static_cast<RecordedQuantity>(before));
  return first;
}
/// Computes the place of a series in a sample: frequency, voltage L1..L3, current L1..L3, ...
constexpr int series_index(RecordedQuantity quantity, int phase, int order = FIRST_ORDER) {
  return first_series(quantity) +
         (QUANTITY_TRAITS[quantity].per_order ? (order - FIRST_ORDER) * PHASES + phase : phase);
}
constexpr int SERIES_COUNT = first_series(QUANTITIES);

constexpr Series series_at(int index) {
  int quantity = 0;
  while (index >= series_of(static_cast<RecordedQuantity>(quantity)))
    index -= series_of(static_cast<RecordedQuantity>(quantity++));
  const bool per_order = QUANTITY_TRAITS[quantity].per_order;
  return {static_cast<RecordedQuantity>(quantity), index % PHASES, per_order ? FIRST_ORDER + index / PHASES : 0};
}

/// Returns the name of a series: "frequency", "voltage_l1", ...
std::string series_name(int index);

/// Finds the index of the series with a name; -1 without such a series.
int find_series(std::string_view name);

/// Finds the quantity with a name; QUANTITIES without such a quantity.
RecordedQuantity find_quantity(std::string_view name);

/// Lists the words that a header may use, for error messages: "frequency, voltage_l1..l3, ...".
std::string understood_series();

}  // namespace esphome::mains_signal

#pragma once

#include "signal_model.h"

#include <array>
#include <string>
#include <string_view>

namespace esphome::ade9000_simulator {

/// The quantities a recording can hold, by the words its header and options use.
enum RecordedQuantity { FREQUENCY, VOLTAGE, CURRENT, ACTIVE_POWER, REACTIVE_POWER, QUANTITIES };

struct QuantityTraits {
  std::string_view name;
  std::string_view unit;
  bool per_phase;
  /// Whether a value below zero makes sense.
  bool is_signed;
  /// Largest magnitude the simulated meter can carry; beyond it a recording needs a scale.
  double limit;
};

constexpr std::array<QuantityTraits, QUANTITIES> QUANTITY_TRAITS = {{
    {"frequency", "Hz", false, false, 1000.0},
    {"voltage", "V", true, false, 700.0},
    {"current", "A", true, true, 1e5},
    {"active_power", "W", true, true, 1e8},
    {"reactive_power", "var", true, true, 1e8},
}};

/// A column of a recording: a quantity, of one phase where it has phases.
struct Series {
  RecordedQuantity quantity;
  int phase;
};

/// Place of a series in a sample: frequency, voltage L1..L3, current L1..L3, ...
constexpr int series_index(RecordedQuantity quantity, int phase) {
  return quantity == FREQUENCY ? 0 : 1 + (static_cast<int>(quantity) - 1) * PHASES + phase;
}
constexpr int SERIES_COUNT = 1 + (QUANTITIES - 1) * PHASES;

constexpr Series series_at(int index) {
  if (index == 0)
    return {FREQUENCY, 0};
  return {static_cast<RecordedQuantity>(1 + (index - 1) / PHASES), (index - 1) % PHASES};
}

/// "frequency", "voltage_l1", ...
std::string series_name(int index);

/// Index of the series with this name, or -1.
int find_series(std::string_view name);

/// The quantity with this name, or QUANTITIES.
RecordedQuantity find_quantity(std::string_view name);

/// The words a header may use, for error messages: "frequency, voltage_l1..l3, ...".
std::string understood_series();

}  // namespace esphome::ade9000_simulator

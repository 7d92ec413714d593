#pragma once

#include "recorded_quantities.h"
#include "recording_time.h"

#include <array>
#include <string_view>

namespace esphome::mains_signal {

/// Column in which a known recording keeps a series.
struct LayoutColumn {
  std::string_view series;
  std::string_view column;
};

/// Factor from the unit of a known recording to the unit of the quantity.
struct LayoutScale {
  RecordedQuantity quantity;
  double factor;
};

/// Layout of a foreign recording, recognised by all of these columns in its header.
struct RecordingLayout {
  std::string_view name;
  std::string_view time;
  /// Order of day and month in its dates with slashes.
  SlashOrder slash_order;
  std::array<LayoutColumn, 4> columns;
  std::array<LayoutScale, 2> scale;
};

/// Name of the layout of a header in the words of recorded_quantities.h.
constexpr std::string_view OWN_LAYOUT = "columns";

constexpr RecordingLayout KNOWN_LAYOUTS[] = {
    // The Iberian blackout of 28 April 2025 at Toledo (University of Oviedo). Phase voltages of a medium-voltage line,
    // whose median before the event is 27.6 kV: 120.08 times the 230 V of a house.
    {"toledo",
     "time",
     SlashOrder::UNKNOWN,
     {{{"frequency", "AnalyzerL1Frequency"},
       {"voltage_l1", "AnalyzerL1PhaseVoltage"},
       {"voltage_l2", "AnalyzerL2PhaseVoltage"},
       {"voltage_l3", "AnalyzerL3PhaseVoltage"}}},
     {{{VOLTAGE, 1.0 / 120.08}, {FREQUENCY, 1.0}}}},
    // UCI machine-learning repository 235, "Individual household electric power consumption": one phase, kW and kvar.
    {"uci_household",
     "Date+Time",
     SlashOrder::DAY_FIRST,
     {{{"active_power_l1", "Global_active_power"},
       {"reactive_power_l1", "Global_reactive_power"},
       {"voltage_l1", "Voltage"},
       {"current_l1", "Global_intensity"}}},
     {{{ACTIVE_POWER, 1000.0}, {REACTIVE_POWER, 1000.0}}}},
};

}  // namespace esphome::mains_signal

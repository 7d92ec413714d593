#pragma once

#include "esphome/components/mains_signal/outcome.h"
#include "esphome/components/mains_signal/recording_options.h"

#include <optional>
#include <string>

namespace esphome::ade9000_simulator {

/// Settings of the playback.
struct SimulatorSettings {
  /// Path of the recording; empty = the built-in house.
  std::string recording;
  mains_signal::RecordingOptions options;
  /// Simulated seconds per second, 0 (hold) .. 1000.
  double speed{1.0};
  /// Position at which to start, s; absent = the beginning of a recording, the present moment of the house.
  std::optional<double> start;
};

/// Looks up an environment variable; nullptr = not set.
using EnvironmentLookup = const char *(*)(const char *name);

/// Reads the settings of the configuration and of the environment, which goes first: NRJ_RECORDING (with it, columns
/// and scale of the configuration fall away, they belong to another file), NRJ_RECORDING_COLUMNS, NRJ_RECORDING_SCALE,
/// NRJ_SPEED, NRJ_START. A variable that is empty counts as not set.
mains_signal::Outcome<SimulatorSettings> apply_environment(SimulatorSettings settings, EnvironmentLookup lookup);

}  // namespace esphome::ade9000_simulator

#include "simulator_settings.h"

#include "esphome/components/mains_signal/playback_clock.h"
#include "esphome/components/mains_signal/text.h"

#include <cmath>

namespace esphome::ade9000_simulator {

using mains_signal::Outcome;
using mains_signal::parse_column_choices;
using mains_signal::parse_number;
using mains_signal::parse_scale_choices;
using mains_signal::PlaybackClock;
using mains_signal::trim;

namespace {

using Result = Outcome<SimulatorSettings>;

std::string variable(EnvironmentLookup lookup, const char *name) {
  const char *value = lookup(name);
  return value == nullptr ? std::string() : std::string(trim(value));
}

/// A number of `text` within 0..maximum.
Outcome<double> parse_setting(const char *name, const std::string &text, double maximum, const char *meaning) {
  const auto number = parse_number(text);
  if (number && std::isfinite(*number) && *number >= 0.0 && *number <= maximum)
    return Outcome<double>::of(*number);
  return Outcome<double>::failure(std::string(name) + " is '" + text + "', which is not " + meaning);
}

}  // namespace

Outcome<SimulatorSettings> apply_environment(SimulatorSettings settings, EnvironmentLookup lookup) {
  if (const std::string recording = variable(lookup, "NRJ_RECORDING"); !recording.empty()) {
    settings.recording = recording;
    settings.options = {};
  }
  if (const std::string columns = variable(lookup, "NRJ_RECORDING_COLUMNS"); !columns.empty()) {
    auto choices = parse_column_choices(columns);
    if (!choices)
      return Result::failure("NRJ_RECORDING_COLUMNS: " + choices.error);
    settings.options.columns = std::move(*choices.value);
  }
  if (const std::string scale = variable(lookup, "NRJ_RECORDING_SCALE"); !scale.empty()) {
    auto choices = parse_scale_choices(scale);
    if (!choices)
      return Result::failure("NRJ_RECORDING_SCALE: " + choices.error);
    settings.options.scale = std::move(*choices.value);
  }
  if (const std::string speed = variable(lookup, "NRJ_SPEED"); !speed.empty()) {
    const auto value = parse_setting("NRJ_SPEED", speed, PlaybackClock::MAXIMUM_SPEED,
                                     "a speed; write a number from 0 (hold) to 1000, 1 being real time");
    if (!value)
      return Result::failure(value.error);
    settings.speed = *value.value;
  }
  if (const std::string start = variable(lookup, "NRJ_START"); !start.empty()) {
    const auto value = parse_setting("NRJ_START", start, PlaybackClock::MAXIMUM_POSITION,
                                     "a position; write the seconds at which to start, from 0 to 1000000000");
    if (!value)
      return Result::failure(value.error);
    settings.start = *value.value;
  }
  return Result::of(std::move(settings));
}

}  // namespace esphome::ade9000_simulator

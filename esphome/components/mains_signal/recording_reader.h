#pragma once

#include "outcome.h"
#include "recording.h"
#include "recording_options.h"

#include <string>
#include <string_view>

namespace esphome::mains_signal {

/// Reads a recording from a file of comma or semicolon separated values.
///
/// The first line names the columns: `time` and any of frequency (Hz), voltage_l1..l3 (V), current_l1..l3 (A),
/// active_power_l1..l3 (W, positive on import), reactive_power_l1..l3 (var); other columns are ignored. Capitals,
/// spaces for underscores and a unit in brackets are understood ("Active Power L1 (kW)"). Recordings of
/// recording_layouts.h are known by their own header. NaN, ? and an empty field mean no measurement. What could mean
/// two things is refused.
///
/// @return the recording, or one sentence that names the file, the line and column where there is one, the value, and
///         what to do.
Outcome<Recording> read_recording(const std::string &path, const RecordingOptions &options);

/// Parses a recording from text in memory; `name` stands for the file in sentences.
Outcome<Recording> parse_recording(std::string_view text, const std::string &name, const RecordingOptions &options);

}  // namespace esphome::mains_signal

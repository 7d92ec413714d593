#pragma once

#include "signal_model.h"

#include <optional>

namespace esphome::ade9000_simulator {

/// What a recording says of one phase at an instant; what it does not say is absent.
struct RecordedPhase {
  std::optional<double> voltage;
  std::optional<double> current;
  std::optional<double> active_power;
  std::optional<double> reactive_power;
};

/// The phase that fits what was recorded.
///
/// - Nothing recorded: not connected, 0 V and 0 A. No voltage recorded: the nominal 230 V.
/// - Active or reactive power recorded: they are exact, and the fundamental current is sqrt(P^2 + Q^2) / V. A larger
///   recorded current leaves the rest, sqrt(I^2 - I1^2), to the harmonics; a smaller one is ignored.
/// - Current and reactive but no active power: active power is what is left of the apparent power, import.
/// - Current alone: a resistive load (unity power factor); a negative current exports.
PhaseSignal reconstruct_phase(const RecordedPhase &recorded);

}  // namespace esphome::ade9000_simulator

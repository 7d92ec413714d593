#pragma once

#include "signal_model.h"

#include <optional>

namespace esphome::mains_signal {

/// Recorded values of a phase at an instant; values that were not recorded are absent.
struct RecordedPhase {
  std::optional<double> voltage;
  std::optional<double> current;
  std::optional<double> active_power;
  std::optional<double> reactive_power;
  /// Degrees by which the voltage leads its place in a healthy system.
  double voltage_angle{0.0};
  Harmonics voltage_harmonics{};
  Harmonics current_harmonics{};
};

/// Reconstructs the signal of a phase from its recorded values.
///
/// - Nothing recorded: not connected, 0 V and 0 A. No voltage recorded: the nominal 230 V.
/// - Active or reactive power recorded: they are exact, and the fundamental current is sqrt(P^2 + Q^2) / V. A larger
///   recorded current leaves the rest, sqrt(I^2 - I1^2), to the harmonics; a smaller one is ignored.
/// - Current and reactive but no active power: active power is what is left of the apparent power, import.
/// - Harmonics recorded: voltage, current and active power are taken as those of the whole wave, and the fundamental is
///   what is left of them.
/// - Current alone: a resistive load (unity power factor); a negative current exports.
PhaseSignal reconstruct_phase(const RecordedPhase &recorded);

}  // namespace esphome::mains_signal

#pragma once

#include "esphome/components/ade9000/snapshot.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace esphome::wiring_check {

/// Kinds of wiring, in the order of the configuration.
enum class WiringKind : uint8_t { WYE, DELTA, DELTA_WITH_NEUTRAL, SPLIT_PHASE, SINGLE_PHASE };

/// Expected wiring, and the current from which inputs can be judged.
struct WiringExpectation {
  WiringKind kind{WiringKind::WYE};
  /// Volts at a voltage input.
  double nominal_voltage{230};
  /// Amperes below which a current says nothing.
  double minimum_current{0.5};
};

/// Measurements of the three pairs of inputs at one moment.
struct WiringObservation {
  struct Input {
    /// Volts, amperes, watts and vars.
    double voltage{0};
    double current{0};
    double active_power{0};
    double reactive_power{0};
  };
  std::array<Input, ade9000::PHASES> inputs;
  /// Degrees by which V2 lags V1, V3 lags V2, V3 lags V1; NaN where one of the two has no voltage.
  std::array<double, ade9000::PHASES> voltage_lags{ade9000::NO_VALUE, ade9000::NO_VALUE, ade9000::NO_VALUE};
};

/// Faults of the wiring, as far as the angles show. Inputs and lines are 0..2; only inputs of the wiring count.
struct WiringDiagnosis {
  using PerInput = std::array<bool, ade9000::PHASES>;

  /// The input has no voltage.
  PerInput no_voltage{};
  /// The two wires of a voltage input are exchanged.
  PerInput reversed_voltage{};
  /// Two voltage inputs show the same line.
  bool same_line{false};
  /// The voltages follow one another in the wrong order.
  bool reversed_sequence{false};
  /// The voltages fit no order at all.
  bool strange_voltages{false};

  /// The input has too little current to say anything.
  PerInput no_current{};
  /// The transformer is reversed, or its line feeds back.
  PerInput reversed_current{};
  /// The line on which the transformer of each current input sits.
  std::array<uint8_t, ade9000::PHASES> line_of_current{0, 1, 2};
  /// The currents fit several explanations equally well, or none.
  bool unclear_currents{false};

  bool operator==(const WiringDiagnosis &) const = default;
  /// Current inputs whose transformer sits on another line.
  PerInput misplaced_current() const;
  /// Whether an exchanged, reversed or missing connection was found.
  bool has_fault() const;
  /// Whether there was enough voltage and current to judge every input of the wiring.
  bool is_complete() const;
};

/** Diagnoses the faults of the wiring.
 *
 * Voltages are judged by their magnitude and by the angles between them. For the currents every way to put the
 * transformers on the lines, either way round, is tried: the one in which the loads are most like loads of a house
 * (they draw, and lag by some 10 degrees) explains what is seen, with a preference for few mistakes. A load with a
 * power factor below 0.87, or a phase that feeds back, can look like a mistake: check with heaters on and feed-in off.
 */
WiringDiagnosis diagnose_wiring(const WiringObservation &observation, const WiringExpectation &expectation);

}  // namespace esphome::wiring_check

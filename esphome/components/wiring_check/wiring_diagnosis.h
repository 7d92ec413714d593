#pragma once

#include "esphome/components/ade9000/snapshot.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace esphome::wiring_check {

/// Kinds of wiring, named as in the configuration.
enum class WiringKind : uint8_t { WYE, DELTA, DELTA_WITH_NEUTRAL, SPLIT_PHASE, SINGLE_PHASE, TWO_LEGS };

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
  /// Whether a reversed sequence is a fault; of two legs either may be the first.
  bool sequence_matters{true};
  /// The voltages fit no order at all.
  bool strange_voltages{false};

  /// The input has too little current to say anything.
  PerInput no_current{};
  /// The input has no voltage, while its transformer shows a current: the line is there, its tap is not.
  PerInput lost_tap{};
  /// The angle of the current says nothing certain: a wrong transformer and another load would look alike.
  PerInput uncertain_current{};
  /// The angle of the current is that of an ordinary load on a right transformer; nothing more is known.
  PerInput ordinary_current{};
  /// A heater that was switched on has shown the transformer to be reversed.
  PerInput reversed_current{};
  /// The line on which a heater has shown the transformer of each current input to sit.
  std::array<uint8_t, ade9000::PHASES> line_of_current{0, 1, 2};
  /// Two heaters have shown two transformers on one line.
  bool unclear_currents{false};
  /// The input's transformer was proven by a heater.
  PerInput proven_current{};

  bool operator==(const WiringDiagnosis &) const = default;
  /// Current inputs whose transformer sits on another line.
  PerInput misplaced_current() const;
  /// Whether an exchanged, reversed or missing connection was found.
  bool has_fault() const;
  /// Whether there was enough voltage and current to judge every input of the wiring.
  bool is_complete() const;
};

/// Transformers that heaters have proven so far, and where each sits.
struct CurrentProof {
  WiringDiagnosis::PerInput proven{};
  WiringDiagnosis::PerInput reversed{};
  std::array<uint8_t, ade9000::PHASES> line{0, 1, 2};
};

/** Diagnoses the faults of the wiring, as far as they are certain.
 *
 * Voltages are judged by their magnitude and by the angles between them. The angle of a current alone proves nothing: a
 * reversed transformer looks like a line that feeds in, and two exchanged ones at a power factor of 1 look like two
 * others at 0.5 that feed in. So an angle that an ordinary load would not have makes a current uncertain, and only a
 * heater that was switched on (see prove_currents()) makes a transformer wrong.
 */
WiringDiagnosis diagnose_wiring(const WiringObservation &observation, const WiringExpectation &expectation,
                                const CurrentProof &proof = {});

/** Finds the voltage inputs without voltage whose transformers show a current: the meter's own tap is open.
 *
 * A line that is off carries no current; needs no angles, so it can be looked at with every update.
 */
WiringDiagnosis::PerInput find_lost_taps(const WiringObservation &observation, const WiringExpectation &expectation);

/** Finds which transformers saw a heater that was switched on between two observations.
 *
 * A heater draws active power alone, so the six ways to connect a transformer (three lines, two directions) show its
 * current at six angles, 60 degrees apart. Nothing is proven by a change at more inputs than one heater has, by a
 * change that is no heater's, or by one after which less current flows (a load was switched off).
 *
 * @param proof takes what was found; what was proven of other inputs stays.
 * @return whether a heater was seen.
 */
bool prove_currents(const WiringObservation &before, const WiringObservation &after,
                    const WiringExpectation &expectation, CurrentProof &proof);

/// Forgets what was proven where a current has turned since: the wiring was changed, or its line feeds in.
void forget_turned(const WiringObservation &before, const WiringObservation &after, CurrentProof &proof);

}  // namespace esphome::wiring_check

#include "wiring_diagnosis.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace esphome::wiring_check {

using ade9000::PHASES;

namespace {

/// Of the nominal voltage: below it a line is not there.
constexpr double MINIMUM_VOLTAGE = 0.5;
/// Degrees between what is seen and what should be; half of the 60 between two mistakes, less some unbalance.
constexpr double VOLTAGE_TOLERANCE = 25.0;
/// Degrees around zero in which a load is ordinary: a heater on the wrong line or the wrong way round shows 60 or more.
constexpr double ORDINARY_LAG = 45.0;
/// Degrees between the current of a heater and the nearest of the six angles; half of the 60 between them, less a
/// third.
constexpr double HEATER_TOLERANCE = 20.0;
/// A heater's current, in the least current that can be judged; smaller changes are those of other loads.
constexpr double HEATER_CURRENT = 4.0;
/// Of a heater's current: by so much the current of its line grows at least, and others change at most.
constexpr double HEATER_GROWTH = 0.5;
constexpr double OTHER_CHANGE = 0.25;
/// Degrees: a transformer that was turned or moved shows at least 60.
constexpr double TURN = 30.0;

using Lags = std::array<double, PHASES>;

/// To above -180, up to 180.
double wrapped(double degrees) { return -std::remainder(-degrees, 360.0); }
bool near(double left, double right) { return std::abs(wrapped(left - right)) <= VOLTAGE_TOLERANCE; }

/// The facts of a wiring that is right.
struct Plan {
  /// Inputs in use.
  std::array<bool, PHASES> used;
  /// Degrees by which each voltage input lags the first, in the right order and in the wrong one.
  Lags voltages;
  Lags reversed_voltages;
  /// Degrees by which an ideal load's current lags the first voltage input, on each line, in both orders.
  Lags currents;
  Lags reversed_currents;
  bool has_sequence;
  /// Whether a transformer on another line shows another angle than one that is merely reversed.
  bool movable;
};

/// V1 and V3 of a delta are L1-L2 and L3-L2: 30 degrees ahead of L1 and 30 behind L3. The neutral of the other delta
/// lies between L1 and L2.
constexpr Plan PLANS[] = {
    {{true, true, true}, {0, 120, 240}, {0, 240, 120}, {0, 120, 240}, {0, 240, 120}, true, true},
    {{true, false, true}, {0, 0, 300}, {0, 0, 60}, {30, 150, 270}, {-30, 210, 90}, true, true},
    {{true, true, true}, {0, 180, 270}, {0, 180, 90}, {0, 180, 270}, {0, 180, 90}, true, false},
    {{true, true, false}, {0, 180, 0}, {0, 180, 0}, {0, 180, 0}, {0, 180, 0}, false, false},
    {{true, false, false}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, false, false},
    {{true, true, false}, {0, 120, 0}, {0, 240, 0}, {0, 120, 0}, {0, 240, 0}, true, true},
};

const Plan &plan_of(WiringKind kind) { return PLANS[static_cast<size_t>(kind)]; }

/// The pairs of inputs behind the three measured lags.
constexpr size_t PAIRS[PHASES][2] = {{0, 1}, {1, 2}, {0, 2}};

/// Pairs of inputs that both have voltage.
std::array<bool, PHASES> measured_pairs(const WiringDiagnosis &diagnosis, const Plan &plan, const Lags &lags) {
  std::array<bool, PHASES> measured;
  for (size_t pair = 0; pair < PHASES; pair++) {
    const auto [from, to] = PAIRS[pair];
    measured[pair] = plan.used[from] && plan.used[to] && !diagnosis.no_voltage[from] && !diagnosis.no_voltage[to] &&
                     std::isfinite(lags[pair]);
  }
  return measured;
}

bool fits(const Lags &lags, const std::array<bool, PHASES> &measured, const Lags &expected,
          const std::array<bool, PHASES> &reversed) {
  for (size_t pair = 0; pair < PHASES; pair++) {
    const auto [from, to] = PAIRS[pair];
    const double turn = reversed[from] != reversed[to] ? 180.0 : 0.0;
    if (measured[pair] && !near(lags[pair], expected[to] - expected[from] + turn))
      return false;
  }
  return true;
}

/// Finds the fewest mistakes that explain the voltages; none where two explanations have as few.
void diagnose_voltages(WiringDiagnosis &diagnosis, const Plan &plan, const Lags &lags) {
  const auto measured = measured_pairs(diagnosis, plan, lags);
  const auto is_judged = [&](size_t i) { return plan.used[i] && !diagnosis.no_voltage[i]; };
  for (size_t pair = 0; pair < PHASES; pair++)
    diagnosis.same_line |= measured[pair] && near(lags[pair], 0);
  if (diagnosis.same_line)
    return;
  unsigned fewest = std::numeric_limits<unsigned>::max();
  bool is_ambiguous = false;
  for (unsigned hypothesis = 0; hypothesis < 16; hypothesis++) {
    const bool wrong_order = (hypothesis & 8) != 0;
    const WiringDiagnosis::PerInput reversed = {(hypothesis & 4) != 0, (hypothesis & 2) != 0, (hypothesis & 1) != 0};
    const unsigned mistakes = wrong_order + reversed[0] + reversed[1] + reversed[2];
    if (mistakes > fewest || (wrong_order && !plan.has_sequence))
      continue;
    // Of a voltage that is not there nothing is known.
    if ((reversed[0] && !is_judged(0)) || (reversed[1] && !is_judged(1)) || (reversed[2] && !is_judged(2)))
      continue;
    // With the inputs 180 degrees apart a reversed one shows the other's line, which is told above.
    if (!plan.movable && (reversed[0] || reversed[1] || reversed[2]))
      continue;
    if (!fits(lags, measured, wrong_order ? plan.reversed_voltages : plan.voltages, reversed))
      continue;
    is_ambiguous = mistakes == fewest;
    fewest = mistakes;
    diagnosis.reversed_sequence = wrong_order;
    diagnosis.reversed_voltage = reversed;
  }
  diagnosis.strange_voltages = is_ambiguous || fewest == std::numeric_limits<unsigned>::max();
  if (is_ambiguous) {
    diagnosis.reversed_sequence = false;
    diagnosis.reversed_voltage = {};
  }
}

/// Degrees by which an input's current or its change lags the input's voltage, if that were not reversed.
double lag_of(double active_power, double reactive_power, bool reversed_voltage) {
  const double lag = std::atan2(reactive_power, active_power) * 180.0 / std::numbers::pi;
  return wrapped(lag + (reversed_voltage ? 180.0 : 0.0));
}

/// Degrees by which a heater's current on a line lags the voltage of an input.
double heater_lag(const Plan &plan, bool reversed_sequence, size_t input, size_t line) {
  return reversed_sequence ? plan.reversed_currents[line] - plan.reversed_voltages[input]
                           : plan.currents[line] - plan.voltages[input];
}

/// The transformers of a wiring whose lines are opposite are told apart only when both are known.
bool is_enough(const Plan &plan, const CurrentProof &proof) {
  if (plan.movable)
    return true;
  for (size_t i = 0; i < PHASES; i++) {
    if (plan.used[i] && !proof.proven[i])
      return false;
  }
  return true;
}

void diagnose_currents(WiringDiagnosis &diagnosis, const WiringObservation &observation, const Plan &plan,
                       const CurrentProof &proof) {
  const bool enough = is_enough(plan, proof);
  for (size_t i = 0; i < PHASES; i++) {
    const auto &input = observation.inputs[i];
    if (!plan.used[i] || diagnosis.no_voltage[i])
      continue;
    if (proof.proven[i] && enough) {
      diagnosis.proven_current[i] = true;
      diagnosis.no_current[i] = false;
      diagnosis.reversed_current[i] = proof.reversed[i];
      diagnosis.line_of_current[i] = proof.line[i];
    } else if (!diagnosis.no_current[i]) {
      const double lag = lag_of(input.active_power, input.reactive_power, diagnosis.reversed_voltage[i]) -
                         heater_lag(plan, diagnosis.reversed_sequence, i, i);
      diagnosis.ordinary_current[i] = std::abs(wrapped(lag)) <= ORDINARY_LAG;
      diagnosis.uncertain_current[i] = !diagnosis.ordinary_current[i];
    }
  }
  for (size_t i = 0; i < PHASES; i++) {
    for (size_t other = 0; other < i; other++) {
      diagnosis.unclear_currents |= diagnosis.proven_current[i] && diagnosis.proven_current[other] &&
                                    diagnosis.line_of_current[i] == diagnosis.line_of_current[other];
    }
  }
  if (diagnosis.unclear_currents) {
    diagnosis.reversed_current = {};
    diagnosis.line_of_current = {0, 1, 2};
  }
}

/// Judges inputs and voltages; the currents are left.
WiringDiagnosis diagnose_inputs(const WiringObservation &observation, const WiringExpectation &expectation,
                                const Plan &plan) {
  WiringDiagnosis diagnosis;
  for (size_t i = 0; i < PHASES; i++) {
    const auto &input = observation.inputs[i];
    diagnosis.no_voltage[i] = plan.used[i] && !(input.voltage >= MINIMUM_VOLTAGE * expectation.nominal_voltage);
    diagnosis.no_current[i] = plan.used[i] && !(input.current >= expectation.minimum_current);
  }
  diagnosis.lost_tap = find_lost_taps(observation, expectation);
  diagnosis.sequence_matters = expectation.kind != WiringKind::TWO_LEGS;
  diagnose_voltages(diagnosis, plan, observation.voltage_lags);
  return diagnosis;
}

bool any(const WiringDiagnosis::PerInput &inputs) { return inputs[0] || inputs[1] || inputs[2]; }

}  // namespace

bool WiringDiagnosis::has_fault() const {
  return any(this->no_voltage) || any(this->reversed_voltage) || this->same_line ||
         (this->reversed_sequence && this->sequence_matters) || this->strange_voltages || any(this->reversed_current) ||
         any(this->misplaced_current());
}

WiringDiagnosis::PerInput WiringDiagnosis::misplaced_current() const {
  PerInput inputs;
  for (size_t i = 0; i < PHASES; i++)
    inputs[i] = this->line_of_current[i] != i;
  return inputs;
}

bool WiringDiagnosis::is_complete() const {
  return !any(this->no_voltage) && !any(this->no_current) && !this->same_line && !this->strange_voltages &&
         !this->unclear_currents && !any(this->uncertain_current);
}

WiringDiagnosis diagnose_wiring(const WiringObservation &observation, const WiringExpectation &expectation,
                                const CurrentProof &proof) {
  const Plan &plan = plan_of(expectation.kind);
  WiringDiagnosis diagnosis = diagnose_inputs(observation, expectation, plan);
  if (!diagnosis.same_line && !diagnosis.strange_voltages)
    diagnose_currents(diagnosis, observation, plan, proof);
  return diagnosis;
}

WiringDiagnosis::PerInput find_lost_taps(const WiringObservation &observation, const WiringExpectation &expectation) {
  const Plan &plan = plan_of(expectation.kind);
  WiringDiagnosis::PerInput lost{};
  for (size_t i = 0; i < PHASES; i++) {
    const auto &input = observation.inputs[i];
    lost[i] = plan.used[i] && input.voltage < MINIMUM_VOLTAGE * expectation.nominal_voltage &&
              input.current >= expectation.minimum_current;
  }
  return lost;
}

bool prove_currents(const WiringObservation &before, const WiringObservation &after,
                    const WiringExpectation &expectation, CurrentProof &proof) {
  const Plan &plan = plan_of(expectation.kind);
  const WiringDiagnosis voltages = diagnose_inputs(after, expectation, plan);
  const WiringDiagnosis earlier = diagnose_inputs(before, expectation, plan);
  // A reference that moved says nothing; of transformers proven against another one nothing is left.
  if (voltages.reversed_sequence != earlier.reversed_sequence ||
      voltages.reversed_voltage != earlier.reversed_voltage || voltages.no_voltage != earlier.no_voltage) {
    proof = {};
    return false;
  }
  if (voltages.same_line || voltages.strange_voltages)
    return false;
  std::array<double, PHASES> change{};
  double greatest = 0;
  for (size_t i = 0; i < PHASES; i++) {
    const auto &from = before.inputs[i];
    const auto &to = after.inputs[i];
    if (!plan.used[i] || voltages.no_voltage[i])
      continue;
    change[i] = std::hypot(to.active_power - from.active_power, to.reactive_power - from.reactive_power) / to.voltage;
    greatest = std::max(greatest, change[i]);
  }
  if (!(greatest >= HEATER_CURRENT * expectation.minimum_current))
    return false;
  size_t count = 0;
  for (const double value : change)
    count += value > OTHER_CHANGE * greatest;
  // Without a neutral a heater is between lines: only one on three lines shows the angle of a line.
  if (count != (expectation.kind == WiringKind::DELTA ? 2 : 1) &&
      !(expectation.kind == WiringKind::SPLIT_PHASE && count == 2))
    return false;
  CurrentProof found = proof;
  for (size_t i = 0; i < PHASES; i++) {
    if (change[i] <= OTHER_CHANGE * greatest)
      continue;
    const auto &from = before.inputs[i];
    const auto &to = after.inputs[i];
    if (!(to.current - from.current >= HEATER_GROWTH * change[i]))
      return false;
    const double lag = lag_of(to.active_power - from.active_power, to.reactive_power - from.reactive_power,
                              voltages.reversed_voltage[i]);
    found.proven[i] = false;
    for (uint8_t line = 0; line < PHASES; line++) {
      const bool exists = line < 2 || expectation.kind != WiringKind::TWO_LEGS;
      if (!exists || (line != i && !plan.movable))
        continue;
      for (const bool reversed : {false, true}) {
        const double expected = heater_lag(plan, voltages.reversed_sequence, i, line) + (reversed ? 180.0 : 0.0);
        if (std::abs(wrapped(lag - expected)) > HEATER_TOLERANCE)
          continue;
        found.proven[i] = true;
        found.reversed[i] = reversed;
        found.line[i] = line;
      }
    }
    if (!found.proven[i])
      return false;
  }
  proof = found;
  return true;
}

void forget_turned(const WiringObservation &before, const WiringObservation &after, CurrentProof &proof) {
  for (size_t i = 0; i < PHASES; i++) {
    const double turn = lag_of(after.inputs[i].active_power, after.inputs[i].reactive_power, false) -
                        lag_of(before.inputs[i].active_power, before.inputs[i].reactive_power, false);
    if (proof.proven[i] && !(std::abs(wrapped(turn)) <= TURN))
      proof = {};
  }
}

}  // namespace esphome::wiring_check

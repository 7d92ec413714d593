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
/// The lag of a house's load, and how far from it one is odd, degrees.
constexpr double USUAL_LAG = 10.0;
constexpr double LAG_SCALE = 30.0;
/// What a transformer must explain to be taken for reversed or misplaced, in squares of LAG_SCALE.
constexpr double MISTAKE = 0.35;
/// Two explanations nearer than this are equally good.
constexpr double CLEAR_MARGIN = 1.0;
/// The best explanation may be this bad for each transformer (45 degrees off).
constexpr double WORST_LAG = 2.25;

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

/// Finds the fewest mistakes that explain the voltages.
void diagnose_voltages(WiringDiagnosis &diagnosis, const Plan &plan, const Lags &lags) {
  const auto measured = measured_pairs(diagnosis, plan, lags);
  for (size_t pair = 0; pair < PHASES; pair++)
    diagnosis.same_line |= measured[pair] && near(lags[pair], 0);
  if (diagnosis.same_line)
    return;
  unsigned fewest = std::numeric_limits<unsigned>::max();
  for (unsigned hypothesis = 0; hypothesis < 16; hypothesis++) {
    const bool wrong_order = (hypothesis & 8) != 0;
    const WiringDiagnosis::PerInput reversed = {(hypothesis & 4) != 0, (hypothesis & 2) != 0, (hypothesis & 1) != 0};
    const unsigned mistakes = wrong_order + reversed[0] + reversed[1] + reversed[2];
    if (mistakes >= fewest || (wrong_order && !plan.has_sequence))
      continue;
    // With the inputs 180 degrees apart a reversed one shows the other's line, which is told above.
    if (!plan.movable && (reversed[0] || reversed[1] || reversed[2]))
      continue;
    if (!fits(lags, measured, wrong_order ? plan.reversed_voltages : plan.voltages, reversed))
      continue;
    fewest = mistakes;
    diagnosis.reversed_sequence = wrong_order;
    diagnosis.reversed_voltage = reversed;
  }
  diagnosis.strange_voltages = fewest == std::numeric_limits<unsigned>::max();
}

/// An explanation of the currents, and how odd the loads would be.
struct Explanation {
  std::array<uint8_t, PHASES> line{0, 1, 2};
  WiringDiagnosis::PerInput reversed{};
  /// Of the loads alone, and with what the mistakes add.
  double oddness{0};
  double cost{std::numeric_limits<double>::infinity()};
};

/// The best explanation, and how much worse the next one is.
class Search {
 public:
  Search(const Plan &plan, const WiringDiagnosis &diagnosis, const Lags &current_lags,
         const std::array<bool, PHASES> &loaded)
      : plan_(plan),
        lines_(diagnosis.reversed_sequence ? plan.reversed_currents : plan.currents),
        lags_(current_lags),
        loaded_(loaded) {
    Explanation start;
    start.cost = 0;
    this->try_from_(0, start);
  }

  const Explanation &best() const { return this->best_; }
  double margin() const { return this->second_ - this->best_.cost; }

 protected:
  void try_from_(size_t input, const Explanation &so_far) {
    if (input == PHASES) {
      this->keep_(so_far);
      return;
    }
    if (!this->loaded_[input]) {
      this->try_from_(input + 1, so_far);
      return;
    }
    for (uint8_t line = 0; line < PHASES; line++) {
      if ((line != input && !this->plan_.movable) || this->is_taken_(input, line, so_far))
        continue;
      for (const bool reversed : {false, true}) {
        Explanation next = so_far;
        next.line[input] = line;
        next.reversed[input] = reversed;
        const double lag = wrapped(this->lags_[input] - this->lines_[line] + (reversed ? 180.0 : 0.0));
        const double oddness = std::pow((lag - USUAL_LAG) / LAG_SCALE, 2);
        next.oddness += oddness;
        next.cost += oddness + (reversed ? MISTAKE : 0) + (line != input ? MISTAKE : 0);
        this->try_from_(input + 1, next);
      }
    }
  }
  bool is_taken_(size_t input, uint8_t line, const Explanation &so_far) const {
    for (size_t other = 0; other < input; other++) {
      if (this->loaded_[other] && so_far.line[other] == line)
        return true;
    }
    return false;
  }
  void keep_(const Explanation &explanation) {
    if (explanation.cost < this->best_.cost) {
      this->second_ = this->best_.cost;
      this->best_ = explanation;
    } else {
      this->second_ = std::min(this->second_, explanation.cost);
    }
  }

  const Plan &plan_;
  const Lags &lines_;
  const Lags &lags_;
  const std::array<bool, PHASES> &loaded_;
  Explanation best_;
  double second_{std::numeric_limits<double>::infinity()};
};

void diagnose_currents(WiringDiagnosis &diagnosis, const WiringObservation &observation, const Plan &plan) {
  const Lags &voltages = diagnosis.reversed_sequence ? plan.reversed_voltages : plan.voltages;
  std::array<bool, PHASES> loaded{};
  Lags lags{};
  size_t count = 0;
  for (size_t i = 0; i < PHASES; i++) {
    loaded[i] = plan.used[i] && !diagnosis.no_voltage[i] && !diagnosis.no_current[i];
    count += loaded[i];
    const auto &input = observation.inputs[i];
    const double behind_voltage = std::atan2(input.reactive_power, input.active_power) * 180.0 / std::numbers::pi;
    lags[i] = voltages[i] + (diagnosis.reversed_voltage[i] ? 180.0 : 0.0) + behind_voltage;
  }
  if (count == 0)
    return;
  const Search search(plan, diagnosis, lags, loaded);
  const Explanation &best = search.best();
  if (search.margin() < CLEAR_MARGIN || best.oddness > WORST_LAG * static_cast<double>(count)) {
    diagnosis.unclear_currents = true;
    return;
  }
  diagnosis.reversed_current = best.reversed;
  diagnosis.line_of_current = best.line;
}

bool any(const WiringDiagnosis::PerInput &inputs) { return inputs[0] || inputs[1] || inputs[2]; }

}  // namespace

bool WiringDiagnosis::has_fault() const {
  return any(this->no_voltage) || any(this->reversed_voltage) || this->same_line || this->reversed_sequence ||
         this->strange_voltages || any(this->reversed_current) || any(this->misplaced_current());
}

WiringDiagnosis::PerInput WiringDiagnosis::misplaced_current() const {
  PerInput inputs;
  for (size_t i = 0; i < PHASES; i++)
    inputs[i] = this->line_of_current[i] != i;
  return inputs;
}

bool WiringDiagnosis::is_complete() const {
  return !any(this->no_voltage) && !any(this->no_current) && !this->same_line && !this->strange_voltages &&
         !this->unclear_currents;
}

WiringDiagnosis diagnose_wiring(const WiringObservation &observation, const WiringExpectation &expectation) {
  const Plan &plan = plan_of(expectation.kind);
  WiringDiagnosis diagnosis;
  for (size_t i = 0; i < PHASES; i++) {
    const auto &input = observation.inputs[i];
    diagnosis.no_voltage[i] = plan.used[i] && !(input.voltage >= MINIMUM_VOLTAGE * expectation.nominal_voltage);
    diagnosis.no_current[i] = plan.used[i] && !(input.current >= expectation.minimum_current);
  }
  diagnose_voltages(diagnosis, plan, observation.voltage_lags);
  if (!diagnosis.same_line && !diagnosis.strange_voltages)
    diagnose_currents(diagnosis, observation, plan);
  return diagnosis;
}

}  // namespace esphome::wiring_check

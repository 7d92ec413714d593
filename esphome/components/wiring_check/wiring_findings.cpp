#include "wiring_findings.h"

#include <algorithm>

namespace esphome::wiring_check {

using ade9000::PHASES;

namespace {

bool any(const WiringDiagnosis::PerInput &inputs) { return inputs[0] || inputs[1] || inputs[2]; }

size_t count_of(const WiringDiagnosis::PerInput &inputs) {
  return static_cast<size_t>(std::count(inputs.begin(), inputs.end(), true));
}

/// Whether two transformers sit on each other's line, and the third on its own.
bool is_exchange(const WiringDiagnosis &diagnosis) {
  const auto inputs = diagnosis.misplaced_current();
  if (count_of(inputs) != 2)
    return false;
  for (size_t i = 0; i < PHASES; i++) {
    if (inputs[i] && diagnosis.line_of_current[diagnosis.line_of_current[i]] != i)
      return false;
  }
  return true;
}

WiringFinding reversed_sequence(const WiringDiagnosis &diagnosis, WiringKind kind) {
  const bool all_proven = diagnosis.proven_current[0] && diagnosis.proven_current[2] &&
                          (diagnosis.proven_current[1] || kind == WiringKind::DELTA);
  // With a neutral tap between two lines, transformers that are exchanged look like reversed ones.
  if (!all_proven || kind == WiringKind::DELTA_WITH_NEUTRAL)
    return {WiringCode::UNCLEAR_SEQUENCE};
  // One mistake explains both: the voltages are exchanged, the transformers are where they belong.
  if (is_exchange(diagnosis))
    return {WiringCode::EXCHANGED_VOLTAGES, diagnosis.misplaced_current()};
  if (kind == WiringKind::DELTA)
    return {WiringCode::REVERSED_SEQUENCE, {true, false, true}};
  return {WiringCode::REVERSED_SEQUENCE, {false, true, true}};
}

/// The line on which a heater would say most: of the first uncertain current, then of the first that is missing. With
/// the sequence reversed every transformer must be known.
WiringDiagnosis::PerInput line_to_load(const WiringDiagnosis &diagnosis) {
  WiringDiagnosis::PerInput unproven{};
  for (size_t i = 0; i < PHASES; i++)
    unproven[i] = diagnosis.reversed_sequence && diagnosis.sequence_matters && diagnosis.ordinary_current[i];
  for (const auto &inputs : {diagnosis.uncertain_current, diagnosis.no_current, unproven}) {
    for (size_t i = 0; i < PHASES; i++) {
      if (!inputs[i] || diagnosis.no_voltage[i])
        continue;
      WiringDiagnosis::PerInput line{};
      line[i] = true;
      return line;
    }
  }
  return {};
}

WiringCode strange_voltages(WiringKind kind) {
  if (kind == WiringKind::DELTA_WITH_NEUTRAL)
    return WiringCode::HIGH_LEG_MISPLACED;
  if (kind == WiringKind::SPLIT_PHASE)
    return WiringCode::NOT_SPLIT_PHASE;
  if (kind == WiringKind::TWO_LEGS)
    return WiringCode::NOT_TWO_LEGS;
  return WiringCode::NOT_THREE_PHASE;
}

/// Names inputs or lines: "I1", "I1 and I2" or "I1, I2 and I3".
std::string names(char letter, const WiringDiagnosis::PerInput &inputs, const char *separator = ", ",
                  const char *last_separator = " and ") {
  std::string text;
  size_t left = count_of(inputs);
  for (size_t i = 0; i < PHASES; i++) {
    if (!inputs[i])
      continue;
    left--;
    text += letter;
    text += static_cast<char>('1' + i);
    if (left > 0)
      text += left == 1 ? last_separator : separator;
  }
  return text;
}

std::string sequence_sentence(const WiringDiagnosis::PerInput &lines) {
  return "The phase sequence is reversed: swap " + names('L', lines) + ", both the voltage inputs (" +
         names('V', lines, ", ", ", ") + ") and the transformers (" + names('I', lines, ", ", ", ") + ").";
}

std::string misplaced_sentence(const WiringFinding &finding) {
  std::string text;
  for (size_t i = 0; i < PHASES; i++) {
    if (!finding.inputs[i])
      continue;
    text += text.empty() ? "I" : ", I";
    text += static_cast<char>('1' + i);
    // The verb stands once, at the first transformer.
    text += text.size() == 2 ? " sits on L" : " on L";
    text += static_cast<char>('1' + finding.lines[i]);
  }
  return "Transformer " + text +
         (count_of(finding.inputs) > 1 ? ": move each to its own line." : ": move it to its own line.");
}

std::string sentence_of(const WiringFinding &finding) {
  const auto &inputs = finding.inputs;
  switch (finding.code) {
    case WiringCode::NO_VOLTAGE:
      return "No voltage at " + names('V', inputs) + ": check fuse and wire.";
    case WiringCode::LOST_TAP:
      return "No voltage at " + names('V', inputs) +
             ", yet current flows there: the meter's own fuse or wire to it is open.";
    case WiringCode::SAME_LINE:
      return "Two voltage inputs are on the same line: put each on its own.";
    case WiringCode::HIGH_LEG_MISPLACED:
      return "The voltages do not fit: the high leg must be on V3, the two sides of the neutral on V1 and V2.";
    case WiringCode::NOT_SPLIT_PHASE:
      return "V1 and V2 are not opposite to each other: is this a split-phase supply? Else set the wiring (120 "
             "degrees apart: two_legs).";
    case WiringCode::NOT_TWO_LEGS:
      return "V1 and V2 are not 120 degrees apart: check both inputs, N, and the wiring set.";
    case WiringCode::NOT_THREE_PHASE:
      return "The angles between the voltages fit no three-phase supply: check each voltage input, N, and the wiring "
             "set.";
    case WiringCode::REVERSED_VOLTAGE:
      return "Swap the two wires of voltage input " + names('V', inputs) + ".";
    case WiringCode::EXCHANGED_VOLTAGES:
      return "Voltage inputs " + names('V', inputs) + " are exchanged: swap them.";
    case WiringCode::REVERSED_SEQUENCE:
      return sequence_sentence(inputs);
    case WiringCode::UNCLEAR_SEQUENCE:
      return "The phase sequence is reversed: two voltage inputs are exchanged, or two whole lines.";
    case WiringCode::EXCHANGED_CURRENTS:
      return "Transformers " + names('I', inputs) + " are exchanged: swap them.";
    case WiringCode::MISPLACED_CURRENT:
      return misplaced_sentence(finding);
    case WiringCode::REVERSED_CURRENT:
      return std::string("Turn ") + (count_of(inputs) > 1 ? "transformers " : "transformer ") + names('I', inputs) +
             " round.";
    case WiringCode::EXCHANGED_OR_REVERSED_CURRENTS:
      return "Transformers I1 and I2 are exchanged, or both the wrong way round: swap them.";
    case WiringCode::UNCLEAR_CURRENTS:
      return "Two transformers seem to sit on one line: put each on its own, and check again.";
    case WiringCode::RIGHT:
      return "Everything is connected right.";
    case WiringCode::INCOMPLETE:
      return "No fault found so far.";
    case WiringCode::UNCERTAIN_CURRENT:
      return "Uncertain: " + names('I', inputs) + ". A wrong transformer, feed-in or a low power factor look alike.";
    case WiringCode::NO_CURRENT:
      return "Too little current at " + names('I', inputs) + " to check.";
    case WiringCode::SWITCH_ON_HEATER:
      return "Switch a kettle on on " + names('L', inputs) + " and check again within two minutes.";
    case WiringCode::SWITCH_ON_THREE_PHASE_HEATER:
      return "Switch a three-phase heater on and check again within two minutes.";
    case WiringCode::NOT_CHECKED:
      return "Not checked yet: put a heater on each phase, switch feed-in off, then check the wiring.";
    case WiringCode::NO_MEASUREMENT:
      return "The chip gives no measurements: check its supply and the wires of its SPI bus.";
  }
  return "";
}

/// Name of a code, and the letter of its inputs; 0 where the code has none.
struct CodeName {
  const char *name;
  char letter;
};

/// In the order of WiringCode.
constexpr CodeName CODE_NAMES[] = {
    {"no_voltage", 'V'},
    {"lost_tap", 'V'},
    {"same_line", 0},
    {"high_leg_misplaced", 0},
    {"not_split_phase", 0},
    {"not_two_legs", 0},
    {"not_three_phase", 0},
    {"reversed_voltage", 'V'},
    {"exchanged_voltages", 'V'},
    {"reversed_sequence", 'L'},
    {"unclear_sequence", 0},
    {"exchanged_currents", 'I'},
    {"misplaced_current", 'I'},
    {"reversed_current", 'I'},
    {"exchanged_or_reversed_currents", 'I'},
    {"unclear_currents", 0},
    {"right", 0},
    {"incomplete", 0},
    {"uncertain_current", 'I'},
    {"no_current", 'I'},
    {"switch_on_heater", 'L'},
    {"switch_on_three_phase_heater", 0},
    {"not_checked", 0},
    {"no_measurement", 0},
};
static_assert(std::size(CODE_NAMES) == static_cast<size_t>(WiringCode::NO_MEASUREMENT) + 1);

/// "I1=L2,I2=L1".
std::string places(const WiringFinding &finding) {
  std::string text;
  for (size_t i = 0; i < PHASES; i++) {
    if (!finding.inputs[i])
      continue;
    text += text.empty() ? "I" : ",I";
    text += static_cast<char>('1' + i);
    text += "=L";
    text += static_cast<char>('1' + finding.lines[i]);
  }
  return text;
}

/// Longest state of an entity in Home Assistant, characters.
constexpr size_t LONGEST_STATE = 255;

}  // namespace

WiringFindings list_findings(const WiringDiagnosis &diagnosis, WiringKind kind) {
  WiringFindings findings;
  const auto misplaced = diagnosis.misplaced_current();
  WiringDiagnosis::PerInput dead{};
  for (size_t i = 0; i < PHASES; i++)
    dead[i] = diagnosis.no_voltage[i] && !diagnosis.lost_tap[i];
  if (any(dead))
    findings.add({WiringCode::NO_VOLTAGE, dead});
  if (any(diagnosis.lost_tap))
    findings.add({WiringCode::LOST_TAP, diagnosis.lost_tap});
  if (diagnosis.same_line)
    findings.add({WiringCode::SAME_LINE});
  if (diagnosis.strange_voltages)
    findings.add({strange_voltages(kind)});
  if (any(diagnosis.reversed_voltage))
    findings.add({WiringCode::REVERSED_VOLTAGE, diagnosis.reversed_voltage});
  const bool wrong_sequence = diagnosis.reversed_sequence && diagnosis.sequence_matters;
  if (wrong_sequence)
    findings.add(reversed_sequence(diagnosis, kind));
  if (any(misplaced) && !(wrong_sequence && is_exchange(diagnosis))) {
    if (is_exchange(diagnosis)) {
      findings.add({WiringCode::EXCHANGED_CURRENTS, misplaced});
    } else {
      findings.add({WiringCode::MISPLACED_CURRENT, misplaced, diagnosis.line_of_current});
    }
  }
  auto reversed = diagnosis.reversed_current;
  const bool has_opposite_lines = kind == WiringKind::SPLIT_PHASE || kind == WiringKind::DELTA_WITH_NEUTRAL;
  if (has_opposite_lines && reversed[0] && reversed[1]) {
    findings.add({WiringCode::EXCHANGED_OR_REVERSED_CURRENTS, {true, true, false}});
    reversed[0] = reversed[1] = false;
  }
  if (any(reversed))
    findings.add({WiringCode::REVERSED_CURRENT, reversed});
  if (diagnosis.unclear_currents)
    findings.add({WiringCode::UNCLEAR_CURRENTS});
  if (findings.is_empty())
    findings.add({diagnosis.is_complete() ? WiringCode::RIGHT : WiringCode::INCOMPLETE});
  if (any(diagnosis.uncertain_current))
    findings.add({WiringCode::UNCERTAIN_CURRENT, diagnosis.uncertain_current});
  if (any(diagnosis.no_current))
    findings.add({WiringCode::NO_CURRENT, diagnosis.no_current});
  if (const auto line = line_to_load(diagnosis); any(line)) {
    if (kind == WiringKind::DELTA) {
      findings.add({WiringCode::SWITCH_ON_THREE_PHASE_HEATER});
    } else {
      findings.add({WiringCode::SWITCH_ON_HEATER, line});
    }
  }
  return findings;
}

std::string describe_wiring(const WiringFindings &findings) {
  std::string text;
  for (const WiringFinding &finding : findings) {
    const std::string sentence = sentence_of(finding);
    if (text.size() + 1 + sentence.size() > LONGEST_STATE)
      break;
    if (!text.empty())
      text += ' ';
    text += sentence;
  }
  return text;
}

std::string encode_wiring(const WiringFindings &findings) {
  std::string text;
  for (const WiringFinding &finding : findings) {
    const CodeName &code = CODE_NAMES[static_cast<size_t>(finding.code)];
    if (!text.empty())
      text += ';';
    text += code.name;
    if (code.letter == 0)
      continue;
    text += ':';
    text +=
        finding.code == WiringCode::MISPLACED_CURRENT ? places(finding) : names(code.letter, finding.inputs, ",", ",");
  }
  return text;
}

}  // namespace esphome::wiring_check

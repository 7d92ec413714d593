#include "wiring_findings.h"

#include "esphome/components/device_message/device_message.h"

#include <algorithm>
#include <iterator>

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

/// Kinds of messages, and the letter of their inputs; 0 where they name none. In the order of WiringCode.
struct WiringMessage {
  device_message::MessageKind kind;
  char letter;
};

constexpr WiringMessage MESSAGES[] = {
    {{"no_voltage", "No voltage at {inputs}: check fuse and wire."}, 'V'},
    {{"lost_tap", "No voltage at {inputs}, yet current flows there: the meter's own fuse or wire to it is open."}, 'V'},
    {{"same_line", "Two voltage inputs are on the same line: put each on its own."}, 0},
    {{"high_leg_misplaced",
      "The voltages do not fit: the high leg must be on V3, the two sides of the neutral on V1 and V2."},
     0},
    {{"not_split_phase",
      "V1 and V2 are not opposite to each other: is this a split-phase supply? If not, set the wiring of the meter "
      "(120° apart: two_legs)."},
     0},
    {{"not_two_legs", "V1 and V2 are not 120° apart: check both voltage inputs, N, and the wiring that is set."}, 0},
    {{"not_three_phase",
      "The angles between the voltages fit no three-phase supply: check each voltage input, N, and the wiring that is "
      "set."},
     0},
    {{"reversed_voltage", "Swap the two wires of each of these voltage inputs: {inputs}."}, 'V'},
    {{"exchanged_voltages", "These voltage inputs are exchanged, swap them: {inputs}."}, 'V'},
    {{"reversed_sequence",
      "The phase sequence is reversed: swap the lines {inputs}, both at the voltage inputs and at the transformers."},
     'L'},
    {{"unclear_sequence", "The phase sequence is reversed: two voltage inputs are exchanged, or two whole lines."}, 0},
    {{"exchanged_currents", "These transformers are exchanged, swap them: {inputs}."}, 'I'},
    {{"misplaced_current", "These transformers are on another line, move each to its own: {inputs}."}, 'I'},
    {{"reversed_current", "Turn these transformers round: {inputs}."}, 'I'},
    {{"exchanged_or_reversed_currents",
      "These transformers are exchanged, or both the wrong way round, swap them: {inputs}."},
     'I'},
    {{"unclear_currents", "Two transformers seem to sit on one line: put each on its own, and check again."}, 0},
    {{"right", "Everything is connected right."}, 0},
    {{"incomplete", "No fault found so far."}, 0},
    {{"uncertain_current", "Uncertain: {inputs}. A wrong transformer, feed-in or a low power factor look alike."}, 'I'},
    {{"no_current", "Too little current to check {inputs}."}, 'I'},
    {{"switch_on_heater", "Switch a kettle on on {inputs} and check again within two minutes."}, 'L'},
    {{"switch_on_three_phase_heater", "Switch a three-phase heater on and check again within two minutes."}, 0},
    {{"not_checked", "Not checked yet: put a heater on each phase, switch feed-in off, then check the wiring."}, 0},
    {{"no_measurement", "The chip gives no measurements: check its supply and the wires of its SPI bus."}, 0},
};
static_assert(std::size(MESSAGES) == static_cast<size_t>(WiringCode::NO_MEASUREMENT) + 1);

/// Writes the inputs of a finding: "V1,V3", or where their transformers sit: "I1=L2,I2=L1".
std::string encode_inputs(const WiringFinding &finding, char letter) {
  std::string text;
  for (size_t i = 0; i < PHASES; i++) {
    if (!finding.inputs[i])
      continue;
    if (!text.empty())
      text += ',';
    text += letter;
    text += static_cast<char>('1' + i);
    if (finding.code == WiringCode::MISPLACED_CURRENT) {
      text += "=L";
      text += static_cast<char>('1' + finding.lines[i]);
    }
  }
  return text;
}

device_message::Message message_of(const WiringFinding &finding) {
  const WiringMessage &entry = MESSAGES[static_cast<size_t>(finding.code)];
  device_message::Message message(entry.kind);
  if (entry.letter != 0)
    message.add_inputs(encode_inputs(finding, entry.letter));
  return message;
}

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
    const std::string sentence = message_of(finding).describe();
    if (text.size() + 1 + sentence.size() > device_message::LONGEST_STATE)
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
    if (!text.empty())
      text += ';';
    text += message_of(finding).encode();
  }
  return text;
}

}  // namespace esphome::wiring_check

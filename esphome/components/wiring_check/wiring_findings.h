#pragma once

#include "wiring_diagnosis.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace esphome::wiring_check {

/** Kinds of findings, in the order in which a person is told of them.
 *
 * The names that encode_wiring() writes are part of the protocol with clients: a kind may be added, none may change.
 */
enum class WiringCode : uint8_t {
  NO_VOLTAGE,
  /// No voltage, while the line's current flows on: the fuse or wire of the meter's own tap.
  LOST_TAP,
  SAME_LINE,
  /// Voltages that do not fit a delta with a neutral tap: the high leg is not on V3.
  HIGH_LEG_MISPLACED,
  /// Voltages that are not opposite to each other.
  NOT_SPLIT_PHASE,
  /// Voltages that are not 120 degrees apart.
  NOT_TWO_LEGS,
  /// Voltages that fit no three-phase supply.
  NOT_THREE_PHASE,
  REVERSED_VOLTAGE,
  EXCHANGED_VOLTAGES,
  /// Reversed phase sequence: voltage inputs and transformers of two lines are exchanged together.
  REVERSED_SEQUENCE,
  /// Reversed phase sequence, as long as it is not known where the transformers sit.
  UNCLEAR_SEQUENCE,
  EXCHANGED_CURRENTS,
  MISPLACED_CURRENT,
  REVERSED_CURRENT,
  /// Both transformers of a split phase are reversed, or exchanged: the angles are the same.
  EXCHANGED_OR_REVERSED_CURRENTS,
  UNCLEAR_CURRENTS,
  /// Every input was judged, and is right.
  RIGHT,
  /// No fault was found, but not every input could be judged.
  INCOMPLETE,
  /// Angles that a wrong transformer and another load would both give.
  UNCERTAIN_CURRENT,
  NO_CURRENT,
  /// A heater to switch on, on the line named, before the check is repeated within two minutes.
  SWITCH_ON_HEATER,
  /// The same, without a neutral: a heater on three lines.
  SWITCH_ON_THREE_PHASE_HEATER,
  NOT_CHECKED,
  NO_MEASUREMENT,
};

/// One finding, with the inputs (0..2) to which it applies.
struct WiringFinding {
  WiringCode code{WiringCode::NOT_CHECKED};
  /// Voltage or current inputs; of REVERSED_SEQUENCE the two lines to exchange.
  WiringDiagnosis::PerInput inputs{};
  /// Line of the transformer at each current input; of MISPLACED_CURRENT alone.
  std::array<uint8_t, ade9000::PHASES> lines{0, 1, 2};
};

/// Findings of one check, the most important first. No heap.
class WiringFindings {
 public:
  WiringFindings() = default;
  explicit WiringFindings(WiringCode code) { this->add({.code = code}); }

  void add(const WiringFinding &finding) { this->findings_[this->count_++] = finding; }
  bool is_empty() const { return this->count_ == 0; }
  const WiringFinding *begin() const { return this->findings_.data(); }
  const WiringFinding *end() const { return this->findings_.data() + this->count_; }

 protected:
  /// list_findings() adds twelve at most: one for each member of WiringDiagnosis, the verdict, and what to switch on.
  std::array<WiringFinding, 12> findings_{};
  size_t count_{0};
};

/// Lists the findings of a diagnosis.
WiringFindings list_findings(const WiringDiagnosis &diagnosis, WiringKind kind);

/// Writes findings as English sentences; at most 255 characters, the last sentences left out where there are more.
std::string describe_wiring(const WiringFindings &findings);

/** Writes findings as codes for a client that puts them into its user's language.
 *
 * A code is a name, where it has inputs followed by a colon and the inputs with commas between; codes are separated by
 * semicolons: "no_voltage:V3;misplaced_current:I1=L2,I2=L1". At most 255 characters, and never cut.
 */
std::string encode_wiring(const WiringFindings &findings);

}  // namespace esphome::wiring_check

// The wiring check against supplies wired well or badly in phasors: the diagnosis must name the mistake made.

#include "firmware_tests/cpp/support/wiring_bench.h"

#include <cmath>
#include <limits>
#include <utility>

namespace esphome::wiring_check {
namespace {

TEST_F(WiringCheck, FindsEveryExchangeAndReversalWithAHeaterOnEachLine) {
  for (int round = 0; round < 1500; round++) {
    Installation house = this->house(-20, 40);
    house.voltage_on = this->permutation();
    house.current_on = this->permutation();
    const size_t reversed_voltage = std::uniform_int_distribution<size_t>(0, 5)(this->random_);
    if (reversed_voltage < 3)
      house.voltage_factor[reversed_voltage] = -1;
    for (size_t i = 0; i < 3; i++)
      house.current_factor[i] = this->coin() ? -1 : 1;
    WiringDiagnosis expected = truth_of(house);
    expected.proven_current = {true, true, true};
    Session session{WiringKind::WYE, 230};
    ASSERT_EQ(session.with_heaters(house), expected) << "round " << round;
  }
}

TEST_F(WiringCheck, AccusesNothingWhereAllIsRight) {
  for (int round = 0; round < 3000; round++) {
    const Installation house = this->house(-20, 40);
    ASSERT_FALSE(diagnose(house).has_fault()) << words(house);
    ASSERT_EQ(words(house), "Everything is connected right.");
  }
}

TEST_F(WiringCheck, ALineThatFeedsInIsNoFault) {
  for (int round = 0; round < 1500; round++) {
    Installation house = this->house(-70, 70);
    for (double &lag : house.lags)
      lag += this->coin() ? 180 : 0;
    ASSERT_FALSE(diagnose(house).has_fault()) << words(house);
  }
}

TEST_F(WiringCheck, AHeaterSwitchedOffAccusesNoTransformer) {
  Installation house;
  house.amperes = {1, 1, 1};
  CurrentProof proof;
  prove_currents(house.observe_with_heater(1, 9), house.observe(), {WiringKind::WYE, 230, 0.5}, proof);
  EXPECT_EQ(proof.proven, (WiringDiagnosis::PerInput{}));
}

TEST_F(WiringCheck, JudgesTheOthersWhereAVoltageOrACurrentIsMissing) {
  for (int round = 0; round < 1500; round++) {
    Installation house = this->house(-2, 22);
    const size_t dead = std::uniform_int_distribution<size_t>(0, 2)(this->random_);
    const size_t turned = (dead + 1) % 3;
    house.current_factor[turned] = -1;
    house.voltage_factor[dead] = this->between(0, 0.3);
    Session session{WiringKind::WYE, 230};
    const WiringDiagnosis diagnosis = session.with_heaters(house);
    WiringDiagnosis::PerInput only{};
    only[dead] = true;
    ASSERT_EQ(diagnosis.no_voltage, only);
    ASSERT_EQ(diagnosis.lost_tap, only);
    only = {};
    only[turned] = true;
    ASSERT_EQ(diagnosis.reversed_current, only);
    ASSERT_EQ(diagnosis.misplaced_current(), (WiringDiagnosis::PerInput{}));
  }
}

TEST_F(WiringCheck, ATransformerThatWasTurnedRoundIsProvenAnew) {
  Installation house;
  house.current_factor = {1, -1, 1};
  Session session{WiringKind::WYE, 230};
  ASSERT_TRUE(session.with_heaters(house).reversed_current[1]);
  CurrentProof same = session.proof;
  forget_turned(house.observe(), house.observe(), same);
  EXPECT_TRUE(same.proven[1]);
  Installation mended;
  ASSERT_FALSE(prove_currents(house.observe(), mended.observe(), {WiringKind::WYE, 230, 0.5}, session.proof));
  forget_turned(house.observe(), mended.observe(), session.proof);
  EXPECT_EQ(encode_wiring(list_findings(diagnose_wiring(mended.observe(), {WiringKind::WYE, 230, 0.5}, session.proof),
                                        WiringKind::WYE)),
            "right");
}

TEST_F(WiringCheck, TellsItsOwnFuseFromALineThatIsOff) {
  Installation house;
  house.voltage_factor = {1, 1, 0};
  EXPECT_EQ(codes(house).substr(0, 11), "lost_tap:V3");
  EXPECT_EQ(find_lost_taps(house.observe(), {WiringKind::WYE, 230, 0.5}),
            (WiringDiagnosis::PerInput{false, false, true}));
  house.current_factor = {1, 1, 0};
  EXPECT_EQ(codes(house).substr(0, 13), "no_voltage:V3");
  EXPECT_EQ(find_lost_taps(house.observe(), {WiringKind::WYE, 230, 0.5}), (WiringDiagnosis::PerInput{}));
}

/// Whether codes keep to what clients are promised: names, inputs and lines, and their separators.
bool is_well_formed(const std::string &codes) {
  return !codes.empty() && codes.size() <= 255 &&
         codes.find_first_not_of("abcdefghijklmnopqrstuvwxyz_:;,=VIL123") == std::string::npos &&
         codes.find(";;") == std::string::npos && codes.back() != ';' && codes.back() != ':';
}

TEST_F(WiringCheck, WhateverItSeesItHasASentenceAndCodesThatFitAnEntity) {
  const double strange[] = {0, -1, 1e9, std::numeric_limits<double>::quiet_NaN(),
                            std::numeric_limits<double>::infinity()};
  for (int round = 0; round < 3000; round++) {
    WiringObservation observation;
    for (auto &input : observation.inputs)
      input = {this->between(0, 400), this->between(0, 50), this->between(-9e3, 9e3), this->between(-9e3, 9e3)};
    for (double &lag : observation.voltage_lags)
      lag = this->coin() ? 60 * std::round(this->between(0, 6)) : this->between(-10, 400);
    if (round % 4 == 0)
      observation.voltage_lags[round % 3] = strange[round % 5];
    if (round % 7 == 0)
      observation.inputs[round % 3] = {strange[round % 5], strange[round % 4], strange[round % 5], strange[round % 3]};
    const auto kind = static_cast<WiringKind>(round % 6);
    const WiringFindings findings = list_findings(diagnose_wiring(observation, {kind, 230, 0.5}), kind);
    const std::string text = describe_wiring(findings);
    ASSERT_FALSE(text.empty());
    ASSERT_LE(text.size(), 255u);
    const std::string codes = encode_wiring(findings);
    ASSERT_TRUE(is_well_formed(codes)) << codes;
  }
}

TEST_F(WiringCheck, DeltaFindsExchangedAndReversedTransformers) {
  for (int round = 0; round < 1500; round++) {
    Installation house = this->house(-2, 22);
    house.reference = house.line_voltages[1];
    WiringDiagnosis expected;
    if (this->coin()) {
      house.current_on = {2, 1, 0};
      expected.line_of_current = {2, 1, 0};
    }
    for (const size_t i : {0u, 2u}) {
      expected.reversed_current[i] = this->coin();
      house.current_factor[i] = expected.reversed_current[i] ? -1 : 1;
    }
    expected.proven_current = {true, false, true};
    Session session{WiringKind::DELTA, 400};
    ASSERT_EQ(session.with_heaters(house), expected) << words_with_heaters(house, WiringKind::DELTA, 400);
  }
}

TEST_F(WiringCheck, DeltaFindsTheWrongOrder) {
  Installation house = this->house(0, 10);
  house.voltage_on = {2, 1, 0};
  house.current_on = {2, 1, 0};
  house.reference = house.line_voltages[1];
  EXPECT_TRUE(diagnose(house, WiringKind::DELTA, 400).reversed_sequence);
  EXPECT_NE(words_with_heaters(house, WiringKind::DELTA, 400).find("swap the lines L1, L3"), std::string::npos);
}

Installation split_phase() {
  Installation house;
  house.line_voltages = {polar(120, 0), polar(120, 180), 0};
  house.amperes = {8, 3, 0};
  house.lags = {5, 20, 0};
  return house;
}

TEST_F(WiringCheck, SplitPhase) {
  Installation house = split_phase();
  EXPECT_EQ(words_with_heaters(house, WiringKind::SPLIT_PHASE, 120), "Everything is connected right.");
  house.current_factor = {1, -1, 0};
  EXPECT_EQ(words_with_heaters(house, WiringKind::SPLIT_PHASE, 120), "Turn these transformers round: I2.");
  house.current_factor = {1, 1, 1};
  house.current_on = {1, 0, 2};
  EXPECT_NE(words_with_heaters(house, WiringKind::SPLIT_PHASE, 120)
                .find("exchanged, or both the wrong way round, swap them: I1, I2."),
            std::string::npos);
  house.current_on = {0, 1, 2};
  house.voltage_on = {0, 0, 2};
  EXPECT_EQ(words_with_heaters(house, WiringKind::SPLIT_PHASE, 120),
            "Two voltage inputs are on the same line: put each on its own.");
}

// Two legs of a three-phase supply, 120 degrees apart: whichever two, either may be the first.
TEST_F(WiringCheck, TwoLegs) {
  for (const double leg : {-120.0, 120.0}) {
    Installation house;
    house.line_voltages = {polar(120, 0), polar(120, leg), 0};
    house.amperes = {8, 3, 0};
    house.lags = {5, 20, 0};
    EXPECT_EQ(codes(house, WiringKind::TWO_LEGS, 120), "right");
    for (const auto &order : {std::array<uint8_t, 3>{0, 1, 2}, {1, 0, 2}}) {
      for (unsigned turned = 0; turned < 4; turned++) {
        house.current_on = order;
        house.current_factor = {(turned & 1) != 0 ? -1.0 : 1.0, (turned & 2) != 0 ? -1.0 : 1.0, 1};
        WiringDiagnosis expected = truth_of(house);
        const WiringDiagnosis at_once = diagnose(house, WiringKind::TWO_LEGS, 120);
        EXPECT_FALSE(at_once.has_fault());
        Session session{WiringKind::TWO_LEGS, 120};
        const WiringDiagnosis proven = session.with_heaters(house);
        EXPECT_EQ(proven.line_of_current, expected.line_of_current);
        EXPECT_EQ(proven.reversed_current, expected.reversed_current);
        EXPECT_EQ(proven.has_fault(), turned != 0 || order[0] != 0);
      }
    }
    house = split_phase();
    EXPECT_EQ(codes(house, WiringKind::TWO_LEGS, 120), "not_two_legs");
    house.line_voltages[1] = polar(120, leg);
    EXPECT_EQ(codes(house, WiringKind::SPLIT_PHASE, 120), "not_split_phase");
  }
}

TEST_F(WiringCheck, SinglePhase) {
  Installation house;
  house.voltage_factor = {1, 0, 0};
  house.current_factor = {1, 0, 0};
  EXPECT_EQ(words_with_heaters(house, WiringKind::SINGLE_PHASE), "Everything is connected right.");
  house.current_factor[0] = -1;
  EXPECT_EQ(words_with_heaters(house, WiringKind::SINGLE_PHASE), "Turn these transformers round: I1.");
}

TEST_F(WiringCheck, DeltaWithNeutral) {
  // L1 and L2 at 120 V on either side of the tap, the high leg at 208 V between them.
  Installation house;
  house.line_voltages = {polar(120, 30), polar(120, 210), polar(208, 120)};
  EXPECT_EQ(words_with_heaters(house, WiringKind::DELTA_WITH_NEUTRAL, 120), "Everything is connected right.");
  house.current_factor[2] = -1;
  EXPECT_EQ(words_with_heaters(house, WiringKind::DELTA_WITH_NEUTRAL, 120), "Turn these transformers round: I3.");
  house.current_factor[2] = 1;
  house.voltage_on = {0, 2, 1};
  EXPECT_NE(words_with_heaters(house, WiringKind::DELTA_WITH_NEUTRAL, 120).find("high leg must be on V3"),
            std::string::npos);
}

TEST_F(WiringCheck, SaysWhatToSwap) {
  Installation house;
  EXPECT_EQ(words_with_heaters(house), "Everything is connected right.");

  house.current_on = {1, 0, 2};
  EXPECT_EQ(words_with_heaters(house), "These transformers are exchanged, swap them: I1, I2.");

  house.current_on = {1, 2, 0};
  EXPECT_EQ(words_with_heaters(house),
            "These transformers are on another line, move each to its own: I1 -> L2, I2 -> L3, I3 -> L1.");

  house = {};
  house.voltage_on = {0, 2, 1};
  EXPECT_EQ(words_with_heaters(house), "These voltage inputs are exchanged, swap them: V2, V3.");

  house.current_on = {0, 2, 1};
  EXPECT_NE(words_with_heaters(house).find("The phase sequence is reversed: swap the lines L2, L3"), std::string::npos);

  house = {};
  house.current_factor = {-1, 1, -1};
  EXPECT_EQ(words_with_heaters(house), "Turn these transformers round: I1, I3.");

  house = {};
  house.voltage_factor = {1, -1, 1};
  EXPECT_EQ(words_with_heaters(house), "Swap the two wires of each of these voltage inputs: V2.");

  house = {};
  house.voltage_factor = {1, 1, 0};
  EXPECT_EQ(words_with_heaters(house),
            "No voltage at V3, yet current flows there: the meter's own fuse or wire to it is open.");

  house = {};
  house.voltage_on = {0, 0, 2};
  EXPECT_EQ(words_with_heaters(house), "Two voltage inputs are on the same line: put each on its own.");

  house = {};
  house.amperes = {5, 0.1, 0.1};
  EXPECT_EQ(words(house),
            "No fault found so far. Too little current to check I2, I3. "
            "Switch a kettle on on L2 and check again within two minutes.");

  house = {};
  house.lags[1] = 88;
  EXPECT_EQ(words(house),
            "No fault found so far. Uncertain: I2. A wrong transformer, feed-in or a low power factor look "
            "alike. Switch a kettle on on L2 and check again within two minutes.");
}

TEST_F(WiringCheck, EncodesWhatItFinds) {
  Installation house;
  EXPECT_EQ(codes_with_heaters(house), "right");
  house.current_on = {1, 0, 2};
  EXPECT_EQ(codes_with_heaters(house), "exchanged_currents:I1,I2");
  house.current_on = {1, 2, 0};
  EXPECT_EQ(codes_with_heaters(house), "misplaced_current:I1=L2,I2=L3,I3=L1");

  house = {};
  house.voltage_on = {0, 2, 1};
  EXPECT_EQ(codes_with_heaters(house), "exchanged_voltages:V2,V3");
  house.current_on = {0, 2, 1};
  EXPECT_EQ(codes_with_heaters(house), "reversed_sequence:L2,L3");

  house = {};
  house.current_factor = {-1, 1, -1};
  house.voltage_factor = {1, -1, 1};
  EXPECT_EQ(codes_with_heaters(house), "reversed_voltage:V2;reversed_current:I1,I3");

  house = {};
  house.voltage_factor = {1, 1, 0};
  house.amperes = {5, 0.1, 5};
  EXPECT_EQ(codes(house), "lost_tap:V3;no_current:I2;switch_on_heater:L2");

  house = {};
  house.voltage_on = {0, 0, 2};
  EXPECT_EQ(codes(house), "same_line");

  house = {};
  house.amperes = {5, 0.1, 0.1};
  EXPECT_EQ(codes(house), "incomplete;no_current:I2,I3;switch_on_heater:L2");
}

// The names and the sentences that clients and people know, each of them.
TEST_F(WiringCheck, NamesEveryCode) {
  const std::pair<WiringFinding, const char *> cases[] = {
      {{WiringCode::NO_VOLTAGE, {true, true, true}}, "no_voltage:V1,V2,V3"},
      {{WiringCode::LOST_TAP, {false, false, true}}, "lost_tap:V3"},
      {{WiringCode::SAME_LINE}, "same_line"},
      {{WiringCode::HIGH_LEG_MISPLACED}, "high_leg_misplaced"},
      {{WiringCode::NOT_SPLIT_PHASE}, "not_split_phase"},
      {{WiringCode::NOT_TWO_LEGS}, "not_two_legs"},
      {{WiringCode::NOT_THREE_PHASE}, "not_three_phase"},
      {{WiringCode::REVERSED_VOLTAGE, {true, false, false}}, "reversed_voltage:V1"},
      {{WiringCode::EXCHANGED_VOLTAGES, {true, true, false}}, "exchanged_voltages:V1,V2"},
      {{WiringCode::REVERSED_SEQUENCE, {true, false, true}}, "reversed_sequence:L1,L3"},
      {{WiringCode::UNCLEAR_SEQUENCE}, "unclear_sequence"},
      {{WiringCode::EXCHANGED_CURRENTS, {false, true, true}}, "exchanged_currents:I2,I3"},
      {{WiringCode::MISPLACED_CURRENT, {true, false, false}, {1, 1, 2}}, "misplaced_current:I1=L2"},
      {{WiringCode::REVERSED_CURRENT, {false, false, true}}, "reversed_current:I3"},
      {{WiringCode::EXCHANGED_OR_REVERSED_CURRENTS, {true, true, false}}, "exchanged_or_reversed_currents:I1,I2"},
      {{WiringCode::UNCLEAR_CURRENTS}, "unclear_currents"},
      {{WiringCode::RIGHT}, "right"},
      {{WiringCode::INCOMPLETE}, "incomplete"},
      {{WiringCode::UNCERTAIN_CURRENT, {true, true, false}}, "uncertain_current:I1,I2"},
      {{WiringCode::SWITCH_ON_HEATER, {false, true, false}}, "switch_on_heater:L2"},
      {{WiringCode::SWITCH_ON_THREE_PHASE_HEATER}, "switch_on_three_phase_heater"},
      {{WiringCode::NO_CURRENT, {true, false, true}}, "no_current:I1,I3"},
      {{WiringCode::NOT_CHECKED}, "not_checked"},
      {{WiringCode::NO_MEASUREMENT}, "no_measurement"},
  };
  for (const auto &[finding, code] : cases) {
    WiringFindings findings;
    findings.add(finding);
    EXPECT_EQ(encode_wiring(findings), code);
    EXPECT_FALSE(describe_wiring(findings).empty()) << code;
  }
}

}  // namespace
}  // namespace esphome::wiring_check

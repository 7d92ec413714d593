// The wiring check against supplies wired well or badly in phasors: the diagnosis must name the mistake made.

#include "esphome/components/wiring_check/wiring_diagnosis.h"
#include "esphome/components/wiring_check/wiring_findings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <complex>
#include <numbers>
#include <random>
#include <string>
#include <utility>

namespace esphome::wiring_check {
namespace {

using Phasor = std::complex<double>;

Phasor polar(double magnitude, double degrees) { return std::polar(magnitude, degrees * std::numbers::pi / 180.0); }

/// What a person did at the meter, on a supply whose lines 0, 1, 2 follow one another.
struct Installation {
  std::array<Phasor, 3> line_voltages{polar(230, 0), polar(230, -120), polar(230, 120)};
  /// Degrees by which each line's load lags its voltage, and its amperes.
  std::array<double, 3> lags{0, 0, 0};
  std::array<double, 3> amperes{5, 5, 5};
  std::array<uint8_t, 3> voltage_on{0, 1, 2};
  std::array<uint8_t, 3> current_on{0, 1, 2};
  std::array<double, 3> voltage_factor{1, 1, 1};
  std::array<double, 3> current_factor{1, 1, 1};
  /// Subtracted from each voltage input; a delta's reference.
  Phasor reference{0};

  WiringObservation observe() const {
    WiringObservation observation;
    std::array<Phasor, 3> voltages;
    for (size_t i = 0; i < 3; i++) {
      const size_t line = this->current_on[i];
      const Phasor current = std::polar(this->amperes[line], std::arg(this->line_voltages[line])) *
                             polar(1, -this->lags[line]) * this->current_factor[i];
      voltages[i] = (this->line_voltages[this->voltage_on[i]] - this->reference) * this->voltage_factor[i];
      const Phasor power = voltages[i] * std::conj(current);
      observation.inputs[i] = {std::abs(voltages[i]), std::abs(current), power.real(), power.imag()};
    }
    const size_t pairs[][2] = {{0, 1}, {1, 2}, {0, 2}};
    for (size_t pair = 0; pair < 3; pair++) {
      const Phasor from = voltages[pairs[pair][0]];
      const Phasor to = voltages[pairs[pair][1]];
      // An angle register: 0 to 360; whatever it last held where a voltage is missing.
      double lag = std::arg(from / to) * 180.0 / std::numbers::pi;
      if (std::abs(from) < 1 || std::abs(to) < 1)
        lag = 77;
      observation.voltage_lags[pair] = lag < 0 ? lag + 360 : lag;
    }
    return observation;
  }
};

class WiringCheck : public ::testing::Test {
 protected:
  double between(double low, double high) { return std::uniform_real_distribution<>(low, high)(this->random_); }
  bool coin() { return this->between(0, 1) < 0.5; }
  std::array<uint8_t, 3> permutation() {
    std::array<uint8_t, 3> order{0, 1, 2};
    std::shuffle(order.begin(), order.end(), this->random_);
    return order;
  }
  Installation house(double least_lag, double most_lag) {
    Installation house;
    for (size_t i = 0; i < 3; i++) {
      house.line_voltages[i] *= this->between(0.94, 1.06) * polar(1, this->between(-3, 3));
      house.lags[i] = this->between(least_lag, most_lag);
      house.amperes[i] = this->between(0.6, 60);
    }
    return house;
  }
  static WiringDiagnosis diagnose(const Installation &installation, WiringKind kind = WiringKind::WYE,
                                  double nominal = 230) {
    return diagnose_wiring(installation.observe(), {kind, nominal, 0.5});
  }
  static std::string words(const Installation &installation, WiringKind kind = WiringKind::WYE, double nominal = 230) {
    return describe_wiring(list_findings(diagnose(installation, kind, nominal), kind));
  }
  static std::string codes(const Installation &installation, WiringKind kind = WiringKind::WYE, double nominal = 230) {
    return encode_wiring(list_findings(diagnose(installation, kind, nominal), kind));
  }

  std::mt19937 random_{20241};
};

bool is_odd(const std::array<uint8_t, 3> &order) {
  return (order[0] > order[1]) != (order[0] > order[2]) ? (order[1] < order[2]) : (order[1] > order[2]);
}

TEST_F(WiringCheck, FindsEveryExchangeAndReversalOfAnOrdinaryHouse) {
  for (int round = 0; round < 20000; round++) {
    Installation house = this->house(-2, 22);
    house.voltage_on = this->permutation();
    house.current_on = this->permutation();
    WiringDiagnosis expected;
    const size_t reversed_voltage = std::uniform_int_distribution<size_t>(0, 5)(this->random_);
    if (reversed_voltage < 3) {
      house.voltage_factor[reversed_voltage] = -1;
      expected.reversed_voltage[reversed_voltage] = true;
    }
    for (size_t i = 0; i < 3; i++) {
      expected.reversed_current[i] = this->coin();
      house.current_factor[i] = expected.reversed_current[i] ? -1 : 1;
      // Which line is which, nobody can tell but by the voltage inputs.
      expected.line_of_current[i] = static_cast<uint8_t>(
          std::find(house.voltage_on.begin(), house.voltage_on.end(), house.current_on[i]) - house.voltage_on.begin());
    }
    expected.reversed_sequence = is_odd(house.voltage_on);
    ASSERT_EQ(diagnose(house), expected) << "round " << round << ": " << words(house);
  }
}

TEST_F(WiringCheck, AccusesNothingWhereAllIsRight) {
  for (int round = 0; round < 20000; round++) {
    const Installation house = this->house(-20, 40);
    ASSERT_FALSE(diagnose(house).has_fault()) << words(house);
    ASSERT_EQ(words(house), "Everything is connected right.");
  }
}

TEST_F(WiringCheck, JudgesTheOthersWhereAVoltageAndACurrentAreMissing) {
  for (int round = 0; round < 5000; round++) {
    Installation house = this->house(-2, 22);
    const size_t dead = std::uniform_int_distribution<size_t>(0, 2)(this->random_);
    const size_t turned = (dead + 1) % 3;
    house.voltage_factor[dead] = this->between(0, 0.3);
    house.current_factor[turned] = -1;
    const WiringDiagnosis diagnosis = diagnose(house);
    WiringDiagnosis expected;
    expected.no_voltage[dead] = true;
    expected.reversed_current[turned] = true;
    ASSERT_EQ(diagnosis, expected) << words(house);

    house.voltage_factor[dead] = 1;
    house.current_factor[dead] = 0.001;
    expected = {};
    expected.no_current[dead] = true;
    expected.reversed_current[turned] = true;
    ASSERT_EQ(diagnose(house), expected) << words(house);
  }
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
  for (int round = 0; round < 20000; round++) {
    WiringObservation observation;
    for (auto &input : observation.inputs)
      input = {this->between(0, 400), this->between(0, 50), this->between(-9e3, 9e3), this->between(-9e3, 9e3)};
    for (double &lag : observation.voltage_lags)
      lag = this->coin() ? 60 * std::round(this->between(0, 6)) : this->between(-10, 400);
    if (round % 4 == 0)
      observation.voltage_lags[round % 3] = strange[round % 5];
    if (round % 7 == 0)
      observation.inputs[round % 3] = {strange[round % 5], strange[round % 4], strange[round % 5], strange[round % 3]};
    const auto kind = static_cast<WiringKind>(round % 5);
    const WiringFindings findings = list_findings(diagnose_wiring(observation, {kind, 230, 0.5}), kind);
    const std::string text = describe_wiring(findings);
    ASSERT_FALSE(text.empty());
    ASSERT_LE(text.size(), 255u);
    const std::string codes = encode_wiring(findings);
    ASSERT_TRUE(is_well_formed(codes)) << codes;
  }
}

TEST_F(WiringCheck, DeltaFindsExchangedAndReversedTransformers) {
  for (int round = 0; round < 5000; round++) {
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
    ASSERT_EQ(diagnose(house, WiringKind::DELTA, 400), expected) << words(house, WiringKind::DELTA, 400);
  }
}

TEST_F(WiringCheck, DeltaFindsTheWrongOrder) {
  Installation house = this->house(0, 10);
  house.voltage_on = {2, 1, 0};
  house.current_on = {2, 1, 0};
  house.reference = house.line_voltages[1];
  EXPECT_TRUE(diagnose(house, WiringKind::DELTA, 400).reversed_sequence);
  EXPECT_NE(words(house, WiringKind::DELTA, 400).find("swap L1 and L3"), std::string::npos);
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
  EXPECT_EQ(words(house, WiringKind::SPLIT_PHASE, 120), "Everything is connected right.");
  house.current_factor = {1, -1, 0};
  EXPECT_EQ(words(house, WiringKind::SPLIT_PHASE, 120), "Turn transformer I2 round (unless that line feeds in now).");
  house.current_factor = {1, 1, 1};
  house.current_on = {1, 0, 2};
  EXPECT_NE(words(house, WiringKind::SPLIT_PHASE, 120).find("Transformers I1 and I2 are exchanged"), std::string::npos);
  house.current_on = {0, 1, 2};
  house.voltage_on = {0, 0, 2};
  EXPECT_EQ(words(house, WiringKind::SPLIT_PHASE, 120),
            "Two voltage inputs are on the same line: put each on its own.");
}

TEST_F(WiringCheck, SinglePhase) {
  Installation house;
  house.voltage_factor = {1, 0, 0};
  house.current_factor = {1, 0, 0};
  EXPECT_EQ(words(house, WiringKind::SINGLE_PHASE), "Everything is connected right.");
  house.current_factor[0] = -1;
  EXPECT_EQ(words(house, WiringKind::SINGLE_PHASE), "Turn transformer I1 round (unless that line feeds in now).");
}

TEST_F(WiringCheck, DeltaWithNeutral) {
  // L1 and L2 at 120 V on either side of the tap, the high leg at 208 V between them.
  Installation house;
  house.line_voltages = {polar(120, 30), polar(120, 210), polar(208, 120)};
  EXPECT_EQ(words(house, WiringKind::DELTA_WITH_NEUTRAL, 120), "Everything is connected right.");
  house.current_factor[2] = -1;
  EXPECT_EQ(words(house, WiringKind::DELTA_WITH_NEUTRAL, 120),
            "Turn transformer I3 round (unless that line feeds in now).");
  house.current_factor[2] = 1;
  house.voltage_on = {0, 2, 1};
  EXPECT_NE(words(house, WiringKind::DELTA_WITH_NEUTRAL, 120).find("high leg must be on V3"), std::string::npos);
}

TEST_F(WiringCheck, SaysWhatToSwap) {
  Installation house;
  EXPECT_EQ(words(house), "Everything is connected right.");

  house.current_on = {1, 0, 2};
  EXPECT_EQ(words(house), "Transformers I1 and I2 are exchanged: swap them.");

  house.current_on = {1, 2, 0};
  EXPECT_EQ(words(house), "Transformer I1 sits on L2, I2 on L3, I3 on L1: move each to its own line.");

  house = {};
  house.voltage_on = {0, 2, 1};
  EXPECT_EQ(words(house), "Voltage inputs V2 and V3 are exchanged: swap them.");

  house.current_on = {0, 2, 1};
  EXPECT_NE(words(house).find("The phase sequence is reversed: swap L2 and L3"), std::string::npos);

  house = {};
  house.current_factor = {-1, 1, -1};
  EXPECT_EQ(words(house), "Turn transformers I1 and I3 round (unless that line feeds in now).");

  house = {};
  house.voltage_factor = {1, -1, 1};
  EXPECT_EQ(words(house), "Swap the two wires of voltage input V2.");

  house = {};
  house.voltage_factor = {1, 1, 0};
  EXPECT_EQ(words(house), "No voltage at V3: check fuse and wire.");

  house = {};
  house.voltage_on = {0, 0, 2};
  EXPECT_EQ(words(house), "Two voltage inputs are on the same line: put each on its own.");

  house = {};
  house.amperes = {5, 0.1, 0.1};
  EXPECT_EQ(
      words(house),
      "No fault found so far. Too little current at I2 and I3 to check: switch a heater on there and check again.");

  house = {};
  house.lags = {40, 40, 40};
  house.current_factor = {1, 1, 1};
  house.lags[1] = 88;
  EXPECT_NE(words(house).find("The currents fit no clear picture"), std::string::npos) << words(house);
}

TEST_F(WiringCheck, EncodesWhatItFinds) {
  Installation house;
  EXPECT_EQ(codes(house), "right");
  house.current_on = {1, 0, 2};
  EXPECT_EQ(codes(house), "exchanged_currents:I1,I2");
  house.current_on = {1, 2, 0};
  EXPECT_EQ(codes(house), "misplaced_current:I1=L2,I2=L3,I3=L1");

  house = {};
  house.voltage_on = {0, 2, 1};
  EXPECT_EQ(codes(house), "exchanged_voltages:V2,V3");
  house.current_on = {0, 2, 1};
  EXPECT_EQ(codes(house), "reversed_sequence:L2,L3");

  house = {};
  house.current_factor = {-1, 1, -1};
  house.voltage_factor = {1, -1, 1};
  EXPECT_EQ(codes(house), "reversed_voltage:V2;reversed_current:I1,I3");

  house = {};
  house.voltage_factor = {1, 1, 0};
  house.amperes = {5, 0.1, 5};
  EXPECT_EQ(codes(house), "no_voltage:V3;no_current:I2");

  house = {};
  house.voltage_on = {0, 0, 2};
  EXPECT_EQ(codes(house), "same_line");

  house = {};
  house.amperes = {5, 0.1, 0.1};
  EXPECT_EQ(codes(house), "incomplete;no_current:I2,I3");
}

// The names and the sentences that clients and people know, each of them.
TEST_F(WiringCheck, NamesEveryCode) {
  const std::pair<WiringFinding, const char *> cases[] = {
      {{WiringCode::NO_VOLTAGE, {true, true, true}}, "no_voltage:V1,V2,V3"},
      {{WiringCode::SAME_LINE}, "same_line"},
      {{WiringCode::HIGH_LEG_MISPLACED}, "high_leg_misplaced"},
      {{WiringCode::NOT_SPLIT_PHASE}, "not_split_phase"},
      {{WiringCode::NOT_THREE_PHASE}, "not_three_phase"},
      {{WiringCode::REVERSED_VOLTAGE, {true, false, false}}, "reversed_voltage:V1"},
      {{WiringCode::EXCHANGED_VOLTAGES, {true, true, false}}, "exchanged_voltages:V1,V2"},
      {{WiringCode::REVERSED_SEQUENCE, {true, false, true}}, "reversed_sequence:L1,L3"},
      {{WiringCode::EXCHANGED_CURRENTS, {false, true, true}}, "exchanged_currents:I2,I3"},
      {{WiringCode::MISPLACED_CURRENT, {true, false, false}, {1, 1, 2}}, "misplaced_current:I1=L2"},
      {{WiringCode::REVERSED_CURRENT, {false, false, true}}, "reversed_current:I3"},
      {{WiringCode::EXCHANGED_OR_REVERSED_CURRENTS, {true, true, false}}, "exchanged_or_reversed_currents:I1,I2"},
      {{WiringCode::UNCLEAR_CURRENTS}, "unclear_currents"},
      {{WiringCode::RIGHT}, "right"},
      {{WiringCode::INCOMPLETE}, "incomplete"},
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

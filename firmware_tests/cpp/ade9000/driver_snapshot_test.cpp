// The driver's snapshot of three phases taken together, and the cases without a snapshot.

#include "esphome/components/ade9000/snapshot.h"

#include <gtest/gtest.h>

#include <cmath>

namespace esphome::ade9000 {
namespace {

constexpr Validity VALIDITY{.minimum_voltage = 115, .minimum_apparent_power = 7.5};

PhaseValues phase(double voltage, double current, double power_factor, double frequency) {
  const double apparent = voltage * current;
  return {
      voltage,      current,  apparent * power_factor, apparent * std::sqrt(1 - power_factor * power_factor), apparent,
      power_factor, frequency};
}

TEST(Snapshot, TotalsAddWhatThePhasesSay) {
  const Snapshot snapshot =
      make_snapshot({phase(230, 10, 1.0, 50), phase(230, 5, -1.0, 50), phase(230, 2, 0.6, 50)}, {}, VALIDITY);
  EXPECT_NEAR(snapshot.at(Channel::TOTAL, Quantity::ACTIVE_POWER), 2300 - 1150 + 276, 0.01);
  EXPECT_NEAR(snapshot.at(Channel::TOTAL, Quantity::REACTIVE_POWER), 368, 0.01);
  EXPECT_NEAR(snapshot.at(Channel::TOTAL, Quantity::APPARENT_POWER), 3910, 0.01);
  EXPECT_NEAR(snapshot.at(Channel::TOTAL, Quantity::POWER_FACTOR), 1426.0 / 3910, 1e-4);
  EXPECT_NEAR(snapshot.at(Channel::L2, Quantity::ACTIVE_POWER), -1150, 0.01);
}

TEST(Snapshot, FrequencyIsTheMedianOfThePhasesWithVoltage) {
  EXPECT_NEAR(make_snapshot({phase(230, 1, 1, 49.9), phase(230, 1, 1, 50.0), phase(230, 1, 1, 47.0)}, {}, VALIDITY)
                  .at(Channel::TOTAL, Quantity::FREQUENCY),
              49.9, 1e-4);
  // A dead phase has no say, whatever its register holds.
  EXPECT_NEAR(make_snapshot({phase(230, 1, 1, 49.9), phase(3, 0, 1, 41.0), phase(230, 1, 1, 50.1)}, {}, VALIDITY)
                  .at(Channel::TOTAL, Quantity::FREQUENCY),
              50.0, 1e-4);
}

TEST(Snapshot, NoVoltageNoFrequency) {
  const Snapshot snapshot =
      make_snapshot({phase(0, 0, 0, 50), phase(10, 0, 0, 50), phase(114, 0, 0, 50)}, {}, VALIDITY);
  EXPECT_TRUE(std::isnan(snapshot.at(Channel::TOTAL, Quantity::FREQUENCY)));
  EXPECT_TRUE(std::isnan(snapshot.at(Channel::L3, Quantity::FREQUENCY)));
  EXPECT_FLOAT_EQ(snapshot.at(Channel::L3, Quantity::VOLTAGE), 114);
}

TEST(Snapshot, NoPowerNoPowerFactor) {
  const Snapshot snapshot =
      make_snapshot({phase(230, 0.01, 1, 50), phase(230, 10, -1, 50), phase(230, 0, 0, 50)}, {}, VALIDITY);
  EXPECT_TRUE(std::isnan(snapshot.at(Channel::L1, Quantity::POWER_FACTOR)));
  EXPECT_FLOAT_EQ(snapshot.at(Channel::L2, Quantity::POWER_FACTOR), -1);
}

TEST(Snapshot, EnergiesAndVoltageTotalsAreNotInvented) {
  const Snapshot snapshot =
      make_snapshot({phase(230, 1, 1, 50), phase(230, 1, 1, 50), phase(230, 1, 1, 50)}, {}, VALIDITY);
  EXPECT_TRUE(std::isnan(snapshot.at(Channel::TOTAL, Quantity::VOLTAGE)));
  EXPECT_TRUE(std::isnan(snapshot.at(Channel::L1, Quantity::IMPORT_ENERGY)));
}

/// Healthy angles between the voltages.
constexpr DeviceValues HEALTHY{.voltage_angles = {120, 120, -120}};

std::array<PhaseValues, PHASES> voltages(double l1, double l2, double l3) {
  std::array<PhaseValues, PHASES> phases = {phase(l1, 1, 1, 50), phase(l2, 1, 1, 50), phase(l3, 1, 1, 50)};
  for (PhaseValues &each : phases) {
    each.fundamental_voltage = each.voltage;
    each.voltage_thd = 2;
    each.current_thd = 20;
    each.phase_angle = 30;
  }
  return phases;
}

TEST(Snapshot, UnbalanceOfUnequalVoltages) {
  const Snapshot balanced = make_snapshot(voltages(230, 230, 230), HEALTHY, VALIDITY);
  EXPECT_NEAR(balanced.at(Channel::TOTAL, Quantity::VOLTAGE_UNBALANCE), 0, 1e-4);
  // |240 + 230/_120 + 220/_240| = 17.3205 V against 690 V.
  const Snapshot unequal = make_snapshot(voltages(240, 230, 220), HEALTHY, VALIDITY);
  EXPECT_NEAR(unequal.at(Channel::TOTAL, Quantity::VOLTAGE_UNBALANCE), 2.5102, 1e-3);
  EXPECT_NEAR(unequal.at(Channel::TOTAL, Quantity::VOLTAGE_ZERO_SEQUENCE), 2.5102, 1e-3);
}

TEST(Snapshot, ALostPhaseIsAnUnbalanceOfHalf) {
  // Two phasors of 1 at 0 and -120 degrees: positive (1 + 1) / 3, negative |1 + 1/_120| / 3 = 1/3.
  const DeviceValues stale{.voltage_angles = {77, 120, 13}};
  const Snapshot without_l1 = make_snapshot(voltages(0, 230, 230), stale, VALIDITY);
  EXPECT_NEAR(without_l1.at(Channel::TOTAL, Quantity::VOLTAGE_UNBALANCE), 50, 0.01);
  EXPECT_TRUE(std::isnan(without_l1.at(Channel::TOTAL, Quantity::VOLTAGE_ANGLE_L1_L2)));
  EXPECT_NEAR(without_l1.at(Channel::TOTAL, Quantity::VOLTAGE_ANGLE_L2_L3), 120, 1e-4);
  EXPECT_TRUE(std::isnan(without_l1.at(Channel::L1, Quantity::VOLTAGE_THD)));
  EXPECT_TRUE(std::isnan(without_l1.at(Channel::L1, Quantity::PHASE_ANGLE)));
  EXPECT_FLOAT_EQ(without_l1.at(Channel::L2, Quantity::PHASE_ANGLE), 30);
  const Snapshot single = make_snapshot(voltages(230, 0, 0), stale, VALIDITY);
  EXPECT_TRUE(std::isnan(single.at(Channel::TOTAL, Quantity::VOLTAGE_UNBALANCE)));
}

TEST(Snapshot, NoAngleOfACurrentTooSmallToCrossZeroForTheChip) {
  Validity validity = VALIDITY;
  const Snapshot seen = make_snapshot(voltages(230, 230, 230), HEALTHY, validity);
  EXPECT_FLOAT_EQ(seen.at(Channel::L1, Quantity::PHASE_ANGLE), 30);
  validity.minimum_angle_current = 1000;
  const Snapshot unseen = make_snapshot(voltages(230, 230, 230), HEALTHY, validity);
  EXPECT_TRUE(std::isnan(unseen.at(Channel::L1, Quantity::PHASE_ANGLE)));
}

}  // namespace
}  // namespace esphome::ade9000

// What the driver says of three phases together, and when it says nothing.

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
      make_snapshot({phase(230, 10, 1.0, 50), phase(230, 5, -1.0, 50), phase(230, 2, 0.6, 50)}, VALIDITY);
  EXPECT_NEAR(snapshot.at(Channel::TOTAL, Quantity::ACTIVE_POWER), 2300 - 1150 + 276, 0.01);
  EXPECT_NEAR(snapshot.at(Channel::TOTAL, Quantity::REACTIVE_POWER), 368, 0.01);
  EXPECT_NEAR(snapshot.at(Channel::TOTAL, Quantity::APPARENT_POWER), 3910, 0.01);
  EXPECT_NEAR(snapshot.at(Channel::TOTAL, Quantity::POWER_FACTOR), 1426.0 / 3910, 1e-4);
  EXPECT_NEAR(snapshot.at(Channel::L2, Quantity::ACTIVE_POWER), -1150, 0.01);
}

TEST(Snapshot, FrequencyIsTheMedianOfThePhasesWithVoltage) {
  EXPECT_NEAR(make_snapshot({phase(230, 1, 1, 49.9), phase(230, 1, 1, 50.0), phase(230, 1, 1, 47.0)}, VALIDITY)
                  .at(Channel::TOTAL, Quantity::FREQUENCY),
              49.9, 1e-4);
  // A dead phase has no say, whatever its register holds.
  EXPECT_NEAR(make_snapshot({phase(230, 1, 1, 49.9), phase(3, 0, 1, 41.0), phase(230, 1, 1, 50.1)}, VALIDITY)
                  .at(Channel::TOTAL, Quantity::FREQUENCY),
              50.0, 1e-4);
}

TEST(Snapshot, NoVoltageNoFrequency) {
  const Snapshot snapshot = make_snapshot({phase(0, 0, 0, 50), phase(10, 0, 0, 50), phase(114, 0, 0, 50)}, VALIDITY);
  EXPECT_TRUE(std::isnan(snapshot.at(Channel::TOTAL, Quantity::FREQUENCY)));
  EXPECT_TRUE(std::isnan(snapshot.at(Channel::L3, Quantity::FREQUENCY)));
  EXPECT_FLOAT_EQ(snapshot.at(Channel::L3, Quantity::VOLTAGE), 114);
}

TEST(Snapshot, NoPowerNoPowerFactor) {
  const Snapshot snapshot =
      make_snapshot({phase(230, 0.01, 1, 50), phase(230, 10, -1, 50), phase(230, 0, 0, 50)}, VALIDITY);
  EXPECT_TRUE(std::isnan(snapshot.at(Channel::L1, Quantity::POWER_FACTOR)));
  EXPECT_FLOAT_EQ(snapshot.at(Channel::L2, Quantity::POWER_FACTOR), -1);
}

TEST(Snapshot, EnergiesAndVoltageTotalsAreNotInvented) {
  const Snapshot snapshot = make_snapshot({phase(230, 1, 1, 50), phase(230, 1, 1, 50), phase(230, 1, 1, 50)}, VALIDITY);
  EXPECT_TRUE(std::isnan(snapshot.at(Channel::TOTAL, Quantity::VOLTAGE)));
  EXPECT_TRUE(std::isnan(snapshot.at(Channel::L1, Quantity::IMPORT_ENERGY)));
}

}  // namespace
}  // namespace esphome::ade9000

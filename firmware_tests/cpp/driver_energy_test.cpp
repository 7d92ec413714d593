// Counting energy: what a utility meter would show for the same power.

#include "esphome/components/ade9000/energy.h"
#include "esphome/components/ade9000/scaling.h"

#include <gtest/gtest.h>

namespace esphome::ade9000 {
namespace {

TEST(Accumulator, PutsThe13LowBitsUnderTheHighRegister) {
  EXPECT_EQ(accumulator_code(0x00000001, 0x00000000), 8192u);
  EXPECT_EQ(accumulator_code(0xFFFFFFFF, 0x00001FFF), (1ULL << 45) - 1);
}

TEST(Accumulator, GainSurvivesAWrap) {
  const uint64_t top = (1ULL << 45) - 1;
  EXPECT_EQ(accumulator_gain(top - 9, 5), 15);
  EXPECT_EQ(accumulator_gain(5, top - 9), -15);
  EXPECT_EQ(accumulator_gain(123456, 123456), 0);
}

TEST(EnergyRegister, CountsImportAndExportApart) {
  EnergyRegister energy;
  energy.add(1500.0);
  energy.add(-400.0);
  energy.add(2500.0);
  EXPECT_EQ(energy.get_import(), 4000);
  EXPECT_EQ(energy.get_export(), 400);
}

TEST(EnergyRegister, LosesNothingBelowOneNanowattHour) {
  EnergyRegister energy;
  for (int i = 0; i < 1000; i++)
    energy.add(i % 2 ? -0.125 : 0.125);
  EXPECT_EQ(energy.get_import(), 62);
  EXPECT_EQ(energy.get_export(), 62);
}

TEST(EnergyRegister, StillCountsMilliwattHoursAtAHundredGigawattHours) {
  EnergyRegister energy;
  const int64_t hundred_mwh = 100'000'000LL * 1'000'000'000LL;
  energy.restore(hundred_mwh, 0);
  energy.add(1e6);
  EXPECT_EQ(energy.get_import() - hundred_mwh, 1'000'000);
}

TEST(Scaling, FullScaleIsOneVoltPeakAtThePin) {
  // Data sheet: 52 702 092 codes at 0.7071 V rms. A 1:1000.4 divider makes that 707.4 V of mains.
  const Scaling scaling{1000.4, 0.0066965};
  EXPECT_NEAR(scaling.volts(52702092), 707.39, 0.01);
  EXPECT_NEAR(scaling.amperes(52702092), 105.594, 0.001);
  EXPECT_NEAR(scaling.power(20694066), 707.39 * 105.594, 1.0);
  EXPECT_NEAR(scaling.power(-20694066), -707.39 * 105.594, 1.0);
}

TEST(Scaling, KnownPerCodeFiguresOfTheSameFrontEnd) {
  // The published figures of a meter with these ratios: 13.4225 uV, 2.0036 uA and 3.6097 mW per code.
  const Scaling scaling{1000.4, 0.0066965};
  EXPECT_NEAR(scaling.volts(1) * 1e6, 13.4225, 0.0005);
  EXPECT_NEAR(scaling.amperes(1) * 1e6, 2.0036, 0.0001);
  EXPECT_NEAR(scaling.power(1) * 1e3, 3.6097, 0.0005);
}

TEST(Scaling, AnHourAtFullScalePowerIsThatManyWattHours) {
  const Scaling scaling{1000.4, 0.0066965};
  // One power code a sample, 8000 samples a second, for an hour.
  const double codes = 20694066.0 * 8000 * 3600;
  EXPECT_NEAR(codes * scaling.nanowatt_hours_per_code() / 1e9, 707.39 * 105.594, 1.0);
}

TEST(Scaling, PeriodRegisterValuesOfTheDataSheet) {
  EXPECT_NEAR(Scaling::hertz(0x00A00000), 50.0, 0.0001);
  EXPECT_NEAR(Scaling::hertz(0x00855554), 60.0, 0.0001);
}

TEST(Scaling, PowerFactorIsSignedFixedPoint) {
  EXPECT_DOUBLE_EQ(Scaling::power_factor(0x08000000), 1.0);
  EXPECT_DOUBLE_EQ(Scaling::power_factor(static_cast<int32_t>(0xFC000000)), -0.5);
}

}  // namespace
}  // namespace esphome::ade9000

// Counting energy, against a utility meter's totals for the same power.

#include "esphome/components/ade9000/energy_counters.h"
#include "esphome/components/ade9000/energy_totals.h"
#include "esphome/components/ade9000/scaling.h"

#include <gtest/gtest.h>

namespace esphome::ade9000 {
namespace {

TEST(Accumulator, LeavesTheThirteenLowBitsAtZero) {
  EXPECT_EQ(accumulator_code(0x00000001), 8192u);
  EXPECT_EQ(accumulator_code(0xFFFFFFFF), (1ULL << 45) - 8192);
  EXPECT_EQ(high_word_of(8191 + 8192), 8192u);
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

TEST(QuadrantRegister, FollowsTheSignsOfActiveAndReactiveEnergy) {
  QuadrantRegister energy;
  energy.add(5, 1);    // draws, inductive
  energy.add(-5, 2);   // feeds, inductive
  energy.add(-5, -4);  // feeds, capacitive
  energy.add(5, -8);   // draws, capacitive
  EXPECT_EQ(energy.get(0), 1);
  EXPECT_EQ(energy.get(1), 2);
  EXPECT_EQ(energy.get(2), 4);
  EXPECT_EQ(energy.get(3), 8);
}

/// A front end in which one code is a nanowatt-hour.
Scaling unit_scaling() {
  Scaling scaling{1000.0, 1.0};
  scaling.voltage_divider /= scaling.nanowatt_hours_per_code();
  return scaling;
}

TEST(EnergyTotals, NettedTotalAndSumOfPhasesAreTwoThings) {
  EnergyTotals totals;
  totals.start();
  ASSERT_TRUE(totals.count({{10, 10, 10}, {0, 0, 0}, {0, 0, 0}}, unit_scaling()));
  // L1 draws 5000, L2 feeds 3000, L3 draws nothing; then L1 feeds 1000.
  ASSERT_TRUE(totals.count({{5010, (uint64_t{1} << 45) - 2990, 10}, {0, 0, 0}, {6000, 3000, 0}}, unit_scaling()));
  ASSERT_TRUE(totals.count({{4010, (uint64_t{1} << 45) - 2990, 10}, {0, 0, 0}, {7000, 3000, 0}}, unit_scaling()));
  const ActiveEnergy &active = totals.active();
  EXPECT_NEAR(active.get_import(Channel::TOTAL), 2000, 1);
  EXPECT_NEAR(active.get_export(Channel::TOTAL), 1000, 1);
  EXPECT_NEAR(active.get_import_sum_of_phases(), 5000, 1);
  EXPECT_NEAR(active.get_export_sum_of_phases(), 4000, 2);
  EXPECT_NEAR(totals.reactive().get_apparent(Channel::TOTAL), 10000, 2);
}

TEST(EnergyTotals, CodesOfAnotherCountingAreNotGoneOnFrom) {
  EnergyTotals before;
  before.start();
  ASSERT_TRUE(before.count({{8192, 0, 0}, {0, 0, 0}, {8192, 0, 0}}, unit_scaling()));
  ASSERT_TRUE(before.count({{16384, 0, 0}, {500, 0, 0}, {16384, 0, 0}}, unit_scaling()));
  const StoredActiveEnergy active = *before.store_active(7);
  const StoredReactiveEnergy reactive = *before.store_reactive(6);

  EnergyTotals after;
  after.restore(active);
  after.restore(reactive);
  EXPECT_FALSE(after.store_active(7).has_value()) << "nothing is newer than what is kept";
  EXPECT_EQ(after.stored_session(), 7u);
  after.resume(7);
  ASSERT_TRUE(after.count({{16484, 0, 0}, {600, 0, 0}, {16584, 0, 0}}, unit_scaling()));
  ASSERT_TRUE(after.count_gap(unit_scaling(), 1e6));
  EXPECT_NEAR(after.active().get_import(Channel::L1), 8292, 2);
  // The reactive record is of another counting: its totals hold, its codes do not.
  EXPECT_NEAR(after.reactive().get_quadrant(Channel::L1, 0), 500, 2);
  EXPECT_NEAR(after.reactive().get_apparent(Channel::L1), 8192, 2);
}

TEST(EnergyTotals, TheLowWordsThatOlderFirmwareStoredAreNoLoss) {
  // Counters that have not moved: without LO they seem to have gone back, the apparent one by a whole turn.
  StoredActiveEnergy active{};
  active.active = active.apparent = {8192 + 5000, 0, 0};
  active.session = 7;
  StoredReactiveEnergy reactive{};
  reactive.codes = {active.active, {8192 + 5000, 0, 0}, active.apparent};
  reactive.session = 7;
  EnergyTotals after;
  after.restore(active);
  after.restore(reactive);
  after.resume(7);
  ASSERT_TRUE(after.count({{8192, 0, 0}, {8192, 0, 0}, {8192, 0, 0}}, unit_scaling()));
  ASSERT_TRUE(after.count_gap(unit_scaling(), 1e6));
  EXPECT_EQ(after.active().get_import(Channel::L1), 0);
  EXPECT_EQ(after.active().get_export(Channel::L1), 0);
  EXPECT_EQ(after.reactive().get_apparent(Channel::L1), 0);
  EXPECT_EQ(after.reactive().get_quadrant(Channel::L1, 3), 0);
}

TEST(EnergyTotals, TotalsAreKeptEvenWhereTheChipIsGone) {
  EnergyTotals totals;
  totals.start();
  ASSERT_TRUE(totals.count({{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}, unit_scaling()));
  ASSERT_TRUE(totals.count({{800, 0, 0}, {0, 0, 0}, {800, 0, 0}}, unit_scaling()));
  totals.start();  // the chip was reset, and never read again
  const StoredActiveEnergy stored = *totals.store_active(9);
  EXPECT_NEAR(stored.import_nwh[0], 800, 1);
  EXPECT_EQ(stored.session, 0u);
}

/// A chip on whose counters a steady power is counted for a while, modulo 2^45 as the chip does.
EnergyCodes counted(const Scaling &scaling, double watts, double volt_amperes, double seconds) {
  const auto code = [&](double power) {
    return static_cast<uint64_t>(static_cast<int64_t>(scaling.energy_codes(power, seconds))) &
           ((uint64_t{1} << 45) - 1);
  };
  return {{code(watts), 0, 0}, {0, 0, 0}, {code(volt_amperes), 0, 0}};
}

TEST(EnergyTotals, CountersThatWentRoundAreNotGuessed) {
  // The default front end: 707 V, 105.6 A. The wire is cut for 1 to 60 minutes under every load.
  const Scaling scaling{1000.4, 0.0066965};
  const double greatest_power = 1.2 * 230 * 1.4142 * scaling.full_scale_current();
  int counts = 0, silent = 0;
  for (double seconds = 30; seconds <= 3600; seconds += 30) {
    for (double apparent : {100.0, 3000.0, 10000.0, 23000.0, 36000.0}) {
      for (double power_factor : {1.0, 0.7, 0.1, -0.5, -1.0}) {
        EnergyTotals totals;
        totals.start();
        ASSERT_TRUE(totals.count({{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}, scaling));
        const double watts = apparent * power_factor;
        const bool complete = totals.count(counted(scaling, watts, apparent, seconds), scaling,
                                           scaling.energy_codes(greatest_power, seconds));
        const double got = (totals.active().get_import(Channel::L1) - totals.active().get_export(Channel::L1)) * 1e-9;
        const double true_wh = watts * seconds / 3600;
        EXPECT_NEAR(got, complete ? true_wh : 0, 1e-3) << seconds << " s, " << apparent << " VA, " << power_factor;
        EXPECT_LE(std::abs(got), std::abs(true_wh) + 1e-3);
        (complete ? counts : silent)++;
      }
    }
  }
  EXPECT_GT(counts, 100);
  EXPECT_GT(silent, 100);
}

TEST(EnergyTotals, APhaseWhoseGainIsCertainIsCountedBesideOneWhoseIsNot) {
  EnergyTotals totals;
  totals.start();
  ASSERT_TRUE(totals.count({{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}, unit_scaling()));
  const uint64_t much = (uint64_t{1} << 44) + 1000;
  EXPECT_FALSE(totals.count({{much, 5000, 0}, {0, 0, 0}, {much, 6000, 0}}, unit_scaling(), 0x1p44));
  EXPECT_EQ(totals.active().get_import(Channel::L1) + totals.active().get_export(Channel::L1), 0);
  EXPECT_NEAR(totals.active().get_import(Channel::L2), 5000, 2);
  EXPECT_NEAR(totals.reactive().get_apparent(Channel::L1) / 1e9, much / 1e9, 1);
}

TEST(EnergyTotals, KeepTheTimeOfTheirCodes) {
  EnergyTotals totals;
  totals.start();
  ASSERT_TRUE(totals.count({{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}, unit_scaling()));
  EnergyTotals after;
  after.restore(*totals.store_active(7, 1790000000));
  EXPECT_EQ(after.stored_at(), 1790000000u);
}

TEST(Scaling, AnglesAreSignedAndDoNotDependOnTheFrequency) {
  // 1,024,000 steps a second: a third of a cycle is 6826.7 at 50 Hz, 5688.9 at 60 Hz.
  EXPECT_NEAR(Scaling::degrees(6827, 50.0), 120.0, 0.01);
  EXPECT_NEAR(Scaling::degrees(5689, 60.0), 120.0, 0.01);
  EXPECT_NEAR(Scaling::degrees(13653, 50.0), -120.0, 0.01);
  EXPECT_NEAR(Scaling::degrees(10240, 50.0), 180.0, 1e-9);
}

TEST(Scaling, PeaksAndTemperature) {
  // 1 V peak at the pin is 74,532,013 / 32 in a peak register, whatever phases the top bits name.
  const Scaling scaling{1000.4, 0.0066965};
  EXPECT_NEAR(scaling.peak_volts(0x05000000 | 2329125), 1000.4, 0.001);
  EXPECT_NEAR(scaling.peak_volts(0x01000000 | (0x01000000 - 2329125)), 1000.4, 0.001) << "signed (p. 59)";
  EXPECT_NEAR(scaling.peak_amperes(2329125), 1 / 0.0066965, 0.001);
  // TEMP_TRIM: offset 3200 / 32 = 100 degrees, gain 2048 / 65536 = 1/32 degree a step.
  EXPECT_NEAR(Scaling::celsius(2400, 3200UL << 16 | 2048), 25.0, 1e-9);
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

}  // namespace
}  // namespace esphome::ade9000

// The built-in house: deterministic, smooth, plausible.

#include "esphome/components/mains_signal/house_day.h"
#include "firmware_tests/cpp/support/chip_bench.h"
#include "firmware_tests/cpp/support/run_length.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace esphome::mains_signal {

using ade9000_simulator::Bench;
namespace {

constexpr int64_t SOME_DAY = 20774;
constexpr double DAY = 86400.0;

double total_power(const Signal &signal) {
  return signal.phases[0].active_power + signal.phases[1].active_power + signal.phases[2].active_power;
}

TEST(HouseDay, DaysJoinWithoutASeam) {
  // The same moment, once counted from its own midnight and once from the midnight before.
  const HouseDay today(SOME_DAY);
  const HouseDay yesterday(SOME_DAY - 1);
  for (const double second : {0.0, 1234.5, 45000.0, 86399.5}) {
    const Signal one = today.at(second);
    const Signal other = yesterday.at(second + DAY);
    EXPECT_NEAR(one.frequency, other.frequency, 1e-9);
    for (int phase = 0; phase < 3; phase++) {
      EXPECT_NEAR(one.phases[phase].voltage, other.phases[phase].voltage, 1e-9);
      EXPECT_NEAR(one.phases[phase].active_power, other.phases[phase].active_power, 1e-9);
    }
  }
  EXPECT_NE(today.at(45000.0).phases[0].active_power, today.at(45000.0 + DAY).phases[0].active_power);
}

TEST(HouseDay, MovesEachSecondWithoutJumps) {
  const HouseDay house(SOME_DAY);
  constexpr double STEP = 0.02;
  Signal last = house.at(0.0);
  for (double second = STEP; second < 2.0 * DAY; second += STEP) {
    const Signal signal = house.at(second);
    for (int phase = 0; phase < 3; phase++) {
      // A 2.3 kW load switches within 1.5 s: at most 1.5 * 2300 / 1.5 W a second.
      ASSERT_LT(std::abs(signal.phases[phase].active_power - last.phases[phase].active_power), 2600.0 * 2.0 * STEP)
          << second;
      ASSERT_LT(std::abs(signal.phases[phase].voltage - last.phases[phase].voltage), 0.2) << second;
    }
    ASSERT_LT(std::abs(signal.frequency - last.frequency), 0.001) << second;
    last = signal;
    if (std::fmod(second, 60.0) < STEP)
      second += rounds(579.0, 40.0), last = house.at(second);
  }
  for (double second = 0.0; second < DAY; second += 997.0) {
    const Signal before = house.at(second);
    const Signal after = house.at(second + 1.0);
    EXPECT_NE(before.frequency, after.frequency);
    for (int phase = 0; phase < 3; phase++) {
      EXPECT_NE(before.phases[phase].active_power, after.phases[phase].active_power);
      EXPECT_NE(before.phases[phase].voltage, after.phases[phase].voltage);
    }
  }
}

TEST(HouseDay, StaysInTheRangesOfAHouse) {
  for (int64_t day = SOME_DAY; day < SOME_DAY + 20; day++) {
    const HouseDay house(day);
    for (double second = 0.0; second < DAY; second += rounds(29.0, 7.0)) {
      const Signal signal = house.at(second);
      ASSERT_TRUE(signal.measured);
      ASSERT_GE(signal.frequency, 49.95);
      ASSERT_LE(signal.frequency, 50.05);
      for (const PhaseSignal &phase : signal.phases) {
        // EN 50160: 230 V +- 10 %; a house stays well inside.
        ASSERT_GT(phase.voltage, 215.0);
        ASSERT_LT(phase.voltage, 245.0);
        ASSERT_LT(phase.current(), 40.0) << "the main fuse holds";
        // Power is what voltage and current can carry.
        ASSERT_NEAR(std::hypot(phase.active_power, phase.reactive_power), phase.voltage * phase.fundamental_current,
                    1e-6);
      }
    }
  }
}

TEST(HouseDay, EveryDayImportsAndExports) {
  for (int64_t day = SOME_DAY; day < SOME_DAY + 30; day++) {
    const HouseDay house(day);
    double imported = 0.0;
    double exported = 0.0;
    bool phase_exports_at_midday[3] = {};
    constexpr double STEP = 20.0;
    for (double second = 0.0; second < DAY; second += STEP) {
      const Signal signal = house.at(second);
      const double power = total_power(signal);
      (power > 0.0 ? imported : exported) += std::abs(power) * STEP / 3.6e6;
      if (second > 10.0 * 3600.0 && second < 15.0 * 3600.0) {
        for (int phase = 0; phase < 3; phase++)
          phase_exports_at_midday[phase] |= signal.phases[phase].active_power < -300.0;
      }
    }
    EXPECT_GT(imported, 10.0) << "kWh, day " << day;
    EXPECT_LT(imported, 25.0) << "kWh, day " << day;
    EXPECT_GT(exported, 3.0) << "kWh, day " << day;
    EXPECT_LT(exported, 25.0) << "kWh, day " << day;
    for (const bool exports : phase_exports_at_midday)
      EXPECT_TRUE(exports) << "day " << day;
  }
}

TEST(HouseDay, VoltageSagsUnderLoadAndRisesWithTheSun) {
  // Over a month, the voltage of a phase follows its own power with the slope of a real line: some tenths of an ohm.
  double sum_power = 0.0, sum_voltage = 0.0, sum_both = 0.0, sum_square = 0.0;
  int count = 0;
  for (int64_t day = SOME_DAY; day < SOME_DAY + 10; day++) {
    const HouseDay house(day);
    for (double second = 0.0; second < DAY; second += 61.0) {
      const PhaseSignal phase = house.at(second).phases[0];
      sum_power += phase.active_power;
      sum_voltage += phase.voltage;
      sum_both += phase.active_power * phase.voltage;
      sum_square += phase.active_power * phase.active_power;
      count++;
    }
  }
  const double slope = (sum_both - sum_power * sum_voltage / count) / (sum_square - sum_power * sum_power / count);
  EXPECT_LT(slope * 230.0, -0.1) << "ohm";
  EXPECT_GT(slope * 230.0, -0.8) << "ohm";
}

TEST(HouseDay, NightHasNoSun) {
  const HouseDay house(SOME_DAY);
  for (double hour = 0.0; hour < 6.0; hour += 0.05) {
    for (const PhaseSignal &phase : house.at(hour * 3600.0).phases)
      EXPECT_GT(phase.active_power, 0.0);
  }
}

TEST(HouseDay, TheChipCountsWhatTheHouseUses) {
  constexpr double START = 12.0 * 3600.0;
  const double length = rounds(60.0, 900.0);
  const HouseDay house(SOME_DAY);
  Bench bench([&](double seconds) { return house.at(START + seconds); });
  bench.start();
  bench.wait(0.0);
  const double origin = bench.now.position;
  for (int i = 0; i < std::lround(length); i++)
    bench.wait(1.0);
  const uint16_t registers[] = {0x2E6, 0x322, 0x35E};
  for (int phase = 0; phase < 3; phase++) {
    double expected = 0.0;
    for (double second = 0.005; second < length; second += 0.01)
      expected += house.at(START + origin + second).phases[phase].active_power * 0.01 / 3600.0;
    // The last, open window: up to 1.024 s of up to 2.5 kW.
    EXPECT_NEAR(Bench::watt_hours(bench.read45(registers[phase])), expected, 0.8);
  }
}

}  // namespace
}  // namespace esphome::mains_signal

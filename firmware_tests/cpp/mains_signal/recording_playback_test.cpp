// Playing a recording: interpolation, gaps, and the physics of unrecorded quantities.

#include "esphome/components/mains_signal/recording_reader.h"
#include "esphome/components/mains_signal/recorded_phase.h"

#include <gtest/gtest.h>

#include <cmath>

namespace esphome::mains_signal {
namespace {

Recording recording(std::string_view text) {
  auto result = parse_recording(text, "test", {});
  EXPECT_TRUE(result) << result.error;
  return std::move(*result.value);
}

TEST(Playback, InterpolatesBetweenRowsAndHoldsAtBothEnds) {
  const Recording played = recording("time,frequency,voltage_l1\n100,50,200\n110,49,220\n130,51,220\n");
  EXPECT_EQ(played.at(-5.0).frequency, 50.0);
  EXPECT_EQ(played.at(0.0).frequency, 50.0);
  EXPECT_NEAR(played.at(2.5).frequency, 49.75, 1e-12);
  EXPECT_NEAR(played.at(2.5).phases[0].voltage, 205.0, 1e-12);
  EXPECT_EQ(played.at(10.0).frequency, 49.0);
  EXPECT_NEAR(played.at(20.0).frequency, 50.0, 1e-12);
  EXPECT_EQ(played.at(30.0).frequency, 51.0);
  EXPECT_EQ(played.at(1e9).frequency, 51.0);
}

TEST(Playback, NothingIsMeasuredBetweenAGapAndItsNeighbours) {
  const Recording played = recording("time,frequency,voltage_l1\n0,50,230\n1,50,230\n2,50,NaN\n3,50,230\n4,50,230\n");
  EXPECT_TRUE(played.at(0.9).measured);
  EXPECT_TRUE(played.at(1.0).measured) << "on a row, that row counts";
  EXPECT_FALSE(played.at(1.001).measured);
  EXPECT_FALSE(played.at(2.0).measured);
  EXPECT_FALSE(played.at(2.999).measured);
  EXPECT_TRUE(played.at(3.0).measured);
  EXPECT_FALSE(recording("time,frequency\n0,NaN\n1,50\n").at(-1.0).measured);
  EXPECT_FALSE(recording("time,frequency\n0,50\n1,NaN\n").at(9.0).measured);
}

TEST(Playback, AColumnThatIsIgnoredMakesNoGap) {
  EXPECT_TRUE(recording("time,frequency,note\n0,50,NaN\n1,50,NaN\n").at(0.5).measured);
}

TEST(Playback, PhasesWithoutAColumnAreNotConnected) {
  const Signal signal = recording("time,active_power_l2\n0,1150\n1,1150\n").at(0.5);
  EXPECT_EQ(signal.frequency, 50.0);
  EXPECT_EQ(signal.phases[0].voltage, 0.0);
  EXPECT_EQ(signal.phases[0].current(), 0.0);
  EXPECT_EQ(signal.phases[1].voltage, 230.0) << "power without voltage: nominal";
  EXPECT_NEAR(signal.phases[1].current(), 5.0, 1e-12);
}

TEST(Physics, PowersGiveTheFundamentalCurrent) {
  const PhaseSignal phase =
      reconstruct_phase({.voltage = 230.0, .current = {}, .active_power = 3000.0, .reactive_power = -4000.0});
  EXPECT_NEAR(phase.current(), 5000.0 / 230.0, 1e-9);
  EXPECT_EQ(phase.active_power, 3000.0);
  EXPECT_EQ(phase.reactive_power, -4000.0);
  EXPECT_NEAR(phase.lag(), std::atan2(-4.0, 3.0), 1e-12) << "leads";
}

TEST(Physics, CurrentBeyondThePowersIsDistortion) {
  const PhaseSignal phase =
      reconstruct_phase({.voltage = 200.0, .current = 5.0, .active_power = 800.0, .reactive_power = {}});
  EXPECT_NEAR(phase.fundamental_current, 4.0, 1e-12);
  EXPECT_NEAR(phase.distortion_current, 3.0, 1e-12);
  EXPECT_NEAR(phase.current(), 5.0, 1e-12);
}

TEST(Physics, CurrentTooSmallForThePowersIsOverruled) {
  const PhaseSignal phase =
      reconstruct_phase({.voltage = 200.0, .current = 3.9, .active_power = 800.0, .reactive_power = {}});
  EXPECT_NEAR(phase.current(), 4.0, 1e-12);
  EXPECT_EQ(phase.active_power, 800.0);
}

TEST(Physics, CurrentAloneIsAResistiveLoad) {
  const PhaseSignal load =
      reconstruct_phase({.voltage = 230.0, .current = 10.0, .active_power = {}, .reactive_power = {}});
  EXPECT_NEAR(load.active_power, 2300.0, 1e-9);
  EXPECT_EQ(load.reactive_power, 0.0);
  const PhaseSignal source =
      reconstruct_phase({.voltage = 230.0, .current = -10.0, .active_power = {}, .reactive_power = {}});
  EXPECT_NEAR(source.active_power, -2300.0, 1e-9);
  EXPECT_NEAR(source.current(), 10.0, 1e-12);
}

TEST(Physics, CurrentAndReactivePowerLeaveTheActivePower) {
  const PhaseSignal phase =
      reconstruct_phase({.voltage = 100.0, .current = 5.0, .active_power = {}, .reactive_power = 300.0});
  EXPECT_NEAR(phase.active_power, 400.0, 1e-9);
  EXPECT_NEAR(phase.current(), 5.0, 1e-12);
}

TEST(Physics, ADeadLineCarriesNoPower) {
  double last_current = 3000.0 / 23.0 + 1e-9;
  for (double voltage = 23.0; voltage >= 0.0; voltage -= 0.5) {
    const PhaseSignal phase =
        reconstruct_phase({.voltage = voltage, .current = {}, .active_power = 3000.0, .reactive_power = {}});
    EXPECT_NEAR(phase.active_power, voltage * phase.current(), 1e-6) << "P = U * I at unity power factor";
    EXPECT_LE(phase.current(), last_current) << "falls with the voltage";
    last_current = phase.current();
  }
  EXPECT_EQ(last_current, 0.0);
}

TEST(Physics, HarmonicsAreOfTheWholeWaveThatWasRecorded) {
  const Signal signal =
      recording(
          "time,voltage_l1,current_l1,active_power_l1,voltage_h3_l1,voltage_h3_angle_l1,current_h3_l1,"
          "current_h40_l1,voltage_angle_l2,voltage_l2\n"
          "0,230,10,1500,5,30,40,0,-10,230\n1,230,10,1500,7,30,40,10,-10,230\n")
          .at(0.5);
  const PhaseSignal &phase = signal.phases[0];
  ASSERT_EQ(phase.voltage_harmonics.size(), 1u);
  EXPECT_EQ(phase.voltage_harmonics[0].order, 3);
  EXPECT_NEAR(phase.voltage_harmonics[0].ratio, 0.06, 1e-12);
  EXPECT_NEAR(phase.voltage_harmonics[0].angle, 0.5235987756, 1e-9);
  EXPECT_NEAR(phase.rms_voltage(), 230.0, 1e-9);
  EXPECT_NEAR(phase.total_active_power(), 1500.0, 1e-6);
  ASSERT_EQ(phase.current_harmonics.size(), 2u);
  EXPECT_NEAR(phase.current_harmonics[0].ratio, 0.4, 1e-12);
  EXPECT_NEAR(phase.current_harmonics[1].ratio, 0.05, 1e-12);
  EXPECT_NEAR(signal.phases[1].voltage_angle, -0.17453292520, 1e-9);
  EXPECT_NE(phase.active_power, 1500.0) << "the third harmonic carries some of it";
}

TEST(Physics, EverySeriesHasANameThatFindsIt) {
  for (int index = 0; index < SERIES_COUNT; index++) {
    EXPECT_EQ(find_series(series_name(index)), index);
    const Series series = series_at(index);
    EXPECT_EQ(series_index(series.quantity, series.phase, series.order), index) << series_name(index);
  }
  EXPECT_EQ(series_name(series_index(VOLTAGE_HARMONIC_ANGLE, 1, 17)), "voltage_h17_angle_l2");
  EXPECT_EQ(find_series("voltage_h41_l1"), -1);
  EXPECT_EQ(find_series("voltage_h1_l1"), -1);
}

}  // namespace
}  // namespace esphome::mains_signal

// The simulated clock, and what the environment says about it.

#include "esphome/components/ade9000_simulator/playback_clock.h"
#include "esphome/components/ade9000_simulator/local_time.h"
#include "esphome/components/ade9000_simulator/simulator_settings.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>

namespace esphome::ade9000_simulator {
namespace {

TEST(PlaybackClock, RunsAtItsSpeed) {
  const PlaybackClock clock(1000.0, 50.0, 60.0);
  EXPECT_EQ(clock.at(1000.0).position, 50.0);
  EXPECT_EQ(clock.at(1002.0).position, 170.0);
  EXPECT_EQ(clock.at(1002.0).elapsed, 120.0);
  EXPECT_EQ(clock.at(1002.0).real, 1002.0);
  EXPECT_EQ(clock.at(999.0).position, 50.0) << "never before its start";
}

TEST(PlaybackClock, SpeedChangesWithoutAJump) {
  PlaybackClock clock(0.0, 0.0, 1.0);
  clock.set_speed(10.0, 100.0);
  EXPECT_EQ(clock.at(10.0).position, 10.0);
  EXPECT_EQ(clock.at(11.0).position, 110.0);
  clock.set_speed(11.0, 0.0);
  EXPECT_EQ(clock.at(500.0).position, 110.0);
  EXPECT_EQ(clock.at(500.0).elapsed, 110.0);
}

TEST(PlaybackClock, SeekMovesThePositionOnly) {
  PlaybackClock clock(0.0, 0.0, 2.0);
  clock.seek(5.0, 1000.0);
  EXPECT_EQ(clock.at(5.0).position, 1000.0);
  EXPECT_EQ(clock.at(5.0).elapsed, 10.0);
  clock.seek(6.0, 0.0);
  EXPECT_EQ(clock.at(7.0).position, 2.0);
  EXPECT_EQ(clock.at(7.0).elapsed, 14.0);
}

TEST(PlaybackClock, BadValuesAreClampedOrIgnored) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  PlaybackClock clock(0.0, -5.0, 1e6);
  EXPECT_EQ(clock.speed(), 1000.0);
  EXPECT_EQ(clock.at(0.0).position, 0.0);
  clock.set_speed(0.0, -3.0);
  EXPECT_EQ(clock.speed(), 0.0);
  clock.set_speed(0.0, nan);
  EXPECT_EQ(clock.speed(), 0.0);
  clock.seek(0.0, std::numeric_limits<double>::infinity());
  EXPECT_EQ(clock.at(0.0).position, 1e9);
  clock.seek(0.0, nan);
  EXPECT_EQ(clock.at(0.0).position, 1e9);
}

/// An environment of the test's own.
std::map<std::string, std::string> variables;
const char *lookup(const char *name) {
  const auto found = variables.find(name);
  return found == variables.end() ? nullptr : found->second.c_str();
}

TEST(SimulatorSettings, TheEnvironmentWinsOverTheConfiguration) {
  SimulatorSettings yaml;
  yaml.recording = "yaml.csv";
  yaml.options = {{{"voltage_l1", "U"}}, {{"voltage", 2.0}}};
  yaml.speed = 5.0;

  variables = {};
  auto settings = apply_environment(yaml, lookup);
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings.value->recording, "yaml.csv");
  EXPECT_EQ(settings.value->options.columns.size(), 1u);
  EXPECT_EQ(settings.value->speed, 5.0);
  EXPECT_FALSE(settings.value->start);

  variables = {
      {"NRJ_RECORDING", "other.csv"}, {"NRJ_SPEED", "60"}, {"NRJ_START", "12.5"}, {"NRJ_RECORDING_SCALE", "current=3"}};
  settings = apply_environment(yaml, lookup);
  ASSERT_TRUE(settings) << settings.error;
  EXPECT_EQ(settings.value->recording, "other.csv");
  EXPECT_TRUE(settings.value->options.columns.empty()) << "the configuration's columns belong to its own file";
  ASSERT_EQ(settings.value->options.scale.size(), 1u);
  EXPECT_EQ(settings.value->options.scale[0].name, "current");
  EXPECT_EQ(settings.value->speed, 60.0);
  EXPECT_EQ(settings.value->start, 12.5);

  variables = {{"NRJ_RECORDING", ""}, {"NRJ_SPEED", " "}};
  settings = apply_environment(yaml, lookup);
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings.value->recording, "yaml.csv");
  EXPECT_EQ(settings.value->speed, 5.0);
}

TEST(SimulatorSettings, SaysWhatIsWrong) {
  const auto error = [](const char *name, const char *value) {
    variables = {{name, value}};
    return apply_environment({}, lookup).error;
  };
  for (const std::string speed : {"fast", "-1", "1001", "nan", "1 2"})
    EXPECT_EQ(
        error("NRJ_SPEED", speed.c_str()),
        "NRJ_SPEED is '" + speed + "', which is not a speed; write a number from 0 (hold) to 1000, 1 being real time");
  EXPECT_EQ(error("NRJ_START", "noon"),
            "NRJ_START is 'noon', which is not a position; write the seconds at which to start, from 0 to 1000000000");
  EXPECT_EQ(
      error("NRJ_RECORDING_SCALE", "voltage"),
      "NRJ_RECORDING_SCALE: the scale 'voltage' is not of the form voltage=0.001; write name=value pairs separated "
      "by commas");
  EXPECT_EQ(error("NRJ_RECORDING_COLUMNS", "=x"),
            "NRJ_RECORDING_COLUMNS: the column mapping '=x' is not of the form voltage_l1=ColumnName; write name=value "
            "pairs separated by commas");
}

TEST(LocalTime, FollowsTheWallClock) {
  // The clocks of Paris went forward at 01:00 UTC of 30 March 2025, day 20177: 1743296400.
  setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
  tzset();
  EXPECT_EQ(local_time(1743296399).day, 20177);
  EXPECT_EQ(local_time(1743296399).second, 1.0 * 3600.0 + 59.0 * 60.0 + 59.0);
  EXPECT_EQ(local_time(1743296400).second, 3.0 * 3600.0);
  setenv("TZ", "UTC0", 1);
  tzset();
  EXPECT_EQ(local_time(1743296400).second, 1.0 * 3600.0);
  EXPECT_EQ(local_time(-1).day, -1);
}

}  // namespace
}  // namespace esphome::ade9000_simulator

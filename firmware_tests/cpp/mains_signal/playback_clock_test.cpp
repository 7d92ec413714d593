// The simulated clock, and the local time at which the built-in house starts.

#include "esphome/components/mains_signal/playback_clock.h"
#include "esphome/components/mains_signal/local_time.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>

namespace esphome::mains_signal {
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
}  // namespace esphome::mains_signal

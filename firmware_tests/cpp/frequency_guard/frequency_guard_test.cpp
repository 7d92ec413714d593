// The frequency guard against sequences made by hand and against recorded events.

#include "esphome/components/frequency_guard/guard.h"

#include <gtest/gtest.h>

#include <cstring>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace esphome::frequency_guard {
namespace {

constexpr double NOTHING = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t CYCLE = 20;

/// A grid sampled every cycle; remembers every change of the guard.
struct Grid {
  explicit Grid(const GuardSettings &settings = {}, GuardState kept = GuardState::NORMAL) : guard(settings, kept) {
    this->changes = this->guard.changes();
  }
  void sample(double hertz, double volts = 230) {
    this->guard.sample({this->now += CYCLE, {{{volts, hertz}, {volts, hertz}, {volts, hertz}}}});
    this->note();
  }
  void note() {
    if (this->guard.changes() != this->changes) {
      this->changes = this->guard.changes();
      this->log.push_back({this->now, this->guard.state(), this->guard.reason()});
    }
  }
  void hold(double hertz, int64_t ms, double volts = 230) {
    for (int64_t end = this->now + ms; this->now < end;)
      this->sample(hertz, volts);
  }
  /// From here to there at a rate in Hz/s.
  void ramp(double from, double to, double rate) {
    const int steps = std::ceil(std::abs(to - from) / rate * 1000 / CYCLE);
    for (int i = 1; i <= steps; i++)
      this->sample(from + (to - from) * i / steps);
  }
  /// When a state was entered for the first time; -1 if never.
  int64_t entered(GuardState state) const {
    for (const auto &change : this->log) {
      if (change.state == state)
        return change.time_ms;
    }
    return -1;
  }
  bool saw(GuardState state) const { return this->entered(state) >= 0; }

  struct Change {
    int64_t time_ms;
    GuardState state;
    GuardReason reason;
  };
  FrequencyGuard guard;
  int64_t now{0};
  uint32_t changes{0};
  std::vector<Change> log;
};

/// A grid that has been healthy since long before.
Grid settled(const GuardSettings &settings = {}) {
  Grid grid(settings);
  grid.hold(50.0, 15000);
  EXPECT_EQ(grid.guard.state(), GuardState::NORMAL);
  grid.log.clear();
  return grid;
}

TEST(FrequencyGuard, IsInvalidUntilItHasSeenTenSecondsOfGrid) {
  Grid grid;
  EXPECT_EQ(grid.guard.state(), GuardState::INVALID);
  grid.hold(50.0, 9900);
  EXPECT_EQ(grid.guard.state(), GuardState::INVALID);
  grid.hold(50.0, 200);
  EXPECT_EQ(grid.guard.state(), GuardState::NORMAL);
}

TEST(FrequencyGuard, AHealthyGridStaysNormal) {
  Grid grid = settled();
  std::mt19937 random(1);
  std::normal_distribution<double> noise(0, 0.012);
  for (int i = 0; i < 50 * 600; i++)
    grid.sample(50.0 + 0.05 * std::sin(i * 0.001) + noise(random));
  EXPECT_TRUE(grid.log.empty());
}

struct Step {
  double hertz;
  GuardState state;
  int64_t delay_ms;
};
class StepDown : public testing::TestWithParam<Step> {};

// EU 2016/1388 Art. 19: a relay operates within 150 ms of its set-point.
TEST_P(StepDown, IsActedOnWithin150MsOfTheDelay) {
  Grid grid = settled();
  const int64_t start = grid.now + CYCLE;
  grid.hold(GetParam().hertz, 7000);
  const int64_t entered = grid.entered(GetParam().state);
  EXPECT_GE(entered, start + GetParam().delay_ms);
  EXPECT_LE(entered, start + GetParam().delay_ms + 150);
  EXPECT_EQ(grid.log.back().state, GetParam().state);
  EXPECT_EQ(grid.log.back().reason, GuardReason::UNDER_FREQUENCY);
}

INSTANTIATE_TEST_SUITE_P(ContinentalEurope, StepDown,
                         testing::Values(Step{49.89, GuardState::INHIBIT, 5000}, Step{49.79, GuardState::SHED_1, 1000},
                                         Step{49.59, GuardState::SHED_2, 500}, Step{49.19, GuardState::SHED_3, 200}));

TEST(FrequencyGuard, ADeeperStageComesFirstAndImpliesTheOthers) {
  Grid grid = settled();
  grid.hold(49.1, 10000);
  ASSERT_EQ(grid.log.size(), 1u);
  EXPECT_EQ(grid.log[0].state, GuardState::SHED_3);
}

TEST(FrequencyGuard, ASlowSagGoesThroughTheStages) {
  Grid grid = settled();
  grid.ramp(50.0, 49.0, 0.02);
  std::vector<GuardState> states;
  for (const auto &change : grid.log)
    states.push_back(change.state);
  EXPECT_EQ(states, (std::vector{GuardState::INHIBIT, GuardState::SHED_1, GuardState::SHED_2, GuardState::SHED_3}));
}

TEST(FrequencyGuard, ADamagedSampleDoesNothing) {
  Grid grid = settled();
  for (const double wrong : {45.1, 48.0, 49.0, 52.0, 0.0, 1000.0, NOTHING}) {
    grid.sample(wrong);
    grid.hold(50.0, 3000);
  }
  for (const auto &change : grid.log)
    EXPECT_TRUE(change.state == GuardState::INVALID || change.state == GuardState::NORMAL);
}

TEST(FrequencyGuard, ComesBackOnlyAfterAMinuteAboveTheRestoreThreshold) {
  Grid grid = settled();
  grid.hold(49.7, 2000);
  EXPECT_EQ(grid.guard.state(), GuardState::SHED_1);
  EXPECT_FALSE(grid.guard.may_restore());
  grid.hold(49.95, 59000);
  EXPECT_EQ(grid.guard.state(), GuardState::SHED_1);
  grid.hold(49.89, 100);
  grid.hold(49.95, 59900);
  EXPECT_EQ(grid.guard.state(), GuardState::SHED_1);
  grid.hold(49.95, 200);
  EXPECT_EQ(grid.guard.state(), GuardState::NORMAL);
  EXPECT_EQ(grid.guard.reason(), GuardReason::RECOVERED);
  EXPECT_TRUE(grid.guard.may_restore());
  grid.sample(49.89);
  EXPECT_FALSE(grid.guard.may_restore());
}

TEST(FrequencyGuard, AnIslandRestoresBelowItsInhibitThreshold) {
  GuardSettings settings;
  settings.profile = *find_guard_profile("island_50");
  Grid grid = settled(settings);
  grid.hold(49.0, 5000);
  EXPECT_EQ(grid.guard.state(), GuardState::SHED_1);
  grid.ramp(49.0, 49.75, 0.5);
  grid.hold(49.75, 300000);
  EXPECT_EQ(grid.guard.state(), GuardState::INHIBIT);
  EXPECT_TRUE(grid.guard.may_restore());
  const size_t changes = grid.log.size();
  grid.hold(49.75, 600000);
  EXPECT_EQ(grid.log.size(), changes) << "it must not flap between two thresholds";
  grid.hold(49.85, 121000);
  EXPECT_EQ(grid.guard.state(), GuardState::NORMAL);
}

TEST(FrequencyGuard, AbsorbsAndReleases) {
  Grid grid = settled();
  grid.hold(50.15, 9900);
  EXPECT_EQ(grid.guard.state(), GuardState::NORMAL);
  grid.hold(50.15, 300);
  EXPECT_EQ(grid.guard.state(), GuardState::ABSORB_1);
  grid.hold(50.25, 1100);
  EXPECT_EQ(grid.guard.state(), GuardState::ABSORB_2);
  grid.hold(50.05, 600000);
  EXPECT_EQ(grid.guard.state(), GuardState::ABSORB_2) << "between the thresholds all stays";
  grid.hold(50.01, 30100);
  EXPECT_EQ(grid.guard.state(), GuardState::NORMAL);
  EXPECT_EQ(grid.guard.reason(), GuardReason::RELEASED);
}

TEST(FrequencyGuard, DoesNotAbsorbTheReboundAfterAShed) {
  Grid grid = settled();
  grid.hold(49.7, 2000);
  grid.hold(50.3, 14 * 60000);
  EXPECT_FALSE(grid.saw(GuardState::ABSORB_1));
  EXPECT_FALSE(grid.saw(GuardState::ABSORB_2));
  // 15 min after the last moment of the shed, which ended a minute after the frequency had risen.
  grid.hold(50.3, 3 * 60000);
  EXPECT_TRUE(grid.saw(GuardState::ABSORB_2));
}

TEST(FrequencyGuard, WithoutVoltageThereIsNoFrequency) {
  Grid grid = settled();
  grid.hold(49.7, 2000);
  grid.hold(44.0, 30000, 20);
  EXPECT_EQ(grid.guard.state(), GuardState::INVALID);
  EXPECT_EQ(grid.guard.reason(), GuardReason::NO_VOLTAGE);
  EXPECT_EQ(grid.guard.held_state(), GuardState::SHED_1);
  EXPECT_FALSE(grid.guard.may_restore());
  EXPECT_FALSE(grid.guard.had_outage());
  // Bogus frequency that looks healthy restores nothing either.
  grid.hold(50.0, 40000, 20);
  EXPECT_EQ(grid.guard.held_state(), GuardState::SHED_1);
  EXPECT_TRUE(grid.guard.had_outage());
  grid.hold(50.0, 1100);
  EXPECT_EQ(grid.guard.state(), GuardState::SHED_1);
  EXPECT_EQ(grid.guard.reason(), GuardReason::VALID_AGAIN);
  grid.hold(50.0, 60000);
  EXPECT_EQ(grid.guard.state(), GuardState::NORMAL);
}

TEST(FrequencyGuard, OneHealthyPhaseIsEnough) {
  Grid grid = settled();
  for (int i = 0; i < 100; i++) {
    grid.guard.sample({grid.now += CYCLE, {{{0, NOTHING}, {230, 49.75}, {20, 41.0}}}});
    grid.note();
  }
  EXPECT_EQ(grid.guard.state(), GuardState::SHED_1);
}

TEST(FrequencyGuard, PhasesThatDisagreeAreNoFrequency) {
  Grid grid = settled();
  grid.guard.sample({grid.now += CYCLE, {{{230, 50.0}, {230, 49.94}, {230, 50.0}}}});
  EXPECT_EQ(grid.guard.state(), GuardState::INVALID);
  EXPECT_EQ(grid.guard.reason(), GuardReason::PHASES_DISAGREE);
}

TEST(FrequencyGuard, ASilentSourceIsInvalid) {
  Grid grid = settled();
  grid.guard.tick(grid.now + 1000);
  EXPECT_EQ(grid.guard.state(), GuardState::NORMAL);
  grid.guard.tick(grid.now + 1001);
  EXPECT_EQ(grid.guard.state(), GuardState::INVALID);
  EXPECT_EQ(grid.guard.reason(), GuardReason::SILENT);
}

TEST(FrequencyGuard, AnEmergencyAtTheStartDoesNotWait) {
  Grid grid;
  grid.hold(49.1, 400);
  EXPECT_EQ(grid.guard.state(), GuardState::SHED_3);
}

TEST(FrequencyGuard, KeepsTheStateOverARestart) {
  Grid grid({}, GuardState::SHED_2);
  EXPECT_EQ(grid.guard.held_state(), GuardState::SHED_2);
  grid.hold(50.0, 10100);
  EXPECT_EQ(grid.guard.state(), GuardState::SHED_2);
  grid.hold(50.3, 60000);
  EXPECT_EQ(grid.guard.state(), GuardState::NORMAL);
  grid.hold(50.3, 60000);
  EXPECT_EQ(grid.guard.state(), GuardState::NORMAL) << "still locked out";
  EXPECT_EQ(Grid({}, GuardState::ABSORB_2).guard.held_state(), GuardState::NORMAL);
}

TEST(FrequencyGuard, ADeviceFor60HzDoesNotGoOnWithAProfileOf50Hz) {
  const GuardProfile &europe = *find_guard_profile("continental_europe");
  const GuardProfile &america = *find_guard_profile("north_america");
  EXPECT_FALSE(outlives_restart(europe, america));
  // Chosen by hand: 50 Hz is what a configuration says unasked.
  EXPECT_TRUE(outlives_restart(america, europe));
  EXPECT_TRUE(outlives_restart(america, *find_guard_profile("island_60")));
  EXPECT_TRUE(outlives_restart(europe, *find_guard_profile("island_50")));
}

TEST(FrequencyGuard, FallsFastOnlyIfAsked) {
  GuardSettings settings;
  Grid calm = settled(settings);
  calm.ramp(50.0, 49.85, 0.15);
  EXPECT_FALSE(calm.saw(GuardState::SHED_1));
  settings.rate_of_change = 0.1;
  Grid watching = settled(settings);
  watching.ramp(50.0, 49.85, 0.15);
  EXPECT_EQ(watching.guard.state(), GuardState::SHED_1);
  EXPECT_EQ(watching.guard.reason(), GuardReason::RATE_OF_CHANGE);
}

TEST(FrequencyGuard, SpreadMovesTheThresholdsOutwards) {
  GuardSettings settings;
  settings.spread = 0.02;
  Grid grid = settled(settings);
  grid.hold(49.79, 3000);
  EXPECT_FALSE(grid.saw(GuardState::SHED_1));
  grid.hold(49.77, 3000);
  EXPECT_TRUE(grid.saw(GuardState::SHED_1));
}

TEST(FrequencyGuard, EveryProfileIsSound) {
  for (const auto &named : GUARD_PROFILES)
    EXPECT_EQ(guard_profile_error(named.profile), nullptr) << named.name;
  GuardProfile wrong = GUARD_PROFILES[0].profile;
  std::swap(wrong.under[1], wrong.under[2]);
  EXPECT_NE(guard_profile_error(wrong), nullptr);
  EXPECT_EQ(find_guard_profile("atlantis"), nullptr);
}

}  // namespace
}  // namespace esphome::frequency_guard

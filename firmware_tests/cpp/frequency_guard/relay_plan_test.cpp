// The guard's switching of relays: rules by example, and rules for any sequence.

#include "firmware_tests/cpp/support/run_length.h"

#include "esphome/components/frequency_guard/relay_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace esphome::frequency_guard {
namespace {

constexpr GuardView NORMAL{GuardState::NORMAL, GuardState::NORMAL, true};
constexpr GuardView RECOVERING{GuardState::NORMAL, GuardState::NORMAL, false};

GuardView at(GuardState state) { return {state, state, false}; }

/// Relays that were on, a guard that says what it is told, and a clock in steps of 100 ms.
struct House {
  explicit House(const std::vector<RelaySettings> &relays, bool on = true, uint32_t seed = 7) : plan({}, seed) {
    for (const auto &settings : relays)
      this->plan.add(settings, on, 0);
    this->run(NORMAL, 100);
  }
  void run(const GuardView &guard, int64_t ms) {
    for (const int64_t end = this->now + ms; this->now < end;) {
      this->now += 100;
      std::vector<bool> before = this->states();
      this->plan.update(guard, this->now);
      for (size_t i = 0; i < before.size(); i++) {
        if (before[i] != this->on(i))
          this->edges.push_back({this->now, i, this->on(i)});
      }
    }
  }
  bool on(size_t relay) const { return this->plan.decision(relay).on; }
  RelayReason why(size_t relay) const { return this->plan.decision(relay).reason; }
  std::vector<bool> states() const {
    std::vector<bool> states;
    for (size_t i = 0; i < this->plan.size(); i++)
      states.push_back(this->on(i));
    return states;
  }
  struct Edge {
    int64_t time_ms;
    size_t relay;
    bool on;
  };
  RelayPlan plan;
  int64_t now{0};
  std::vector<Edge> edges;
};

RelaySettings of(LoadClass load_class, uint8_t priority = 0) { return {load_class, priority}; }

TEST(RelayPlan, FollowsWhatIsAskedWhileTheGridIsNormal) {
  House house({of(LoadClass::SHED_1)}, false);
  house.plan.ask(0, true);
  house.run(NORMAL, 100);
  EXPECT_TRUE(house.on(0));
  house.plan.ask(0, false);
  house.run(NORMAL, 100);
  EXPECT_FALSE(house.on(0));
}

TEST(RelayPlan, ShedsTheClassesOfTheStageAtOnce) {
  House house({of(LoadClass::SHED_1), of(LoadClass::SHED_2), of(LoadClass::SHED_3), of(LoadClass::NEVER_SHED),
               of(LoadClass::ABSORB)});
  house.run(at(GuardState::INHIBIT), 100);
  EXPECT_EQ(house.states(), (std::vector{true, true, true, true, false}));
  house.run(at(GuardState::SHED_1), 100);
  EXPECT_EQ(house.states(), (std::vector{false, true, true, true, false}));
  house.run(at(GuardState::SHED_3), 100);
  EXPECT_EQ(house.states(), (std::vector{false, false, false, true, false}));
  EXPECT_EQ(house.why(2), RelayReason::SHED);
}

TEST(RelayPlan, AShedDoesNotWaitForTheMinimumTimeOn) {
  House house({of(LoadClass::SHED_1)}, false);
  house.plan.ask(0, true);
  house.run(NORMAL, 1000);
  house.run(at(GuardState::SHED_1), 100);
  EXPECT_FALSE(house.on(0));
}

TEST(RelayPlan, RestoresInReverseOrderOneAtATimeAfterTheMinimumTimeOff) {
  House house({of(LoadClass::SHED_1, 5), of(LoadClass::SHED_1, 9), of(LoadClass::SHED_3), of(LoadClass::SHED_2)});
  house.run(at(GuardState::SHED_3), 10000);
  house.edges.clear();
  house.run(RECOVERING, 60000);
  EXPECT_TRUE(house.edges.empty());
  house.run(NORMAL, 600000);
  ASSERT_EQ(house.edges.size(), 4u);
  EXPECT_EQ(house.edges[0].relay, 2u);
  EXPECT_EQ(house.edges[1].relay, 3u);
  EXPECT_EQ(house.edges[2].relay, 1u);
  EXPECT_EQ(house.edges[3].relay, 0u);
  for (size_t i = 1; i < 4; i++)
    EXPECT_GE(house.edges[i].time_ms - house.edges[i - 1].time_ms, 10000);
  EXPECT_GE(house.edges[0].time_ms, 180000);
}

TEST(RelayPlan, TwoDevicesComeBackAtDifferentTimes) {
  std::vector<int64_t> times;
  for (uint32_t seed = 1; seed <= 50; seed++) {
    House house({of(LoadClass::SHED_1)}, true, seed * 2654435761u);
    house.run(at(GuardState::SHED_1), 200000);
    house.edges.clear();
    const int64_t start = house.now;
    house.run(NORMAL, 400000);
    ASSERT_EQ(house.edges.size(), 1u);
    times.push_back(house.edges[0].time_ms - start);
  }
  std::sort(times.begin(), times.end());
  EXPECT_LT(times.front(), 40000);
  EXPECT_GT(times.back(), 260000);
  EXPECT_LE(times.back(), 300100);
}

TEST(RelayPlan, WhatIsAskedDuringAShedIsDoneAfterIt) {
  House house({of(LoadClass::SHED_1), of(LoadClass::SHED_1)});
  house.run(at(GuardState::SHED_1), 1000);
  house.plan.ask(0, false);
  house.plan.ask(1, true);
  house.run(at(GuardState::SHED_1), 1000);
  EXPECT_FALSE(house.on(1));
  house.run(NORMAL, 700000);
  EXPECT_FALSE(house.on(0)) << "nobody wants it any more";
  EXPECT_TRUE(house.on(1));
}

TEST(RelayPlan, APersonOverridesAShedForAWhile) {
  House house({of(LoadClass::SHED_1)});
  house.run(at(GuardState::SHED_1), 1000);
  house.plan.override_guard(0, true, house.now);
  house.run(at(GuardState::SHED_1), 29 * 60000);
  EXPECT_TRUE(house.on(0));
  EXPECT_EQ(house.why(0), RelayReason::OVERRIDE);
  house.run(at(GuardState::SHED_1), 2 * 60000);
  EXPECT_FALSE(house.on(0));
}

TEST(RelayPlan, NothingComesBackOnAnInvalidFrequency) {
  House house({of(LoadClass::SHED_1), of(LoadClass::SHED_1)});
  house.plan.ask(1, false);
  house.run(NORMAL, 100);
  house.run(at(GuardState::SHED_1), 1000);
  house.edges.clear();
  house.plan.ask(1, true);
  house.run({GuardState::INVALID, GuardState::SHED_1, false}, 3600000);
  EXPECT_TRUE(house.edges.empty());
}

TEST(RelayPlan, WhatRunsGoesOnOnAnInvalidFrequency) {
  House house({of(LoadClass::SHED_1), of(LoadClass::ABSORB)});
  house.edges.clear();
  house.run({GuardState::INVALID, GuardState::NORMAL, false}, 3600000);
  EXPECT_TRUE(house.edges.empty());
  EXPECT_EQ(house.why(0), RelayReason::HELD);
  house.plan.ask(0, false);
  house.run({GuardState::INVALID, GuardState::NORMAL, false}, 100);
  EXPECT_FALSE(house.on(0));
}

TEST(RelayPlan, AbsorbsWithOneThenWithAll) {
  House house({of(LoadClass::ABSORB, 1), of(LoadClass::ABSORB, 2), of(LoadClass::SHED_1)}, false);
  house.run(at(GuardState::ABSORB_1), 60000);
  EXPECT_EQ(house.states(), (std::vector{false, true, false}));
  house.run(at(GuardState::ABSORB_2), 60000);
  EXPECT_EQ(house.states(), (std::vector{true, true, false}));
  EXPECT_EQ(house.why(0), RelayReason::ABSORBING);
  house.run(NORMAL, 60000);
  EXPECT_EQ(house.states(), (std::vector{false, false, false}));
}

TEST(RelayPlan, AnOutageIsFollowedByPickingUpOneByOne) {
  House house({of(LoadClass::SHED_1), of(LoadClass::SHED_2), of(LoadClass::NEVER_SHED)});
  house.plan.begin_pickup(house.now);
  house.edges.clear();
  house.run(RECOVERING, 1000);
  EXPECT_EQ(house.states(), (std::vector{false, false, true}));
  house.run(NORMAL, 700000);
  EXPECT_EQ(house.states(), (std::vector{true, true, true}));
  std::vector<int64_t> on;
  for (const auto &edge : house.edges) {
    if (edge.on)
      on.push_back(edge.time_ms);
  }
  ASSERT_EQ(on.size(), 2u);
  EXPECT_GE(on[1] - on[0], 10000);
}

// What must hold whatever the grid and the people do.
TEST(RelayPlan, RulesHoldForAnySequence) {
  std::mt19937 random(20);
  for (int run = 0; run < rounds(3, 200); run++) {
    std::vector<RelaySettings> relays;
    for (int i = 0; i < 5; i++)
      relays.push_back(of(static_cast<LoadClass>(random() % 5), random() % 3));
    House house(relays, random() % 2, random());
    GuardState held = GuardState::NORMAL;
    std::vector<int64_t> overridden(relays.size(), -1);
    for (int step = 0; step < 150; step++) {
      const auto state = static_cast<GuardState>(random() % 8);
      if (state != GuardState::INVALID)
        held = state;
      const GuardView guard{state, held, under_depth(held) <= 1 && state != GuardState::INVALID && random() % 2 == 0};
      const size_t who = random() % relays.size();
      if (random() % 3 == 0)
        house.plan.ask(who, random() % 2);
      if (random() % 40 == 0) {
        house.plan.override_guard(who, random() % 2, house.now);
        overridden[who] = house.now + 30 * 60000;
      }
      const std::vector<bool> before = house.states();
      house.edges.clear();
      house.run(guard, 100 + random() % 90000);
      for (size_t i = 0; i < relays.size(); i++) {
        const LoadClass load_class = relays[i].load_class;
        if (house.now < overridden[i])
          continue;
        if (load_class == LoadClass::NEVER_SHED) {
          EXPECT_EQ(house.on(i), house.plan.asked(i)) << "the guard leaves it alone";
          continue;
        }
        if (load_class != LoadClass::ABSORB && under_depth(held) > static_cast<int>(load_class)) {
          EXPECT_FALSE(house.on(i)) << "a shed load is off";
        }
        if (load_class != LoadClass::ABSORB && !house.plan.asked(i)) {
          EXPECT_FALSE(house.on(i)) << "the guard starts no load but storage";
        }
        if (state == GuardState::INVALID && !house.plan.asked(i) && load_class != LoadClass::ABSORB) {
          EXPECT_FALSE(house.on(i));
        }
      }
      if (state == GuardState::INVALID) {
        for (const auto &edge : house.edges) {
          if (overridden[edge.relay] < 0 && edge.on) {
            EXPECT_TRUE(house.plan.asked(edge.relay)) << "nothing starts by itself without a frequency";
          }
        }
      }
    }
    // However it was: a healthy grid brings everything back that is asked for.
    house.run(NORMAL, 2 * 3600000);
    for (size_t i = 0; i < relays.size(); i++)
      EXPECT_EQ(house.on(i), house.plan.asked(i)) << "no load is shed forever";
  }
}

}  // namespace
}  // namespace esphome::frequency_guard

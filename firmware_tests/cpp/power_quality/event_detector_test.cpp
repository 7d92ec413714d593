// The event detector against sequences written by hand and sequences built from known events.

#include "esphome/components/power_quality/event_detector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace esphome::power_quality {
namespace {

constexpr int64_t HALF = 10000;
constexpr float NOTHING = std::numeric_limits<float>::quiet_NaN();

/// Half cycles one after another, 230 V and 5 A where nothing else is said.
struct Line {
  explicit Line(const PowerQualityLimits &limits = {}) : detector(limits) {}
  void volts(float l1, float l2, float l3, int half_cycles = 1) {
    for (int i = 0; i < half_cycles; i++)
      this->detector.add(HalfCycle{this->now += HALF, {l1, l2, l3}, {5, 5, 5}});
  }
  void l1(float volts, int half_cycles = 1) { this->volts(volts, 230, 230, half_cycles); }
  void amperes(float l1, int half_cycles = 1) {
    for (int i = 0; i < half_cycles; i++)
      this->detector.add(HalfCycle{this->now += HALF, {230, 230, 230}, {l1, 5, 5}});
  }
  std::vector<PowerQualityEvent> events() {
    std::vector<PowerQualityEvent> events;
    PowerQualityEvent event;
    while (this->detector.pop(event))
      events.push_back(event);
    return events;
  }
  EventDetector detector;
  int64_t now{0};
};

void expect(const PowerQualityEvent &event, PowerQualityKind kind, int phase, int64_t start, int64_t duration,
            float extreme) {
  EXPECT_EQ(event.kind, kind);
  EXPECT_EQ(event.phase, phase);
  EXPECT_EQ(event.start_us, start);
  EXPECT_EQ(event.duration_us, duration);
  EXPECT_FLOAT_EQ(event.extreme, extreme);
  EXPECT_FALSE(event.estimated);
}

TEST(PowerQuality, AHealthyLineHasNoEvents) {
  Line line;
  for (const float volts : {207.0f, 230.0f, 253.0f, 208.0f, 252.0f})
    line.volts(volts, volts, volts, 50);
  EXPECT_TRUE(line.events().empty());
  EXPECT_EQ(line.detector.started(), 0u);
}

TEST(PowerQuality, WhatIsOverRangeIsOneEvent) {
  constexpr int64_t UPDATE = 200000, HOLD = 2000000;
  Line line;
  const auto update = [&line](uint8_t currents, float amperes, int count) {
    for (int i = 0; i < count; i++) {
      OverRange range{.currents = currents, .hold_us = HOLD};
      range.current = {0, amperes, 0};
      line.detector.add(range, line.now += UPDATE);
    }
  };
  update(0, 0, 5);
  const int64_t start = line.now + UPDATE;
  update(0b010, 104, 3);
  update(0b010, 107, 1);
  EXPECT_EQ(line.detector.started(), 1u);
  std::array<PowerQualityEvent, EventDetector::MAX_ONGOING> ongoing;
  ASSERT_EQ(line.detector.ongoing(ongoing), 1u);
  EXPECT_EQ(ongoing[0].kind, PowerQualityKind::CURRENT_OVER_RANGE);
  EXPECT_EQ(ongoing[0].duration_us, 3 * UPDATE);
  // The mark stays for the hold.
  update(0b010, 107, 9);
  update(0, 0, 5);
  const auto events = line.events();
  ASSERT_EQ(events.size(), 1u);
  expect(events[0], PowerQualityKind::CURRENT_OVER_RANGE, 1, start, 13 * UPDATE - HOLD, 107);
  EXPECT_STREQ(power_quality_kind_name(events[0].kind), "over_range");
}

TEST(PowerQuality, VoltageAndCurrentOverRangeAreTwoEvents) {
  Line line;
  line.detector.add(OverRange{.voltages = 0b100, .currents = 0b100, .voltage = {0, 0, 720}, .current = {0, 0, 110}},
                    1000);
  line.detector.add(OverRange{}, 2000);
  const auto events = line.events();
  ASSERT_EQ(events.size(), 2u);
  expect(events[0], PowerQualityKind::VOLTAGE_OVER_RANGE, 2, 1000, 1000, 720);
  expect(events[1], PowerQualityKind::CURRENT_OVER_RANGE, 2, 1000, 1000, 110);
}

TEST(PowerQuality, ADip) {
  Line line;
  line.l1(230, 3);
  line.l1(180);
  line.l1(150);
  line.l1(206);
  line.l1(230, 3);
  const auto events = line.events();
  ASSERT_EQ(events.size(), 1u);
  expect(events[0], PowerQualityKind::DIP, 0, 4 * HALF, 3 * HALF, 150);
  EXPECT_EQ(events[0].number, 1u);
}

TEST(PowerQuality, HysteresisKeepsOneDipOne) {
  // Between 207 V (90 %) and 211.6 V (92 %) a dip neither begins nor ends.
  Line line;
  line.l1(230);
  line.l1(206);
  for (int i = 0; i < 10; i++) {
    line.l1(209);
    line.l1(206);
  }
  EXPECT_TRUE(line.events().empty());
  line.l1(211);
  line.l1(212);
  const auto events = line.events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].duration_us, 22 * HALF);
}

TEST(PowerQuality, ASwell) {
  Line line;
  line.l1(230);
  line.l1(260);
  line.l1(270);
  line.l1(250);  // above 108 %
  line.l1(240);
  const auto events = line.events();
  ASSERT_EQ(events.size(), 1u);
  expect(events[0], PowerQualityKind::SWELL, 0, 2 * HALF, 3 * HALF, 270);
}

TEST(PowerQuality, AnInterruptionIsOfAllPhases) {
  Line line;
  line.volts(230, 230, 230);
  line.volts(100, 120, 140);
  line.volts(3, 4, 60);
  line.volts(2, 1, 5, 100);
  line.volts(230, 230, 230);
  const auto events = line.events();
  ASSERT_EQ(events.size(), 3u);
  for (int phase = 0; phase < 3; phase++)
    expect(events[phase], PowerQualityKind::INTERRUPTION, phase, 2 * HALF, 102 * HALF,
           std::array<float, 3>{2, 1, 5}[phase]);
}

TEST(PowerQuality, ALostPhaseIsNoInterruption) {
  Line line;
  line.volts(230, 230, 230);
  line.volts(230, 0, 230, 20);
  line.volts(230, 230, 230);
  const auto events = line.events();
  ASSERT_EQ(events.size(), 1u);
  expect(events[0], PowerQualityKind::PHASE_LOSS, 1, 2 * HALF, 20 * HALF, 0);
}

TEST(PowerQuality, OfASinglePhaseMeterALossIsAnInterruption) {
  PowerQualityLimits limits;
  limits.phases = 0b001;
  Line line(limits);
  line.volts(230, 0, 0, 10);
  line.volts(0, 0, 0, 10);
  line.volts(230, 0, 0, 10);
  const auto events = line.events();
  ASSERT_EQ(events.size(), 1u);
  expect(events[0], PowerQualityKind::INTERRUPTION, 0, 11 * HALF, 10 * HALF, 0);
}

TEST(PowerQuality, AnEventThatGoesOnCanBeSeen) {
  Line line;
  line.volts(230, 230, 230);
  line.volts(230, 230, 0, 100);
  std::array<PowerQualityEvent, EventDetector::MAX_ONGOING> ongoing;
  ASSERT_EQ(line.detector.ongoing(ongoing), 1u);
  expect(ongoing[0], PowerQualityKind::PHASE_LOSS, 2, 2 * HALF, 99 * HALF, 0);
  EXPECT_TRUE(line.events().empty());
  line.volts(230, 230, 230);
  EXPECT_EQ(line.detector.ongoing(ongoing), 0u);
  const auto events = line.events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].number, 1u) << "the same event";
}

TEST(PowerQuality, Overcurrent) {
  PowerQualityLimits limits;
  limits.overcurrent = 25;
  Line line(limits);
  line.amperes(25);
  line.amperes(30);
  line.amperes(80);
  line.amperes(24.6f);
  line.amperes(24);
  const auto events = line.events();
  ASSERT_EQ(events.size(), 1u);
  expect(events[0], PowerQualityKind::OVERCURRENT, 0, 2 * HALF, 3 * HALF, 80);
  Line unwatched;
  unwatched.amperes(1e6, 5);
  EXPECT_EQ(unwatched.detector.started(), 0u);
}

TEST(PowerQuality, WrongSequenceLastsWhileTheChipComplains) {
  Line line;
  LatchedFlags complaint;
  complaint.wrong_sequence = true;
  line.l1(230, 5);
  for (int i = 0; i < 100; i++) {
    line.l1(230);
    line.detector.add(i % 2 ? complaint : LatchedFlags{}, line.now);
  }
  EXPECT_TRUE(line.events().empty());
  line.l1(230, 60);
  const auto events = line.events();
  ASSERT_EQ(events.size(), 1u);
  expect(events[0], PowerQualityKind::WRONG_SEQUENCE, NO_PHASE, 7 * HALF, 98 * HALF, 0);
}

TEST(PowerQuality, SingleErrorsOfTheSequenceTellNothing) {
  Line line;
  LatchedFlags complaint;
  complaint.wrong_sequence = true;
  for (int i = 0; i < 5; i++) {
    line.l1(230, 60);
    line.detector.add(complaint, line.now);
  }
  // At a missing phase, however long.
  for (int i = 0; i < 100; i++) {
    line.l1(100);
    line.detector.add(complaint, line.now);
  }
  line.l1(230, 60);
  const auto events = line.events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, PowerQualityKind::DIP);
}

TEST(PowerQuality, WhatIsNotMeasuredChangesNothing) {
  Line line;
  line.volts(NOTHING, NOTHING, NOTHING, 5);
  EXPECT_EQ(line.detector.started(), 0u);
  line.volts(150, 230, 230);
  line.volts(NOTHING, NOTHING, NOTHING, 5);
  line.volts(230, 230, 230);
  const auto events = line.events();
  ASSERT_EQ(events.size(), 1u);
  expect(events[0], PowerQualityKind::DIP, 0, 6 * HALF, 6 * HALF, 150);
}

TEST(PowerQuality, TheChipsLatchMakesUpForHalfCyclesNobodyRead) {
  Line line;
  line.l1(230);
  line.detector.add(LatchedFlags{}, line.now);
  const int64_t before = line.now;
  line.now += 30 * HALF;
  line.l1(230);
  LatchedFlags flags;
  flags.dips = 0b001;
  flags.lowest[0] = 120;
  flags.swells = 0b100;
  flags.highest[2] = 280;
  line.detector.add(flags, line.now);
  const auto events = line.events();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_TRUE(events[0].estimated);
  EXPECT_EQ(events[0].kind, PowerQualityKind::DIP);
  EXPECT_EQ(events[0].start_us, before);
  EXPECT_EQ(events[0].duration_us, 31 * HALF);
  EXPECT_FLOAT_EQ(events[0].extreme, 120);
  EXPECT_EQ(events[1].kind, PowerQualityKind::SWELL);
  EXPECT_EQ(events[1].phase, 2);
}

TEST(PowerQuality, TheLatchOfAnEventThatWasSeenIsNoSecondOne) {
  Line line;
  LatchedFlags flags;
  flags.dips = 0b001;
  flags.lowest[0] = 90;
  line.l1(230);
  line.l1(150);
  line.detector.add(flags, line.now);
  line.l1(230);
  line.detector.add(flags, line.now);
  line.l1(230);
  line.detector.add(LatchedFlags{}, line.now);
  const auto events = line.events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_FLOAT_EQ(events[0].extreme, 90) << "the chip saw more than was read";
}

TEST(PowerQuality, AFullQueueLosesTheOldestAndSaysSo) {
  Line line;
  for (int i = 0; i < 40; i++) {
    line.l1(100 + static_cast<float>(i));
    line.l1(230);
  }
  EXPECT_EQ(line.detector.lost(), 8u);
  const auto events = line.events();
  ASSERT_EQ(events.size(), EventDetector::QUEUE_SIZE);
  EXPECT_EQ(events.front().number, 9u);
  EXPECT_EQ(events.back().number, 40u);
}

// Lines built from known events: exactly those are found.
TEST(PowerQuality, FindsExactlyTheEventsALineWasBuiltFrom) {
  std::mt19937 random(23);
  const auto uniform = [&](double low, double high) { return std::uniform_real_distribution<>(low, high)(random); };
  for (int round = 0; round < 300; round++) {
    constexpr int LENGTH = 400;
    std::array<std::vector<float>, 3> volts;
    std::vector<PowerQualityEvent> expected;
    for (uint8_t phase = 0; phase < 3; phase++) {
      // L3 is always healthy: a phase that is gone is lost, not interrupted.
      while (volts[phase].size() < LENGTH) {
        const int healthy = static_cast<int>(uniform(1, 40)), length = static_cast<int>(uniform(1, 60));
        for (int i = 0; i < healthy; i++)
          volts[phase].push_back(static_cast<float>(uniform(212, 248)));
        if (phase == 2 || volts[phase].size() + static_cast<size_t>(length) + 1 >= LENGTH)
          continue;
        const bool swell = uniform(0, 1) < 0.3, gone = !swell && uniform(0, 1) < 0.3;
        const auto extreme = static_cast<float>(swell ? uniform(254, 300) : gone ? uniform(0, 11) : uniform(12, 206));
        const auto start = static_cast<int64_t>(volts[phase].size() + 1) * HALF;
        const int worst = static_cast<int>(uniform(0, length - 0.01));
        for (int i = 0; i < length; i++) {
          const double milder = swell ? uniform(249, extreme) : uniform(extreme, 211);
          volts[phase].push_back(i == worst ? extreme
                                 : i == 0   ? (swell ? 253.5f : 206.5f)
                                            : static_cast<float>(milder));
        }
        expected.push_back({0,
                            swell  ? PowerQualityKind::SWELL
                            : gone ? PowerQualityKind::PHASE_LOSS
                                   : PowerQualityKind::DIP,
                            phase, false, start, length * HALF, extreme});
        volts[phase].push_back(230);
      }
    }
    Line line;
    std::vector<PowerQualityEvent> found;
    for (size_t i = 0; i < LENGTH + 1; i++) {
      const auto at = [&](size_t phase) { return i < volts[phase].size() ? volts[phase][i] : 230.0f; };
      line.volts(at(0), at(1), at(2));
      for (const auto &event : line.events())
        found.push_back(event);
    }
    const auto order = [](const auto &a, const auto &b) {
      return std::pair(a.phase, a.start_us) < std::pair(b.phase, b.start_us);
    };
    std::sort(found.begin(), found.end(), order);
    std::sort(expected.begin(), expected.end(), order);
    ASSERT_EQ(found.size(), expected.size()) << "round " << round;
    for (size_t i = 0; i < found.size(); i++)
      expect(found[i], expected[i].kind, expected[i].phase, expected[i].start_us, expected[i].duration_us,
             expected[i].extreme);
  }
}

}  // namespace
}  // namespace esphome::power_quality

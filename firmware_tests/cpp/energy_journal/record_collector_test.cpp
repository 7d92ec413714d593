// Collecting a record of the journal: its minute, means and extremes.

#include "esphome/components/energy_journal/record_collector.h"

#include <gtest/gtest.h>

#include <cmath>

namespace esphome::energy_journal {
namespace {

/// 2026-11-21 00:00:00 UTC: midnight, so a full hour.
constexpr uint32_t MIDNIGHT = 1795219200;

TEST(RecordCollector, EndsRecordsAtTheMinuteOfTheClock) {
  RecordCollector collector(60);
  collector.begin(7);
  EXPECT_FALSE(collector.is_due(59, std::nullopt));
  EXPECT_TRUE(collector.is_due(60, std::nullopt));
  EXPECT_FALSE(collector.is_due(39, MIDNIGHT + 20));
  EXPECT_TRUE(collector.is_due(40, MIDNIGHT + 20));
}

TEST(RecordCollector, GathersMeansAndExtremes) {
  RecordCollector collector(60);
  collector.begin(10);
  for (const float volts : {230.0f, 231.0f, 226.0f, NAN})
    collector.add_voltage(1, volts);
  collector.add_power(3, -1500.4f);
  collector.add_power(3, INFINITY);
  collector.flag(FLAG_EVENT);
  const JournalRecord record = collector.finish(70);
  EXPECT_EQ(record.span, 60U);
  EXPECT_EQ(record.flags, FLAG_EVENT);
  EXPECT_EQ(record.voltage[1], (Summary{11450, {11300, 11550, true}}));
  EXPECT_FALSE(record.voltage[0].extremes.valid);
  EXPECT_EQ(record.power[3], (Extremes{-1500, -1500, true}));
  EXPECT_EQ(collector.finish(130), (JournalRecord{.span = 60}));
}

}  // namespace
}  // namespace esphome::energy_journal

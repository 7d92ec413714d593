// The latest events of a device, over its restarts.

#include "esphome/components/event_journal/event_ring.h"
#include "esphome/components/frequency_guard/guard_change.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <vector>

namespace esphome::event_journal {
namespace {

using Ring = EventRing<uint32_t>;
using Kept = Ring::Kept;

constexpr int64_t NOON = 1'750'000'000'000;
constexpr size_t KEPT = Ring::KEPT;

/// What a device has in its flash; outlives its rings.
struct Flash {
  std::map<size_t, Kept> slots;
  size_t writes{0};

  void save(Ring &ring, int64_t uptime_ms, std::optional<int64_t> epoch_ms) {
    ring.save(uptime_ms, epoch_ms, [this](size_t slot, const Kept &kept) {
      this->slots[slot] = kept;
      this->writes++;
      return true;
    });
  }
  Ring start(uint32_t boot) const {
    Ring ring;
    ring.begin(boot);
    for (const auto &[slot, kept] : this->slots)
      ring.restore(slot, kept);
    return ring;
  }
};

std::vector<uint32_t> events_of(const Ring &ring) {
  std::vector<uint32_t> events;
  ring.visit([&](const Kept &kept) { events.push_back(kept.event); });
  return events;
}

/// The age of the only event that is kept.
std::optional<int64_t> age_of(const Ring &ring, int64_t uptime_ms, std::optional<int64_t> epoch_ms) {
  std::optional<int64_t> age;
  ring.visit([&](const Kept &kept) { age = ring.age_ms(kept, uptime_ms, epoch_ms); });
  return age;
}

TEST(EventRing, KeepsTheLatestInTheirOrder) {
  Ring ring;
  ring.begin(7);
  EXPECT_TRUE(events_of(ring).empty());
  for (uint32_t i = 1; i <= 100; i++)
    ring.add(i, i);
  const auto events = events_of(ring);
  ASSERT_EQ(events.size(), KEPT);
  for (size_t i = 0; i < KEPT; i++)
    EXPECT_EQ(events[i], 100 - KEPT + 1 + i);
}

TEST(EventRing, AnEventOfThisStartIsReplacedInItsPlace) {
  Flash flash;
  Ring first = flash.start(7);
  first.add(1, 1000);
  first.add(2, 2000);
  flash.save(first, 3000, NOON);
  EXPECT_TRUE(first.replace(11, [](uint32_t event) { return event == 1; }));
  EXPECT_FALSE(first.replace(13, [](uint32_t event) { return event == 3; }));
  EXPECT_EQ(events_of(first), (std::vector<uint32_t>{11, 2}));
  flash.save(first, 4000, NOON + 1000);
  EXPECT_EQ(flash.writes, 3U) << "what has changed, alone";
  Ring second = flash.start(8);
  EXPECT_EQ(events_of(second), (std::vector<uint32_t>{11, 2}));
  EXPECT_FALSE(second.replace(12, [](uint32_t event) { return event == 2; })) << "of an earlier start";
}

TEST(EventRing, GoesOnAfterAPowerCut) {
  Flash flash;
  Ring first = flash.start(7);
  for (uint32_t i = 1; i <= 40; i++)
    first.add(i, 1000 * i);
  flash.save(first, 50000, NOON);
  // Not written any more: lost.
  first.add(41, 51000);
  Ring second = flash.start(8);
  second.add(100, 10);
  const auto events = events_of(second);
  ASSERT_EQ(events.size(), KEPT);
  EXPECT_EQ(events.front(), 40 - KEPT + 2);
  EXPECT_EQ(events[KEPT - 2], 40U);
  EXPECT_EQ(events.back(), 100U);
}

TEST(EventRing, TellsOfAnEarlierStartWhenItReallyWas) {
  Flash flash;
  Ring first = flash.start(7);
  first.add(1, 20000);
  flash.save(first, 50000, NOON);
  const Ring second = flash.start(8);
  // An hour after the write, which was 30 s after the event; the clock is set only later.
  EXPECT_EQ(age_of(second, 5000, std::nullopt), std::nullopt);
  EXPECT_EQ(age_of(second, 5000, NOON + 3'600'000), 3'630'000);
  // A clock that went back can not put it into this start.
  EXPECT_EQ(age_of(second, 5000, NOON - 3'600'000), 5000);
}

TEST(EventRing, DatesOnceTheClockIsSet) {
  Flash flash;
  Ring first = flash.start(7);
  first.add(1, 20000);
  EXPECT_TRUE(first.has_unsaved());
  flash.save(first, 30000, std::nullopt);
  EXPECT_FALSE(first.has_unsaved());
  // Nobody has ever known when it was: before this start, at least.
  EXPECT_EQ(age_of(flash.start(8), 5000, NOON), 5000);
  flash.save(first, 50000, NOON);
  EXPECT_EQ(age_of(flash.start(8), 5000, NOON + 60'000), 90'000);
  EXPECT_EQ(age_of(first, 60000, std::nullopt), 40000);
}

TEST(EventRing, WritesOnlyWhatIsNew) {
  Flash flash;
  Ring ring = flash.start(7);
  ring.add(1, 1000);
  ring.add(2, 2000);
  flash.save(ring, 3000, NOON);
  EXPECT_EQ(flash.writes, 2U);
  flash.save(ring, 4000, NOON + 1000);
  EXPECT_EQ(flash.writes, 2U);
  ring.add(3, 5000);
  flash.save(ring, 6000, NOON + 3000);
  EXPECT_EQ(flash.writes, 3U);
}

TEST(EventRing, KeepsWhatCouldNotBeWrittenForTheNextTime) {
  Ring ring;
  ring.begin(7);
  ring.add(1, 1000);
  ring.save(2000, NOON, [](size_t, const Kept &) { return false; });
  EXPECT_TRUE(ring.has_unsaved());
}

TEST(EventRing, IsNotBrokenByDamagedFlash) {
  Ring ring;
  ring.begin(7);
  ring.restore(3, {0, 6, NOON, 0, 1});
  ring.restore(3, {4, 6, NOON, 0, 1});
  EXPECT_TRUE(events_of(ring).empty());
  ring.restore(31, {UINT32_MAX, 6, NOON, 0, 1});
  EXPECT_TRUE(events_of(ring).empty());
}

TEST(GuardChange, CutsWhatIsTooLong) {
  const frequency_guard::ShortText<8> text{"a relay of a long name"};
  EXPECT_STREQ(text.c_str(), "a relay");
  EXPECT_STREQ(frequency_guard::ShortText<8>{}.c_str(), "");
}

}  // namespace
}  // namespace esphome::event_journal

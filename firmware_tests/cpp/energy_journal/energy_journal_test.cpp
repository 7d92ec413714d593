// The journal's memory: no energy is lost whatever is written, merged, read and acknowledged.

#include "firmware_tests/cpp/support/run_length.h"

#include "esphome/components/energy_journal/journal_ring.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <random>
#include <vector>

namespace esphome::energy_journal {
namespace {

/// 2026-11-21 00:00:00 UTC: midnight, so a full hour.
constexpr uint32_t MIDNIGHT = 1795219200;
constexpr uint32_t MINUTE = 60;

/// A meter in a house: totals that grow, and records of its minutes.
class House {
 public:
  explicit House(size_t budget, uint32_t seed = 1) : memory_(budget), random_(seed), ring(memory_.data(), budget) {
    this->ring.begin(this->counters, 0);
  }

  JournalRecord minute(uint32_t span = MINUTE) {
    std::uniform_int_distribution<int32_t> watts(-3000, 9000);
    JournalRecord record;
    record.span = span;
    for (size_t i = 0; i < CHANNELS; i++) {
      const int32_t power = watts(this->random_);
      record.power[i].add(power - 250);
      record.power[i].add(power + 700);
      // 1 W for 1 s is 1/3.6 mWh.
      const auto gain = static_cast<uint64_t>(std::abs(power)) * span * 10 / 36;
      this->counters[power >= 0 ? i : CHANNELS + i] += gain;
    }
    for (size_t i = 0; i < PHASES; i++)
      record.voltage[i] = {11500 + static_cast<int32_t>(i) * 20, {11350, 11620, true}};
    record.frequency = {50003, {49975, 50021, true}};
    return record;
  }

  void live(unsigned minutes, std::optional<uint32_t> boot = MIDNIGHT) {
    for (unsigned i = 0; i < minutes; i++) {
      const JournalRecord record = this->minute();
      this->uptime += record.span;
      this->ring.append(record, this->counters, this->uptime, boot);
    }
  }

 protected:
  std::vector<uint8_t> memory_;
  std::mt19937 random_;

 public:
  Counters counters{};
  uint32_t uptime{0};
  JournalRing ring;
};

std::vector<JournalRecord> records(const JournalRing &ring) {
  std::vector<JournalRecord> all;
  for (auto walk = ring.walk(); walk.next();)
    all.push_back(walk.record());
  return all;
}

/// What a journal must be at any time.
void expect_sound(const JournalRing &ring, const Counters &counters) {
  Counters sum = ring.begin_place().counters;
  uint32_t sequence = ring.begin_place().sequence;
  JournalPlace end = ring.begin_place();
  size_t bytes = 0;
  for (auto walk = ring.walk(); walk.next();) {
    for (size_t i = 0; i < COUNTERS; i++)
      sum[i] += walk.record().energy[i];
    ASSERT_EQ(walk.record().first(), sequence + 1);
    sequence = walk.record().sequence;
    end = walk.end();
    bytes += walk.size();
  }
  ASSERT_EQ(sum, counters);
  ASSERT_EQ(sequence, ring.end_place().sequence);
  ASSERT_EQ(end.counters, ring.end_place().counters);
  ASSERT_EQ(bytes, ring.size());
  ASSERT_LE(bytes, ring.capacity());
}

TEST(JournalRecord, ComesBackAsItWasWritten) {
  JournalRecord record;
  record.count = 7;
  record.span = 420;
  record.flags = FLAG_START | FLAG_INCOMPLETE;
  record.start = MIDNIGHT;
  record.boot = 0xDEADBEEF;
  record.start_uptime = 7;
  record.energy = {0, 1, 127, 128, 16383, 16384, 1ULL << 40, (1ULL << 63) + 5};
  record.power[0] = {-1000000, 2000000, true};
  record.power[3] = {5, 5, true};
  record.voltage[1] = {11500, {0, 16000, true}};
  record.frequency = {50000, {45000, 62000, true}};
  std::array<uint8_t, MAX_RECORD_SIZE> bytes;
  const size_t size = encode(record, bytes);
  JournalRecord back;
  ASSERT_EQ(decode(bytes.data(), size, back), size);
  EXPECT_EQ(back, record);
}

TEST(JournalRecord, ThatIsTheGreatestPossibleFits) {
  JournalRecord record;
  record.count = record.span = record.start = record.boot = record.start_uptime = UINT32_MAX;
  record.flags = FLAG_START;
  record.energy.fill(UINT64_MAX);
  record.power.fill({INT32_MIN, INT32_MAX, true});
  record.voltage.fill({INT32_MIN, {INT32_MIN, INT32_MAX, true}});
  record.frequency = {INT32_MAX, {INT32_MIN, INT32_MAX, true}};
  std::array<uint8_t, MAX_RECORD_SIZE> bytes;
  JournalRecord back;
  ASSERT_EQ(decode(bytes.data(), encode(record, bytes), back), bytes[0]);
  EXPECT_EQ(back, record);
}

TEST(JournalRecord, ThatIsDamagedIsNone) {
  std::mt19937 random(5);
  std::array<uint8_t, MAX_RECORD_SIZE> bytes;
  JournalRecord back;
  for (int i = 0; i < 20000; i++) {
    for (auto &byte : bytes)
      byte = static_cast<uint8_t>(random());
    const size_t size = random() % bytes.size();
    EXPECT_LE(decode(bytes.data(), size, back), size);
  }
}

TEST(JournalRing, KeepsEachMinuteWhileThereIsRoom) {
  House house(8192);
  house.live(100);
  const auto kept = records(house.ring);
  ASSERT_EQ(kept.size(), 100U);
  for (const auto &record : kept)
    EXPECT_EQ(record.span, MINUTE);
  expect_sound(house.ring, house.counters);
}

TEST(JournalRing, GrowsCoarserAndLosesNoEnergyWhenFull) {
  House house(4096);
  for (int i = 0; i < 3000; i++) {
    house.live(1);
    ASSERT_NO_FATAL_FAILURE(expect_sound(house.ring, house.counters));
  }
  EXPECT_EQ(house.ring.begin_place().sequence, 0U) << "nothing was dropped";
}

TEST(JournalRing, KeepsRecordsAboutEquallyLong) {
  House house(4096);
  house.live(6 * 60);
  uint32_t shortest = UINT32_MAX;
  uint32_t longest = 0;
  for (const auto &record : records(house.ring)) {
    shortest = std::min(shortest, record.span);
    longest = std::max(longest, record.span);
  }
  EXPECT_LE(longest, 8 * MINUTE);
  EXPECT_GE(shortest, MINUTE);
}

TEST(JournalRing, DoesNotMixHoursWhileItCanDoWithout) {
  House house(4096);
  house.live(50 * 60);
  for (auto walk = house.ring.walk(); walk.next();)
    EXPECT_EQ(walk.begin().time.seconds / 3600, (walk.end().time.seconds - 1) / 3600);
}

/// A day in which the clock was set by 40 s amid a minute, again and again.
void live_with_new_times(House &house) {
  for (int i = 0; i < 24; i++) {
    house.live(40);
    JournalRecord record = house.minute(20);
    record.flags |= FLAG_CLOCK_SET;
    house.uptime += record.span;
    house.ring.append(record, house.counters, house.uptime, MIDNIGHT);
    house.live(19);
  }
}

TEST(JournalRing, MergesOnlyRecordsThatAreEquallyLongWhileItCan) {
  House house(8192);
  live_with_new_times(house);
  expect_sound(house.ring, house.counters);
  const auto kept = records(house.ring);
  ASSERT_LT(kept.size(), 500U);
  for (const auto &record : kept)
    EXPECT_EQ(record.span, record.has(FLAG_CLOCK_SET) ? 20 : record.count * MINUTE);
  House small(6144);
  small.ring.copy_from(house.ring, 0, MIDNIGHT, 7);
  expect_sound(small.ring, house.counters);
  const auto copied = records(small.ring);
  ASSERT_LT(copied.size(), kept.size());
  for (const auto &record : copied)
    EXPECT_EQ(record.span, record.has(FLAG_CLOCK_SET) ? 20 : record.count * MINUTE);
}

TEST(JournalRing, KeepsExtremesAndMeansThroughMerges) {
  House house(1024);
  std::mt19937 random(3);
  int32_t least = INT32_MAX;
  int32_t greatest = INT32_MIN;
  double sum = 0;
  constexpr int MINUTES = 5000;
  for (int i = 0; i < MINUTES; i++) {
    JournalRecord record = house.minute();
    const auto mean = static_cast<int32_t>(11000 + random() % 1000);
    record.voltage[0] = {mean, {mean - static_cast<int32_t>(random() % 900), mean + 40, true}};
    least = std::min(least, record.voltage[0].extremes.minimum);
    greatest = std::max(greatest, record.voltage[0].extremes.maximum);
    sum += mean;
    house.uptime += MINUTE;
    house.ring.append(record, house.counters, house.uptime, MIDNIGHT);
  }
  Extremes kept;
  double weighted = 0;
  uint32_t span = 0;
  for (const auto &record : records(house.ring)) {
    kept.add(record.voltage[0].extremes);
    weighted += static_cast<double>(record.voltage[0].mean) * record.span;
    span += record.span;
  }
  EXPECT_EQ(kept.minimum, least);
  EXPECT_EQ(kept.maximum, greatest);
  EXPECT_NEAR(weighted / span, sum / MINUTES, 1.0);
  EXPECT_EQ(span, MINUTES * MINUTE);
}

TEST(JournalRing, KeepsWhatEveryClientHasAsHoursWhileThereIsRoom) {
  House house(4096);
  for (uint32_t minute = 1; minute <= 20 * 60; minute++) {
    house.live(1);
    house.ring.settle(minute > 30 ? minute - 30 : 0);
    ASSERT_NO_FATAL_FAILURE(expect_sound(house.ring, house.counters));
  }
  EXPECT_EQ(house.ring.begin_place().sequence, 0U) << "nothing was dropped";
  for (auto walk = house.ring.walk(); walk.next();) {
    EXPECT_EQ(walk.begin().time.seconds / 3600, (walk.end().time.seconds - 1) / 3600);
    if (walk.end().sequence > 20 * 60 - 30) {
      EXPECT_EQ(walk.record().span, MINUTE);
    }
  }
  // Nobody's records stay minutes, whatever else is kept.
  for (uint32_t minute = 1; minute <= 200 * 60; minute++) {
    house.live(1);
    house.ring.settle(20 * 60 + minute - 30);
  }
  expect_sound(house.ring, house.counters);
  const auto kept = records(house.ring);
  EXPECT_GT(kept.front().span, 30 * MINUTE);
  EXPECT_EQ(kept.back().span, MINUTE);
  EXPECT_EQ(kept[kept.size() - 30].span, MINUTE);
}

TEST(JournalRing, TakesRoomFirstFromWhatEveryClientHas) {
  House house(4096);
  house.live(60);
  house.ring.settle(50);
  house.live(45);
  expect_sound(house.ring, house.counters);
  for (const auto &record : records(house.ring)) {
    if (record.sequence > 50) {
      EXPECT_EQ(record.span, MINUTE) << record.sequence;
    }
  }
}

TEST(JournalRing, GivesPagesOfWholeRecordsThatJoin) {
  House house(8192);
  house.live(120);
  Counters counters = house.ring.begin_place().counters;
  uint32_t sequence = 0;
  while (true) {
    const auto run = house.ring.run_after(sequence, 700);
    if (run.size == 0)
      break;
    EXPECT_LE(run.size, 700U);
    EXPECT_EQ(run.begin.sequence, sequence);
    EXPECT_EQ(run.begin.counters, counters);
    for (size_t offset = 0; offset < run.size;) {
      JournalRecord record;
      const size_t size = decode(run.bytes + offset, run.size - offset, record);
      ASSERT_GT(size, 0U);
      offset += size;
      for (size_t i = 0; i < COUNTERS; i++)
        counters[i] += record.energy[i];
    }
    sequence = run.sequence;
  }
  EXPECT_EQ(sequence, 120U);
  EXPECT_EQ(counters, house.counters);
}

TEST(JournalRing, GivesTheRecordAnAcknowledgedOneWasMergedInto) {
  House house(512);
  house.live(5);
  house.live(600);
  const auto run = house.ring.run_after(5, 4096);
  EXPECT_LE(run.begin.sequence, 5U);
  EXPECT_EQ(run.sequence, 605U);
}

TEST(JournalRing, IsTakenOverAfterAPowerCut) {
  House house(4096);
  house.live(30);
  const JournalPlace begin{0, {JournalTime::Clock::EPOCH, MIDNIGHT}, {}};
  std::vector<uint8_t> flash;
  // As the store keeps it: the start gets its time.
  for (auto walk = house.ring.walk(); walk.next();) {
    JournalRecord record = walk.record();
    if (record.has(FLAG_START))
      record.start = MIDNIGHT;
    std::array<uint8_t, MAX_RECORD_SIZE> bytes;
    const size_t size = encode(record, bytes);
    flash.insert(flash.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
  }
  house.live(10);  // lost
  House after(4096);
  after.counters = house.counters;
  ASSERT_TRUE(after.ring.restore(begin, flash.data(), flash.size(), 4096, after.counters));
  expect_sound(after.ring, after.counters);
  EXPECT_EQ(after.ring.end_place().sequence, 4097U);
  after.uptime = 3;
  after.live(5, MIDNIGHT + 7200);
  expect_sound(after.ring, after.counters);
  const auto kept = records(after.ring);
  ASSERT_EQ(kept.size(), 36U);
  EXPECT_TRUE(kept[30].has(FLAG_GAP));
  EXPECT_TRUE(kept[31].has(FLAG_START));
  Counters lost{};
  for (size_t i = 0; i < COUNTERS; i++)
    lost[i] = house.counters[i] - begin.counters[i];
  for (size_t i = 0; i < 30; i++) {
    for (size_t j = 0; j < COUNTERS; j++)
      lost[j] -= kept[i].energy[j];
  }
  EXPECT_EQ(kept[30].energy, lost) << "what the lost minutes counted";
}

TEST(JournalRing, PutsWhatHasNoTimeIntoTheGap) {
  House house(4096);
  house.live(30, std::nullopt);
  std::vector<uint8_t> flash;
  const auto run = house.ring.run_after(0, 4096);
  flash.assign(run.bytes, run.bytes + run.size);
  House after(4096);
  after.counters = house.counters;
  ASSERT_TRUE(after.ring.restore({}, flash.data(), flash.size(), 64, after.counters));
  const auto kept = records(after.ring);
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_TRUE(kept[0].has(FLAG_GAP));
  EXPECT_EQ(kept[0].energy, house.counters);
}

TEST(JournalRing, IsKeptInASmallerMemoryWithAllItsEnergy) {
  for (const size_t budget : {300U, 1024U, 8192U}) {
    House house(16384);
    house.live(200);
    std::vector<uint8_t> memory(budget);
    JournalRing image(memory.data(), memory.size());
    image.copy_from(house.ring, 20, MIDNIGHT, 77);
    ASSERT_NO_FATAL_FAILURE(expect_sound(image, house.counters));
    EXPECT_EQ(image.end_place().sequence, 200U);
    uint32_t last = 0;
    for (auto walk = image.walk(); walk.next(); last = walk.end().time.seconds)
      EXPECT_EQ(walk.end().time.clock, JournalTime::Clock::EPOCH);
    EXPECT_EQ(last, MIDNIGHT + 200 * MINUTE);
    image.copy_from(house.ring, 200, MIDNIGHT, 77);
    EXPECT_EQ(image.size(), 0U);
    EXPECT_EQ(image.begin_place().time, (JournalTime{JournalTime::Clock::EPOCH, MIDNIGHT + 200 * MINUTE}));
  }
}

TEST(JournalRing, BeginsAnewWhereTheTotalsAreBehindIt) {
  House house(4096);
  house.live(30);
  const auto run = house.ring.run_after(0, 4096);
  House after(4096);
  EXPECT_FALSE(after.ring.restore({}, run.bytes, run.size, 64, after.counters));
  EXPECT_EQ(after.ring.size(), 0U);
  after.live(3);
  expect_sound(after.ring, after.counters);
}

TEST(JournalRing, IsNotBrokenByDamagedFlash) {
  std::mt19937 random(11);
  for (int i = 0; i < 500; i++) {
    House house(1024);
    house.live(15);
    const auto run = house.ring.run_after(0, 1024);
    std::vector<uint8_t> flash(run.bytes, run.bytes + run.size);
    flash[random() % flash.size()] ^= 1 << random() % 8;
    House after(1024);
    after.counters = house.counters;
    after.ring.restore({0, {JournalTime::Clock::EPOCH, MIDNIGHT}, {}}, flash.data(), flash.size(), 64, after.counters);
    ASSERT_NO_FATAL_FAILURE(expect_sound(after.ring, after.counters));
    after.live(40, MIDNIGHT + 3600);
    ASSERT_NO_FATAL_FAILURE(expect_sound(after.ring, after.counters));
  }
}

/// A client that keeps the totals at the end of what it was given.
struct Client {
  uint32_t acknowledged{0};
  Counters counters{};
};

TEST(JournalRing, ConservesEnergyThroughAnythingThatHappens) {
  for (uint32_t seed = 0; seed < rounds(20u, 1000u); seed++) {
    std::mt19937 random(seed);
    const size_t budget = 300 + random() % 3000;
    House house(budget, seed);
    std::array<Client, 2> clients;
    std::optional<uint32_t> boot;
    for (int step = 0; step < 400; step++) {
      switch (random() % 6) {
        case 0:
        case 1:
        case 2:
          house.live(1 + random() % 20, boot);
          break;
        case 3: {
          Client &client = clients[random() % 2];
          const auto run = house.ring.run_after(client.acknowledged, 200 + random() % 1000);
          if (run.size == 0 || random() % 4 == 0)
            break;
          Counters counters = run.begin.counters;
          for (size_t offset = 0; offset < run.size;) {
            JournalRecord record;
            offset += decode(run.bytes + offset, run.size - offset, record);
            for (size_t i = 0; i < COUNTERS; i++)
              counters[i] += record.energy[i];
          }
          for (size_t i = 0; i < COUNTERS; i++)
            ASSERT_GE(counters[i], client.counters[i]);
          client = {run.sequence, counters};
          house.ring.settle(std::min(clients[0].acknowledged, clients[1].acknowledged));
          break;
        }
        case 4:
          boot = random() % 3 == 0 ? std::nullopt : std::optional<uint32_t>(MIDNIGHT + random() % 100000);
          break;
        case 5: {
          // A restart with all that is there, or with a part.
          JournalPlace begin = house.ring.begin_place();
          if (begin.time.clock != JournalTime::Clock::EPOCH)
            begin.time = {};
          const auto run = house.ring.run_after(0, random() % 2 == 0 ? budget : budget / 2);
          std::vector<uint8_t> flash(run.bytes, run.bytes + run.size);
          const uint32_t sequence = house.ring.end_place().sequence + 64;
          house.ring.restore(begin, flash.data(), flash.size(), sequence, house.counters);
          house.uptime = random() % 100;
          break;
        }
      }
      ASSERT_NO_FATAL_FAILURE(expect_sound(house.ring, house.counters)) << "seed " << seed << ", step " << step;
    }
    for (Client &client : clients) {
      while (true) {
        const auto run = house.ring.run_after(client.acknowledged, 1000);
        if (run.size == 0)
          break;
        client.acknowledged = run.sequence;
        client.counters = run.begin.counters;
        for (size_t offset = 0; offset < run.size;) {
          JournalRecord record;
          offset += decode(run.bytes + offset, run.size - offset, record);
          for (size_t i = 0; i < COUNTERS; i++)
            client.counters[i] += record.energy[i];
        }
      }
      EXPECT_EQ(client.counters, house.counters) << "seed " << seed;
    }
  }
}

/// Minutes of a common house for which no record is longer than this, s.
unsigned minutes_at(size_t budget, uint32_t resolution) {
  House house(budget);
  for (unsigned minutes = 0;; minutes++) {
    house.live(1);
    for (auto walk = house.ring.walk(); walk.next();) {
      if (walk.record().span > resolution)
        return minutes;
    }
  }
}

TEST(JournalRing, HoldsTheHoursThatTheDocumentationSays) {
  // Hours at a resolution of 1 min, 15 min and 1 h, as in docs/journal.md.
  struct Row {
    size_t budget;
    double at_one_minute;
    double at_quarter_hour;
    double at_hour;
  };
  for (const Row &row : {Row{512, 0.1, 1, 5}, Row{2048, 0.5, 4.8, 26}, Row{8192, 2.1, 19, 106}}) {
    const double hours[] = {minutes_at(row.budget, 60) / 60.0, minutes_at(row.budget, 15 * 60) / 60.0,
                            minutes_at(row.budget, 3600) / 60.0};
    std::printf("%6zu bytes: %.1f h at 1 min, %.1f h at 15 min, %.1f h at 1 h\n", row.budget, hours[0], hours[1],
                hours[2]);
    EXPECT_GE(hours[0], row.at_one_minute);
    EXPECT_GE(hours[1], row.at_quarter_hour);
    EXPECT_GE(hours[2], row.at_hour);
  }
  const double day = minutes_at(65536, 60) / 60.0;
  std::printf(" 65536 bytes: %.1f h at 1 min\n", day);
  EXPECT_GE(day, 17);
}

}  // namespace
}  // namespace esphome::energy_journal

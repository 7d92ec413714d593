// The journal in flash: a whole journal is found after a power cut at any moment.

#include "esphome/components/energy_journal/journal_store.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <vector>

namespace esphome::energy_journal {
namespace {

constexpr size_t CAPACITY = 2048;

/// A journal as it is written: its header, and records that tell which journal they are of.
struct Journal {
  explicit Journal(uint32_t number, size_t size = CAPACITY) : records(size) {
    std::mt19937 random(number);
    for (uint8_t &byte : this->records)
      byte = static_cast<uint8_t>(random());
    this->header.journal = 7;
    this->header.reserved = number * 100;
    this->header.sequence = number;
    this->header.time = 1795219200 + number;
    this->header.size = static_cast<uint32_t>(size);
  }
  JournalStore::Header header{};
  std::vector<uint8_t> records;
};

class JournalStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    global_preferences = &this->preferences;
    this->start();
  }
  void TearDown() override { global_preferences = nullptr; }

  Flash &flash() { return this->preferences.flash; }

  /// The device starts, and reads what is there.
  void start(size_t capacity = CAPACITY) {
    this->flash().writes_left = std::numeric_limits<size_t>::max();
    this->store.emplace();
    this->store->setup(capacity, 0);
    this->records.assign(capacity, 0);
    this->found = this->store->load(this->records.data());
  }

  /// @return writes that it took
  size_t save(const Journal &journal) {
    const size_t before = this->flash().writes;
    this->store->begin_save(journal.header, journal.records.data());
    while (this->store->is_saving())
      this->store->step();
    return this->flash().writes - before;
  }

  bool found_whole(const Journal &journal) const {
    return this->found.has_value() && this->found->sequence == journal.header.sequence &&
           this->found->time == journal.header.time && this->found->size == journal.records.size() &&
           std::equal(journal.records.begin(), journal.records.end(), this->records.begin());
  }

  Preferences preferences;
  std::optional<JournalStore> store;
  std::vector<uint8_t> records;
  std::optional<JournalStore::Header> found;
};

TEST_F(JournalStoreTest, ANewDeviceHasNone) { EXPECT_FALSE(this->found.has_value()); }

TEST_F(JournalStoreTest, WhatWasWrittenIsThereAfterARestart) {
  for (uint32_t number = 1; number <= 4; number++) {
    const Journal journal(number, 300 * number);
    this->save(journal);
    this->start();
    EXPECT_TRUE(this->found_whole(journal)) << number;
  }
}

TEST_F(JournalStoreTest, APowerCutDuringAWriteLeavesTheWriteBefore) {
  const Journal before(1), during(2), after(3);
  const size_t writes = this->save(before);
  for (size_t cut = 0; cut <= writes; cut++) {
    this->preferences = {};
    this->start();
    this->save(before);
    this->flash().writes_left = cut;
    this->save(during);
    this->start();
    EXPECT_TRUE(this->found_whole(cut < writes ? before : during)) << "cut after " << cut << " of " << writes;
    this->save(after);
    this->start();
    EXPECT_TRUE(this->found_whole(after)) << "after a cut after " << cut;
  }
}

TEST_F(JournalStoreTest, AnySeriesOfPowerCutsLeavesTheLastWholeWrite) {
  std::mt19937 random(3);
  std::optional<Journal> whole;
  for (uint32_t number = 1; number < 300; number++) {
    const Journal journal(number, 1 + random() % CAPACITY);
    const size_t cut = random() % 12;
    this->flash().writes_left = cut;
    if (this->save(journal) == (journal.records.size() + 239) / 240 + 1)
      whole = journal;
    this->start();
    ASSERT_EQ(this->found.has_value(), whole.has_value()) << number;
    ASSERT_TRUE(!whole || this->found_whole(*whole)) << number;
  }
  EXPECT_TRUE(whole.has_value());
}

TEST_F(JournalStoreTest, ADamagedJournalGivesWayToTheOneBeforeAndIsWrittenOver) {
  const Journal older(1), newer(2), next(3);
  this->save(older);
  std::map<uint32_t, std::vector<uint8_t>> untouched = this->flash().values;
  this->save(newer);
  for (auto &[key, value] : this->flash().values) {
    if (value != untouched[key] && value.size() != sizeof(JournalStore::Header)) {
      value[17] ^= 0x40;
      break;
    }
  }
  this->start();
  EXPECT_TRUE(this->found_whole(older));
  EXPECT_EQ(this->found->reserved, newer.header.reserved) << "a sequence would be used twice";
  // Not over the one that is well.
  this->flash().writes_left = 3;
  this->save(next);
  this->start();
  EXPECT_TRUE(this->found_whole(older));
}

TEST_F(JournalStoreTest, WithoutRoomForRecordsTheTotalsAreKept) {
  this->start(0);
  Journal journal(5, 0);
  journal.header.counters[0] = 123456789;
  EXPECT_EQ(this->save(journal), 1u);
  this->start(0);
  ASSERT_TRUE(this->found.has_value());
  EXPECT_EQ(this->found->counters[0], 123456789u);
}

}  // namespace
}  // namespace esphome::energy_journal

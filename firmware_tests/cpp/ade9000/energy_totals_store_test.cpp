// The totals in flash: what is damaged, lost or half written costs nothing that was written whole.

#include "esphome/components/ade9000/energy_totals_store.h"

#include "esphome/core/helpers.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <vector>

namespace esphome::ade9000 {
namespace {

using Values = std::map<uint32_t, std::vector<uint8_t>>;

/// A front end in which one code is a nanowatt-hour.
Scaling unit_scaling() {
  Scaling scaling{1000.0, 1.0};
  scaling.voltage_divider /= scaling.nanowatt_hours_per_code();
  return scaling;
}

/// What a reading after a restart tells of the totals.
struct Totals {
  int64_t import_l1;
  int64_t export_l2;
  int64_t quadrant_l3;
  uint32_t session;
  bool operator==(const Totals &) const = default;
};

std::ostream &operator<<(std::ostream &out, const Totals &totals) {
  return out << totals.import_l1 << " nWh, " << totals.export_l2 << " nWh, " << totals.quadrant_l3 << " nvarh, session "
             << totals.session;
}

constexpr Totals NONE{0, 0, 0, 0};

class EnergyTotalsStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    global_preferences = &this->preferences;
    this->start();
  }
  void TearDown() override { global_preferences = nullptr; }

  Values &values() { return this->preferences.flash.values; }

  /// The meter starts with what is in the flash, and begins to count.
  void start(bool with_reactive = true, uint32_t number = 0) {
    this->preferences.flash.writes_left = std::numeric_limits<size_t>::max();
    this->store.emplace();
    this->totals.emplace();
    this->store->load(*this->totals, number, with_reactive);
    this->found = this->now(this->totals->stored_session());
    this->totals->start();
    this->codes = {};
    this->totals->count(this->codes, unit_scaling());
  }

  Totals now(uint32_t session) const {
    return {this->totals->active().get_import(Channel::L1), this->totals->active().get_export(Channel::L2),
            this->totals->reactive().get_quadrant(Channel::L3, 0), session};
  }

  /// Counts and writes, until the power is cut after so many writes. @return what was to be kept.
  Totals save(uint32_t session, size_t cut = std::numeric_limits<size_t>::max()) {
    this->codes.active[0] += 3'000'000;
    this->codes.active[1] -= 2'000'000;
    this->codes.active[2] += 1;
    this->codes.reactive[2] += 1'000'000;
    for (uint64_t &apparent : this->codes.apparent)
      apparent += 4'000'000;
    for (uint64_t *code : {&this->codes.active[1]})
      *code &= (uint64_t{1} << ACCUMULATOR_BITS) - 1;
    EXPECT_TRUE(this->totals->count(this->codes, unit_scaling()));
    this->preferences.flash.writes_left = cut;
    this->store->save(*this->totals, session, 1795219200);
    return this->now(session);
  }

  Preferences preferences;
  std::optional<EnergyTotalsStore> store;
  std::optional<EnergyTotals> totals;
  Totals found{};
  EnergyCodes codes{};
};

TEST_F(EnergyTotalsStoreTest, ANewMeterBeginsAtZero) { EXPECT_EQ(this->found, NONE); }

TEST_F(EnergyTotalsStoreTest, WhatWasWrittenIsThereAfterARestart) {
  for (uint32_t session = 1; session < 6; session++) {
    const Totals written = this->save(session);
    this->start();
    EXPECT_EQ(this->found, written);
  }
}

TEST_F(EnergyTotalsStoreTest, NoFlippedBitChangesATotal) {
  this->save(1);
  const Totals written = this->save(2);
  const Values whole = this->values();
  for (const auto &[key, value] : whole) {
    for (size_t bit = 0; bit < value.size() * 8; bit++) {
      this->values() = whole;
      this->values()[key][bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      this->start();
      ASSERT_EQ(this->found, written) << "bit " << bit << " of a record of " << value.size() << " bytes";
    }
  }
}

TEST_F(EnergyTotalsStoreTest, ALostCopyIsNotMissedAndIsWrittenAgain) {
  this->save(1);
  const Totals written = this->save(2);
  const Values whole = this->values();
  for (const auto &[lost, _] : whole) {
    this->values() = whole;
    this->values().erase(lost);
    this->start();
    EXPECT_EQ(this->found, written);
    const Totals next = this->save(3);
    for (const auto &[other, value] : whole) {
      if (other == lost || value.size() != whole.at(lost).size())
        continue;
      this->values().erase(other);
      this->start();
      EXPECT_EQ(this->found, next) << "the copy that was lost has not been written again";
    }
  }
}

TEST_F(EnergyTotalsStoreTest, AShortRecordIsNone) {
  const Totals written = this->save(1);
  const Values whole = this->values();
  for (const auto &[key, value] : whole) {
    for (size_t size = 0; size < value.size(); size++) {
      this->values() = whole;
      this->values()[key].resize(size);
      this->start();
      ASSERT_EQ(this->found, written) << size << " of " << value.size() << " bytes";
    }
  }
}

TEST_F(EnergyTotalsStoreTest, AFileOfPreferencesCutAnywhereBehindItsFirstRecordsKeepsTheTotals) {
  // The host's preferences are one file of records in the order of their keys; there are others beside the totals.
  std::mt19937 random(1);
  for (int i = 0; i < 30; i++)
    this->values()[static_cast<uint32_t>(random())] = std::vector<uint8_t>(8);
  const Totals written = this->save(1);
  const Values whole = this->values();
  const size_t first_records = 2;
  for (size_t kept = first_records; kept < whole.size(); kept++) {
    this->values() = {whole.begin(), std::next(whole.begin(), static_cast<ptrdiff_t>(kept))};
    this->start();
    ASSERT_EQ(this->found, written) << "cut after " << kept << " of " << whole.size() << " records";
    this->values() = {std::next(whole.begin(), static_cast<ptrdiff_t>(whole.size() - kept)), whole.end()};
    this->start();
    ASSERT_EQ(this->found, written) << "only the last " << kept << " of " << whole.size() << " records";
  }
}

TEST_F(EnergyTotalsStoreTest, APowerCutBetweenTheWritesLeavesTheNewestWholeCopy) {
  this->save(1);
  const size_t before_save = this->preferences.flash.writes;
  const Totals older = this->save(2);
  const size_t writes = this->preferences.flash.writes - before_save;
  const Values whole = this->values();
  for (size_t cut = 0; cut <= writes; cut++) {
    this->values() = whole;
    this->start();
    const Totals newer = this->save(3, cut);
    this->start();
    // The record of active energy comes first, that of reactive energy is one of its own.
    EXPECT_EQ(this->found.import_l1, cut == 0 ? older.import_l1 : newer.import_l1) << cut;
    EXPECT_EQ(this->found.session, cut == 0 ? 2u : 3u) << cut;
    EXPECT_TRUE(this->found.quadrant_l3 == older.quadrant_l3 || this->found.quadrant_l3 == newer.quadrant_l3) << cut;
    if (cut == writes) {
      EXPECT_EQ(this->found, newer);
    }
    const Totals next = this->save(4);
    this->start();
    EXPECT_EQ(this->found, next) << "after a cut after " << cut;
  }
}

TEST_F(EnergyTotalsStoreTest, ARecordTornWhileItIsWrittenLeavesAWholeOne) {
  // A flash that keeps half of what was being written: whatever was whole before stays so until another is.
  std::mt19937 random(2);
  Totals last = this->save(1);
  for (uint32_t session = 2; session < 200; session++) {
    const Values before = this->values();
    const size_t cut = random() % 5;
    const Totals written = this->save(session, cut);
    for (auto &[key, value] : this->values()) {
      const auto was = before.find(key);
      if (was == before.end() || was->second == value)
        continue;
      // The last one written is the torn one: tear one of those that changed.
      value.resize(random() % value.size());
      break;
    }
    this->start();
    ASSERT_TRUE(this->found.import_l1 == last.import_l1 || this->found.import_l1 == written.import_l1) << session;
    last = this->found;
  }
}

TEST_F(EnergyTotalsStoreTest, TheFormatOfOlderFirmwareIsTakenOver) {
  StoredActiveEnergy active{};
  active.import_nwh = {123'000'000'000, 5, 6, 7};
  active.export_nwh = {1, 45'000'000'000, 3, 4};
  active.session = 77;
  StoredReactiveEnergy reactive{};
  reactive.quadrants_nvarh[2][0] = 6'000'000'000;
  reactive.session = 77;
  const Totals expected{123'000'000'000, 45'000'000'000, 6'000'000'000, 77};
  for (const uint32_t number : {0u, 1u}) {
    this->values().clear();
    this->preferences.flash.write(fnv1_hash("ade9000.energy.active.2") + number, &active, sizeof(active));
    this->preferences.flash.write(fnv1_hash("ade9000.energy.reactive.2") + number, &reactive, sizeof(reactive));
    this->start(true, number);
    EXPECT_EQ(this->found, expected);
    const Totals next = this->save(78);
    EXPECT_GT(next.import_l1, expected.import_l1);
    // What is newer counts from then on, whatever is damaged or lost of it.
    const Values whole = this->values();
    for (const auto &[key, value] : whole) {
      this->values() = whole;
      this->values().erase(key);
      this->start(true, number);
      EXPECT_EQ(this->found, next);
    }
  }
}

TEST_F(EnergyTotalsStoreTest, TheFirstFormatIsTakenOver) {
  const std::array<int64_t, 8> first{123'000'000'000, 5, 6, 7, 1, 45'000'000'000, 3, 4};
  this->preferences.flash.write(fnv1_hash("ade9000.energy.1"), &first, sizeof(first));
  this->start();
  EXPECT_EQ(this->found, (Totals{123'000'000'000, 45'000'000'000, 0, 0}));
  const Totals next = this->save(1);
  this->start();
  EXPECT_EQ(this->found, next);
}

TEST_F(EnergyTotalsStoreTest, EachMeterOfADeviceHasItsOwn) {
  const Totals first = this->save(1);
  this->start(true, 1);
  EXPECT_EQ(this->found, NONE);
  this->save(9);
  const Totals second = this->save(9);
  this->start(true, 0);
  EXPECT_EQ(this->found, first);
  this->start(true, 1);
  EXPECT_EQ(this->found, second);
}

TEST_F(EnergyTotalsStoreTest, WithoutReactiveEnergyThatIsNotWritten) {
  this->start(false);
  this->save(1);
  for (const auto &[key, value] : this->values())
    EXPECT_LT(value.size(), sizeof(StoredReactiveEnergy));
}

TEST_F(EnergyTotalsStoreTest, AFlashThatTakesNothingIsTold) {
  this->totals->count(this->codes, unit_scaling());
  this->preferences.flash.refuses = true;
  EXPECT_FALSE(this->store->save(*this->totals, 1, 0));
  this->preferences.flash.refuses = false;
  EXPECT_TRUE(this->store->save(*this->totals, 1, 0));
}

}  // namespace
}  // namespace esphome::ade9000

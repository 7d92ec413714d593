// Delivery of the journal: each client gets every record, whatever the others do.

#include "esphome/components/energy_journal/journal_delivery.h"

#include <gtest/gtest.h>

#include <vector>

namespace esphome::energy_journal {
namespace {

TEST(JournalDelivery, SendsAgainLessAndLessOftenUntilItIsAcknowledged) {
  JournalDelivery delivery;
  delivery.open(7, 0, 100, 1000);
  std::vector<uint32_t> sent;
  for (uint32_t now = 1000; now < 400000; now += 500) {
    const auto due = delivery.due(100, now);
    if (due.has_value()) {
      delivery.on_sent(*due, 50, now);
      sent.push_back(now - 1000);
    }
  }
  EXPECT_EQ(sent, (std::vector<uint32_t>{0, 2000, 6000, 14000, 30000, 62000, 122000, 182000, 242000, 302000, 362000}));
  EXPECT_TRUE(delivery.acknowledge(7, 50, 0, 400000));
  EXPECT_TRUE(delivery.due(100, 400000).has_value());
  delivery.on_sent(0, 100, 400000);
  EXPECT_TRUE(delivery.acknowledge(7, 100, 100, 400001));
  EXPECT_FALSE(delivery.due(100, 900000).has_value());
  EXPECT_TRUE(delivery.due(101, 900000).has_value());
}

TEST(JournalDelivery, TakesNoAcknowledgementOfWhatWasNotSent) {
  JournalDelivery delivery;
  delivery.open(7, 0, 100, 0);
  delivery.on_sent(0, 50, 0);
  EXPECT_FALSE(delivery.acknowledge(7, 51, 0, 1));
  EXPECT_FALSE(delivery.acknowledge(7, 50, 51, 1));
  EXPECT_FALSE(delivery.acknowledge(8, 50, 50, 1));
  EXPECT_FALSE(delivery.acknowledge(0, 0, 0, 1));
  EXPECT_TRUE(delivery.acknowledge(7, 50, 50, 1));
  // One that was held up is no step back.
  EXPECT_TRUE(delivery.acknowledge(7, 20, 20, 2));
  EXPECT_EQ(delivery.session(0).received, 50U);
  EXPECT_EQ(delivery.settled(2), 50U);
}

TEST(JournalDelivery, LetsNoClientTakeFromAnother) {
  JournalDelivery delivery;
  EXPECT_EQ(delivery.settled(0), 0U);
  delivery.open(1, 0, 100, 0);
  delivery.open(2, 60, 100, 0);
  EXPECT_TRUE(delivery.acknowledge(2, 60, 60, 0));
  delivery.on_sent(0, 100, 0);
  EXPECT_TRUE(delivery.acknowledge(1, 100, 100, 1));
  EXPECT_EQ(delivery.settled(1), 60U);
  delivery.close(2);
  EXPECT_EQ(delivery.settled(1), 100U);
}

TEST(JournalDelivery, KeepsWhatWasReceivedButNotUsedWhenAClientOpensAgain) {
  JournalDelivery delivery;
  delivery.open(1, 0, 100, 0);
  delivery.on_sent(0, 100, 0);
  EXPECT_TRUE(delivery.acknowledge(1, 100, 30, 1));
  delivery.open(1, 100, 100, 2);
  EXPECT_EQ(delivery.settled(2), 30U);
  EXPECT_TRUE(delivery.acknowledge(1, 100, 60, 3));
  EXPECT_EQ(delivery.settled(3), 60U);
  // It broke down, and knows of less than it had used.
  delivery.open(1, 20, 100, 4);
  EXPECT_EQ(delivery.settled(4), 20U);
}

TEST(JournalDelivery, GivesTheLongestSilentPlaceToANewClient) {
  JournalDelivery delivery;
  for (uint32_t client = 1; client <= JournalDelivery::MAX_SESSIONS; client++)
    delivery.open(client, client, 100, client * 1000);
  delivery.open(99, 0, 100, 9000);
  EXPECT_FALSE(delivery.acknowledge(1, 0, 0, 9001));
  EXPECT_TRUE(delivery.acknowledge(99, 0, 0, 9001));
  EXPECT_TRUE(delivery.acknowledge(2, 2, 2, 9001));
}

TEST(JournalDelivery, ForgetsAClientAfterAWeek) {
  JournalDelivery delivery;
  delivery.open(1, 0, 100, 0);
  EXPECT_FALSE(delivery.due(100, JournalDelivery::FORGOTTEN_AFTER_MS).has_value());
  delivery.open(2, 40, 100, JournalDelivery::FORGOTTEN_AFTER_MS);
  EXPECT_TRUE(delivery.acknowledge(2, 40, 40, JournalDelivery::FORGOTTEN_AFTER_MS));
  EXPECT_EQ(delivery.settled(JournalDelivery::FORGOTTEN_AFTER_MS), 40U);
}

TEST(JournalDelivery, BeginsFromTheFirstWhereAClientClaimsTooMuch) {
  JournalDelivery delivery;
  delivery.open(1, 500, 100, 0);
  EXPECT_EQ(delivery.session(0).received, 0U);
}

}  // namespace
}  // namespace esphome::energy_journal

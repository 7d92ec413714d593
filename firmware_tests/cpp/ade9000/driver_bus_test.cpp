// The driver's side of the wire, against frames written out by hand from the data sheet's SPI protocol.

#include "esphome/components/ade9000/ade9000_bus.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace esphome::ade9000 {
namespace {

using Bytes = std::vector<uint8_t>;

/// Records what the driver clocks out, and answers with what the test prepared.
class ScriptedWire : public Ade9000Transport {
 public:
  void transfer(uint8_t *data, size_t length) override {
    this->sent.emplace_back(data, data + length);
    this->answer.resize(length, 0xFF);
    std::memcpy(data, this->answer.data(), length);
  }
  std::vector<Bytes> sent;
  Bytes answer;
};

class BusTest : public ::testing::Test {
 protected:
  void SetUp() override { this->bus.set_transport(&this->wire); }
  ScriptedWire wire;
  Ade9000Bus bus;
};

TEST(Crc16, HasThePublishedCheckValue) {
  const std::string digits = "123456789";
  EXPECT_EQ(crc16(reinterpret_cast<const uint8_t *>(digits.data()), digits.size()), 0x29B1);
}

TEST_F(BusTest, ReadsA32BitRegisterInAnEightByteFrame) {
  // AVRMS is 0x20D: 0x20D << 4 with the read bit is 0x20D8. 0x5349 is the CRC of "1234" by an independent program.
  this->wire.answer = {0xFF, 0xFF, 0x31, 0x32, 0x33, 0x34, 0x53, 0x49};
  uint32_t value = 0;
  ASSERT_TRUE(this->bus.read(0x20D, value));
  EXPECT_EQ(value, 0x31323334u);
  ASSERT_EQ(this->wire.sent.size(), 1u);
  EXPECT_EQ(this->wire.sent[0].size(), 8u);
  EXPECT_EQ(this->wire.sent[0][0], 0x20);
  EXPECT_EQ(this->wire.sent[0][1], 0xD8);
}

TEST_F(BusTest, ReadsRunAndVersionAsSixteenBits) {
  for (uint16_t address : {0x480, 0x4FE}) {
    uint32_t value;
    this->bus.read(address, value);
    EXPECT_EQ(this->wire.sent.back().size(), 6u) << std::hex << address;
  }
  uint32_t value;
  this->bus.read(0x47F, value);
  EXPECT_EQ(this->wire.sent.back().size(), 8u);
  this->bus.read(0x500, value);
  EXPECT_EQ(this->wire.sent.back().size(), 8u);
}

TEST_F(BusTest, WritesMostSignificantByteFirstWithoutTheReadBit) {
  this->bus.write(0x481, 0x0801);
  EXPECT_EQ(this->wire.sent.front(), (Bytes{0x48, 0x10, 0x08, 0x01}));
  this->bus.write_blindly(0x40F, 0x0022EA28);
  EXPECT_EQ(this->wire.sent.back(), (Bytes{0x40, 0xF0, 0x00, 0x22, 0xEA, 0x28}));
}

TEST_F(BusTest, RejectsEverySingleBitError) {
  const Bytes good = {0xFF, 0xFF, 0x31, 0x32, 0x33, 0x34, 0x53, 0x49};
  for (size_t bit = 16; bit < good.size() * 8; bit++) {
    this->wire.answer = good;
    this->wire.answer[bit / 8] ^= 0x80 >> (bit % 8);
    uint32_t value = 42;
    EXPECT_FALSE(this->bus.read(0x20D, value)) << "bit " << bit;
    EXPECT_EQ(value, 42u);
  }
  EXPECT_EQ(this->bus.get_rejected_frames(), 48u);
}

TEST_F(BusTest, RejectsAMissingChip) {
  for (uint8_t level : {0x00, 0xFF}) {
    uint32_t value;
    this->wire.answer = Bytes(8, level);
    EXPECT_FALSE(this->bus.read(0x20D, value));
    this->wire.answer = Bytes(6, level);
    EXPECT_FALSE(this->bus.read(0x4FE, value));
  }
}

/// Answers each frame with what the test has for it.
class AnsweringWire : public Ade9000Transport {
 public:
  void transfer(uint8_t *data, size_t length) override {
    this->sent.emplace_back(data, data + length);
    Bytes answer = this->answers.empty() ? Bytes() : this->answers.front();
    if (!this->answers.empty())
      this->answers.erase(this->answers.begin());
    answer.resize(length, 0xFF);
    std::memcpy(data, answer.data(), length);
  }
  std::vector<Bytes> sent;
  std::vector<Bytes> answers;
};

Bytes reply(std::initializer_list<uint8_t> value) {
  Bytes frame = {0xFF, 0xFF};
  frame.insert(frame.end(), value);
  const uint16_t crc = crc16(frame.data() + 2, value.size());
  frame.push_back(crc >> 8);
  frame.push_back(crc & 0xFF);
  return frame;
}

TEST(ConfirmedReading, AsksTheChipWhichRegisterItHasRead) {
  AnsweringWire wire;
  Ade9000Bus bus;
  bus.set_transport(&wire);
  // Another register first, then the right one; LAST_CMD (0x4AE) tells.
  wire.answers = {reply({0, 0, 0, 1}), reply({0x22, 0xD8}), reply({0, 0, 0, 2}), reply({0x20, 0xD8})};
  uint32_t value = 0;
  ASSERT_TRUE(bus.read_confirmed(0x20D, value));
  EXPECT_EQ(value, 2u);
  ASSERT_EQ(wire.sent.size(), 4u);
  EXPECT_EQ(wire.sent[1], (Bytes{0x4A, 0xE8, 0, 0, 0, 0}));
  EXPECT_EQ(bus.get_rejected_frames(Rejection::IMPLAUSIBLE), 1u);
}

TEST(ConfirmedReading, SendsAlongWhatTheRegisterShouldHold) {
  // A read that loses its read bit on the way is a write.
  AnsweringWire wire;
  Ade9000Bus bus;
  bus.set_transport(&wire);
  uint32_t value;
  bus.read(0x480, value, 1);
  EXPECT_EQ(wire.sent[0], (Bytes{0x48, 0x08, 0x00, 0x01, 0, 0}));
}

TEST(StrayWrite, IsToldFromALostOne) {
  AnsweringWire wire;
  Ade9000Bus bus;
  bus.set_transport(&wire);
  wire.answers = {{}, reply({0x49, 0x20})};
  bus.write(0x492, 0);
  EXPECT_FALSE(bus.take_stray_write()) << "as it should be";
  wire.answers = {{}, reply({0x49, 0x20})};
  bus.write(0x4B2, 159);
  EXPECT_FALSE(bus.take_stray_write()) << "lost: the chip knows of the one before";
  wire.answers = {{}, reply({0x4B, 0x28})};
  bus.write(0x4B2, 159);
  EXPECT_FALSE(bus.take_stray_write()) << "became a read";
  wire.answers = {{}, reply({0x48, 0x20}), reply({0x48, 0x20})};
  bus.write(0x492, 0);
  EXPECT_TRUE(bus.take_stray_write());
  EXPECT_FALSE(bus.take_stray_write()) << "told once";
}

}  // namespace
}  // namespace esphome::ade9000

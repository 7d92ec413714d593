// The simulated chip's SPI port, frame by frame, against UG-1098 "Accessing On-Chip Data".

#include "firmware_tests/cpp/support/chip_bench.h"

#include "esphome/components/ade9000_simulator/crc16.h"

#include <gtest/gtest.h>

#include <random>

namespace esphome::ade9000_simulator {
namespace {

constexpr uint32_t BURST_EN = 1u << 11;

class ChipSpi : public ::testing::Test {
 protected:
  void SetUp() override { this->bench.wait(0.1); }
  Bench bench{balanced(230.0, 10.0)};
};

TEST(Crc16, IsTheCcittOfThePublishedCheckValue) {
  const std::string digits = "123456789";
  EXPECT_EQ(crc16_ccitt(reinterpret_cast<const uint8_t *>(digits.data()), digits.size()), 0x29B1);
}

TEST_F(ChipSpi, ReadsA32BitRegisterWithItsCrc) {
  // Address 0x472 (PART_ID), read: 0x4728.
  const Bytes reply = this->bench.exchange({0x47, 0x28, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(Bench::word(reply, 2), 0x00100000u);
  // CRC-16-CCITT of 00 10 00 00 from FFFF, as another implementation has it (Python's binascii.crc_hqx).
  EXPECT_EQ(Bench::word(reply, 6, 2), 0xC7A3u);
}

TEST_F(ChipSpi, ReadsA16BitRegisterWithItsCrc) {
  const Bytes reply = this->bench.exchange({0x4F, 0xE8, 0, 0, 0, 0});
  EXPECT_EQ(Bench::word(reply, 2, 2) & 0xFFC0, 0x00C0u);
  const uint8_t version[] = {reply[2], reply[3]};
  EXPECT_EQ(Bench::word(reply, 4, 2), crc16_ccitt(version, 2));
  EXPECT_EQ(this->bench.read16(0x4A9), crc16_ccitt(version, 2)) << "CRC_SPI keeps the last CRC";
}

TEST_F(ChipSpi, WidthChangesAt0x480And0x4FE) {
  this->bench.write32(0x00B, 0x01234567);
  EXPECT_EQ(this->bench.read32(0x00B), 0x01234567u);
  this->bench.write16(0x499, 0x0ABC);
  EXPECT_EQ(this->bench.read16(0x499), 0x0ABC);
  // Two bytes after a 32-bit address and one after a 16-bit one are not all the bits: nothing is written.
  this->bench.write(0x00B, 0xFFFF, 2);
  EXPECT_EQ(this->bench.read32(0x00B), 0x01234567u);
  this->bench.write(0x499, 0xFF, 1);
  EXPECT_EQ(this->bench.read16(0x499), 0x0ABC);
}

TEST_F(ChipSpi, ReadOnlyRegistersIgnoreWrites) {
  this->bench.write32(0x472, 0);
  EXPECT_EQ(this->bench.read32(0x472), 0x00100000u);
  this->bench.write16(0x4FE, 0);
  EXPECT_EQ(this->bench.read16(0x4FE) & 0xFFC0, 0x00C0);
  this->bench.write32(0x2E6, 0x1234);
  EXPECT_EQ(this->bench.read32(0x2E6), 0u);
}

TEST_F(ChipSpi, LockStopsConfigurationUntilUnlocked) {
  this->bench.write16(0x4BF, 0x3C64);
  EXPECT_EQ(this->bench.read16(0x4BF), 1);
  this->bench.write32(0x00B, 77);
  this->bench.write16(0x480, 1);
  EXPECT_EQ(this->bench.read32(0x00B), 0u);
  EXPECT_EQ(this->bench.read16(0x480), 0);
  this->bench.write16(0x4BF, 0x4AD1);
  EXPECT_EQ(this->bench.read16(0x4BF), 0);
  this->bench.write32(0x00B, 77);
  EXPECT_EQ(this->bench.read32(0x00B), 77u);
}

TEST_F(ChipSpi, LastCommandAndDataTellOfTheLastAccessAndKeepThroughTheirOwnReading) {
  this->bench.write32(0x40F, 0x0022EA28);
  EXPECT_EQ(this->bench.read32(0x423), 0x0022EA28u) << "LAST_DATA_32";
  EXPECT_EQ(this->bench.read16(0x4AE), 0x40F0) << "LAST_CMD: the write's header";
  EXPECT_EQ(this->bench.read16(0x4AE), 0x40F0) << "unchanged by reading it";
  this->bench.read16(0x4FE);
  EXPECT_EQ(this->bench.read16(0x4AE), 0x4FE8);
  EXPECT_EQ(this->bench.read16(0x4AC), 0x00FE) << "LAST_DATA_16";
}

TEST_F(ChipSpi, BurstEnableTurnsTheCrcOffAndAutoIncrementOn) {
  this->bench.start();
  this->bench.wait(0.1);
  const uint32_t vrms = this->bench.read32(0x20D);
  ASSERT_NE(vrms, 0u);
  this->bench.write16(0x481, BURST_EN);

  const Bytes single = this->bench.read_frame(0x472, 6);
  EXPECT_EQ(Bench::word(single), 0x00100000u);
  EXPECT_EQ(Bench::word(single, 4, 2), 0u) << "no CRC";

  const Bytes phases = this->bench.read_frame(0x60A, 12);
  EXPECT_EQ(Bench::word(phases, 0), vrms);
  EXPECT_EQ(Bench::word(phases, 4), this->bench.read32(0x22D)) << "phase B is 0x20 further";
  EXPECT_EQ(Bench::word(phases, 8), this->bench.read32(0x24D));
}

TEST_F(ChipSpi, BurstsDoNotTouchLastCommand) {
  this->bench.write16(0x481, BURST_EN);
  this->bench.read_frame(0x600, 40);
  EXPECT_EQ(Bench::word(this->bench.read_frame(0x4AE, 2), 0, 2), 0x4810u);
}

TEST_F(ChipSpi, BurstRegionsMirrorTheResultsWhereTheDataSheetPutsThem) {
  // Three phases that differ in everything.
  Signal signal;
  for (int phase = 0; phase < 3; phase++)
    signal.phases[phase] = PhaseSignal::from_power(200.0 + phase, 1000.0 + phase, 300.0 + phase, 0.5 + phase);
  Bench other(signal);
  other.start();
  other.wait(0.3);
  struct Mirror {
    uint16_t function;
    uint16_t phase_a;
    uint16_t result;
  };
  // By function (A, B, C in a row), by phase (A at 0x680, B at 0x693, C at 0x6A6), and the register itself.
  constexpr Mirror MIRRORS[] = {
      {0x607, 0x682, 0x20C}, {0x60A, 0x683, 0x20D}, {0x60E, 0x684, 0x210}, {0x611, 0x685, 0x212},
      {0x614, 0x686, 0x211}, {0x617, 0x687, 0x214}, {0x61A, 0x688, 0x216}, {0x620, 0x68A, 0x218},
      {0x623, 0x68B, 0x213}, {0x626, 0x68C, 0x215}, {0x629, 0x68D, 0x20E}, {0x62C, 0x68E, 0x20F},
      {0x62F, 0x68F, 0x219}, {0x632, 0x690, 0x21A}, {0x636, 0x691, 0x21B}, {0x639, 0x692, 0x21C},
  };
  for (const Mirror &mirror : MIRRORS) {
    for (uint16_t phase = 0; phase < 3; phase++) {
      const uint32_t value = other.read32(mirror.result + 0x20 * phase);
      EXPECT_NE(value, 0u) << std::hex << mirror.result;
      EXPECT_EQ(other.read32(mirror.function + phase), value) << std::hex << mirror.function;
      EXPECT_EQ(other.read32(mirror.phase_a + 0x13 * phase), value) << std::hex << mirror.phase_a;
    }
  }
}

TEST_F(ChipSpi, NoFrameWhateverIsInItDoesHarm) {
  std::mt19937 random(20250428);
  this->bench.start();
  for (int i = 0; i < 20000; i++) {
    Bytes frame(random() % 70);
    for (uint8_t &byte : frame)
      byte = static_cast<uint8_t>(random());
    this->bench.exchange(frame);
    this->bench.wait(0.0001 * static_cast<double>(random() % 50));
  }
}

}  // namespace
}  // namespace esphome::ade9000_simulator

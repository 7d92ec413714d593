// The simulated chip at its start, at a reset, after a loss of supply, and under disturbances.

#include "firmware_tests/cpp/support/chip_bench.h"

#include <gtest/gtest.h>

namespace esphome::ade9000_simulator {
namespace {

constexpr uint32_t RSTDONE = 1u << 16;

TEST(ChipReset, IsSilentUntilItsResetIsOver) {
  Bench bench(balanced(230.0, 1.0));
  EXPECT_EQ(bench.exchange({0x47, 0x28, 0, 0, 0, 0, 0, 0}), Bytes(8, 0xFF));
  bench.wait(0.1);
  EXPECT_EQ(bench.read32(0x403) & RSTDONE, RSTDONE);
}

TEST(ChipReset, StatusBitsClearOnlyWhenWrittenOne) {
  Bench bench(balanced(230.0, 1.0));
  bench.wait(0.1);
  bench.write32(0x403, ~RSTDONE);
  EXPECT_EQ(bench.read32(0x403), RSTDONE);
  bench.write32(0x403, RSTDONE);
  EXPECT_EQ(bench.read32(0x403), 0u);
}

TEST(ChipReset, RegistersHoldTheDataSheetsResetValues) {
  Bench bench(balanced(230.0, 1.0));
  bench.wait(0.1);
  struct Reset {
    uint16_t address;
    uint32_t value;
  };
  constexpr Reset WIDE[] = {{0x000, 0},          {0x00B, 0},          {0x04E, 0},          {0x073, 0},
                            {0x20D, 0},          {0x21D, 0xF},        {0x23D, 0xF},        {0x25D, 0xF},
                            {0x26A, 0},          {0x2E6, 0},          {0x402, 0},          {0x405, 0},
                            {0x409, 0xFFFFFF},   {0x40E, 0x00500000}, {0x40F, 0x00045D45}, {0x410, 0},
                            {0x411, 0x7FFFFF},   {0x414, 0xFFFFFF},   {0x415, 0},          {0x418, 0x00A00000},
                            {0x41B, 0x00A00000}, {0x41C, 0xFFFF},     {0x41E, 0xFFFF},     {0x420, 0xFFFF},
                            {0x422, 0xFFFF},     {0x424, 0x001FFFFF}, {0x472, 0x00100000}};
  for (const Reset &reset : WIDE)
    EXPECT_EQ(bench.read32(reset.address), reset.value) << std::hex << reset.address;
  constexpr Reset NARROW[] = {{0x480, 0},      {0x481, 0},      {0x48B, 0xFFFF}, {0x48C, 0xFFFF}, {0x492, 0},
                              {0x493, 0xF000}, {0x494, 0xFFFF}, {0x497, 0xFFFF}, {0x498, 0xFFFF}, {0x499, 0x0009},
                              {0x49A, 0x001E}, {0x49C, 0x00FF}, {0x4AF, 0x0C00}, {0x4B0, 0},      {0x4B1, 0x00FF},
                              {0x4B2, 0x00FF}, {0x4B9, 0},      {0x4BF, 0},      {0x4FE, 0x00FE}};
  for (const Reset &reset : NARROW)
    EXPECT_EQ(bench.read16(reset.address), reset.value) << std::hex << reset.address;
}

TEST(ChipReset, MeasuresNothingBeforeRun) {
  Bench bench(balanced(230.0, 1.0));
  bench.wait(2.0);
  EXPECT_EQ(bench.read32(0x20D), 0u);
  bench.write16(0x480, 1);
  bench.wait(0.1);
  EXPECT_NE(bench.read32(0x20D), 0u);
  EXPECT_EQ(bench.read32(0x26A), 0x0Cu) << "VERSION2";
}

TEST(ChipReset, ResultsFreezeWhenRunEnds) {
  Bench bench([](double seconds) { return balanced(200.0 + seconds, 1.0); });
  bench.start();
  bench.wait(5.0);
  const uint32_t before = bench.read32(0x20D);
  bench.write16(0x480, 0);
  bench.wait(5.0);
  EXPECT_EQ(bench.read32(0x20D), before);
}

TEST(ChipReset, SoftwareResetForgetsEverything) {
  Bench bench(balanced(230.0, 10.0));
  bench.start();
  bench.write32(0x00B, 1234);
  bench.write32(0x403, 0xFFFFFFFF);
  bench.wait(5.0);
  ASSERT_NE(bench.read45(0x2E6), 0);
  bench.write16(0x481, 1);
  EXPECT_EQ(bench.read_frame(0x480, 4), Bytes(4, 0xFF)) << "no answer during the reset";
  bench.wait(0.1);
  EXPECT_EQ(bench.read32(0x403) & RSTDONE, RSTDONE);
  EXPECT_EQ(bench.read16(0x480), 0);
  EXPECT_EQ(bench.read16(0x481), 0) << "SWRST clears itself";
  EXPECT_EQ(bench.read32(0x00B), 0u);
  EXPECT_EQ(bench.read45(0x2E6), 0);
}

TEST(ChipReset, ResetEndsInRealTimeWhileTheSignalIsHeld) {
  Bench bench(balanced(230.0, 10.0));
  bench.hold(0.1);
  EXPECT_EQ(bench.read32(0x403) & RSTDONE, RSTDONE);
  bench.write16(0x480, 1);
  bench.hold(0.1);
  EXPECT_NE(bench.read32(0x20D), 0u) << "and the chip goes on measuring what is held";
}

TEST(ChipReset, BrownOutIsSilentThenStartsAnew) {
  Bench bench(balanced(230.0, 10.0));
  bench.start();
  bench.wait(3.0);
  ASSERT_NE(bench.read45(0x2E6), 0);
  bench.chip.brown_out(bench.now, 2.0);
  bench.wait(1.9);
  EXPECT_EQ(bench.read_frame(0x472, 6), Bytes(6, 0xFF));
  bench.wait(0.3);
  EXPECT_EQ(bench.read32(0x403), RSTDONE);
  EXPECT_EQ(bench.read16(0x480), 0);
  EXPECT_EQ(bench.read45(0x2E6), 0);
  bench.wait(3.0);
  EXPECT_EQ(bench.read45(0x2E6), 0) << "nothing accumulates until it is set up again";
  bench.start();
  bench.wait(2.1);
  // Two windows of 1.024 s at 2300 W, and nothing of the time before.
  EXPECT_NEAR(Bench::watt_hours(bench.read45(0x2E6)), 2300.0 * 2.048 / 3600.0, 1e-4);
}

TEST(ChipReset, DoesNotAnswerWhereNothingIsMeasured) {
  Bench bench([](double seconds) {
    Signal signal = balanced(230.0, 10.0);
    signal.measured = seconds < 10.0 || seconds > 20.0;
    return signal;
  });
  bench.start();
  bench.wait(12.0);
  EXPECT_EQ(bench.exchange({0x20, 0xD8, 0, 0, 0, 0, 0, 0}), Bytes(8, 0xFF));
  bench.write16(0x480, 0);
  bench.wait(10.0);
  EXPECT_EQ(bench.read16(0x480), 1) << "a write into the gap is lost; the chip itself kept running";
}

TEST(ChipReset, CorruptFramesHaveOneWrongBitEach) {
  Bench bench(balanced(230.0, 10.0));
  bench.wait(0.1);
  const Bytes good = bench.read_frame(0x472, 6);
  bench.chip.corrupt_next_frames(2, 11);
  Bytes expected = good;
  expected[1] ^= 0x10;
  EXPECT_EQ(bench.read_frame(0x472, 6), expected);
  bench.write16(0x499, 5);
  EXPECT_EQ(bench.read16(0x499), 5 ^ 0x10) << "bit 11 of the reply, the 4th from the right of 16";
  EXPECT_EQ(bench.read_frame(0x472, 6), good);
}

TEST(ChipReset, StuckLineShowsOneLevel) {
  Bench bench(balanced(230.0, 10.0));
  bench.wait(0.1);
  bench.chip.set_miso(SimulatedChip::Miso::STUCK_LOW);
  EXPECT_EQ(bench.read_frame(0x472, 6), Bytes(6, 0x00));
  bench.chip.set_miso(SimulatedChip::Miso::STUCK_HIGH);
  EXPECT_EQ(bench.read_frame(0x472, 6), Bytes(6, 0xFF));
  bench.chip.set_miso(SimulatedChip::Miso::DRIVEN);
  EXPECT_EQ(bench.read32(0x472), 0x00100000u);
}

TEST(ChipReset, ChecksumTellsAChangedConfiguration) {
  constexpr uint32_t CRC_CHG = 1u << 26;
  constexpr uint32_t CRC_DONE = 1u << 27;
  Bench bench(balanced(230.0, 10.0));
  bench.start();
  bench.write16(0x4B4, 1);  // CRC_FORCE
  EXPECT_EQ(bench.read32(0x403) & CRC_DONE, 0u) << "takes 10.8 ms";
  bench.wait(0.02);
  EXPECT_EQ(bench.read32(0x403) & (CRC_DONE | CRC_CHG), CRC_DONE);
  const uint16_t before = bench.read16(0x4A8);
  bench.wait(0.1);
  EXPECT_EQ(bench.read16(0x4A8), before);
  bench.write32(0x00E, 1);
  bench.wait(0.02);
  EXPECT_NE(bench.read16(0x4A8), before);
  EXPECT_EQ(bench.read32(0x403) & CRC_CHG, CRC_CHG);
  const uint16_t after = bench.read16(0x4A8);
  bench.write16(0x480, 0);  // RUN
  bench.write32(0x00E, 2);
  bench.wait(0.1);
  EXPECT_EQ(bench.read16(0x4A8), after) << "a chip that was stopped calculates nothing";
}

}  // namespace
}  // namespace esphome::ade9000_simulator

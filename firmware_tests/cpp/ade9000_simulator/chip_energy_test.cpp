// The simulated chip's accumulators, against power times time.

#include "firmware_tests/cpp/support/chip_bench.h"
#include "firmware_tests/cpp/support/run_length.h"

#include "esphome/components/ade9000_simulator/accumulators.h"

#include <gtest/gtest.h>

namespace esphome::ade9000_simulator {
namespace {

constexpr uint32_t EGYRDY = 1u << 0;
constexpr uint16_t WATTHR_A = 0x2E6;
constexpr uint16_t WATTHR_B = 0x322;
constexpr uint16_t WATTHR_C = 0x35E;
constexpr uint16_t VARHR_A = 0x2F0;
constexpr uint16_t VAHR_A = 0x2FA;
/// 1.024 s, the longest window.
constexpr double WINDOW = 8192 / 8000.0;

Signal watts(double a, double b, double c, double reactive_power = 0.0) {
  Signal signal;
  signal.phases = {PhaseSignal::from_power(230.0, a, reactive_power), PhaseSignal::from_power(230.0, b, reactive_power),
                   PhaseSignal::from_power(230.0, c, reactive_power)};
  return signal;
}

/// Runs the chip for a time in short turns, as a program does.
void run(Bench &bench, double seconds, double turn = 1.0) {
  const auto turns = static_cast<int>(std::lround(seconds / turn));
  for (int i = 0; i < turns; i++)
    bench.wait(turn);
}

TEST(ChipEnergy, TenKilowattsForSixMinutesAreOneKilowattHour) {
  Bench bench(watts(10000.0, -5000.0, 0.0, 2500.0));
  bench.start();
  run(bench, 360.0);
  // The last window may be open still.
  EXPECT_NEAR(Bench::watt_hours(bench.read45(WATTHR_A)), 1000.0, 10000.0 * WINDOW / 3600.0);
  EXPECT_NEAR(Bench::watt_hours(bench.read45(WATTHR_B)), -500.0, 5000.0 * WINDOW / 3600.0);
  EXPECT_EQ(bench.read45(WATTHR_C), 0);
  EXPECT_NEAR(Bench::watt_hours(bench.read45(VARHR_A)), 250.0, 2500.0 * WINDOW / 3600.0);
  EXPECT_NEAR(Bench::watt_hours(bench.read45(VAHR_A)), std::hypot(1000.0, 250.0), 10310.0 * WINDOW / 3600.0);
}

TEST(ChipEnergy, IntegratesPowerThatChanges) {
  // 2000 W * t / length: the area of the triangle over whole windows is length * 1000 W.
  const int windows = rounds(50, 1000);
  const double length = windows * WINDOW;
  Bench bench([length](double seconds) { return watts(2000.0 * (seconds - 0.2) / length, 0.0, 0.0); });
  bench.start();
  run(bench, length, 0.016);
  EXPECT_NEAR(Bench::watt_hours(bench.read45(WATTHR_A)), length * 1000.0 / 3600.0, 2000.0 * WINDOW / 3600.0);
  run(bench, 0.2, 0.1);
  const double whole = Bench::watt_hours(bench.read45(WATTHR_A));
  EXPECT_NEAR(whole, length * 1000.0 / 3600.0, 1e-3) << "all windows are closed now";
}

TEST(ChipEnergy, WindowsHaveTheLengthOfEnergyTime) {
  Bench bench(watts(10000.0, 0.0, 0.0));
  bench.start(0, 1599);  // 1600 samples: 200 ms
  bench.write32(0x402, 0xFFFFFFFF);
  bench.wait(0.199);
  EXPECT_EQ(bench.read32(0x402) & EGYRDY, 0u);
  EXPECT_EQ(bench.read45(WATTHR_A), 0);
  bench.wait(0.002);
  EXPECT_EQ(bench.read32(0x402) & EGYRDY, EGYRDY);
  // 10 kW of 50 kW full scale, 1600 samples.
  EXPECT_NEAR(static_cast<double>(bench.read45(WATTHR_A)), 20694066.0 / 5.0 * 1600.0, 2.0);
}

TEST(ChipEnergy, OverwriteKeepsTheLastWindowOnly) {
  Bench bench([](double seconds) { return watts(seconds < 5.0 ? 10000.0 : 5000.0, 0.0, 0.0); });
  bench.start(0, 1599);
  bench.write16(0x4B0, (7u << 13) | 0x11);  // EGY_LD_ACCUM
  bench.wait(2.1);
  EXPECT_NEAR(static_cast<double>(bench.read45(WATTHR_A)), 20694066.0 / 5.0 * 1600.0, 2.0);
  bench.wait(5.0);
  EXPECT_NEAR(static_cast<double>(bench.read45(WATTHR_A)), 20694066.0 / 10.0 * 1600.0, 2.0);
}

TEST(ChipEnergy, RegistersWrapAt45Bits) {
  // 25 kW, half of full scale: 2^44 codes are full after 2 * 106.3 s; then the register turns negative.
  Bench bench(balanced(Bench::FULL_VOLTAGE, Bench::FULL_CURRENT / 2.0));
  bench.start();
  run(bench, 212.0);
  EXPECT_GT(bench.read45(WATTHR_A), 0);
  run(bench, 3.0);
  const int64_t wrapped = bench.read45(WATTHR_A);
  EXPECT_LT(wrapped, 0);
  EXPECT_NEAR(Bench::watt_hours(wrapped + (int64_t{1} << 45)), 25000.0 * 215.0 / 3600.0, 25000.0 * WINDOW / 3600.0);
  EXPECT_EQ(wrap_45(int64_t{1} << 44), -(int64_t{1} << 44));
  EXPECT_EQ(wrap_45((int64_t{1} << 44) - 1), (int64_t{1} << 44) - 1);
  EXPECT_EQ(wrap_45(-(int64_t{1} << 44) - 1), (int64_t{1} << 44) - 1);
}

TEST(ChipEnergy, AccumulationModes) {
  struct Case {
    uint16_t mode;
    double import_share;
    double export_share;
  };
  // Signed, absolute, positive only, negative only: what becomes of +1000 W and of -1000 W.
  for (const Case &c : {Case{0, 1, -1}, Case{1, 1, 1}, Case{2, 1, 0}, Case{3, 0, -1}}) {
    Bench bench(watts(1000.0, -1000.0, 0.0, -300.0));
    bench.start(c.mode);
    run(bench, 25 * WINDOW, WINDOW / 4.0);
    bench.wait(0.01);
    const double full = 1000.0 * 25.0 * WINDOW / 3600.0;
    EXPECT_NEAR(Bench::watt_hours(bench.read45(WATTHR_A)), c.import_share * full, 1e-3) << c.mode;
    EXPECT_NEAR(Bench::watt_hours(bench.read45(WATTHR_B)), c.export_share * full, 1e-3) << c.mode;
    EXPECT_NEAR(Bench::watt_hours(bench.read45(VARHR_A)), -0.3 * full, 1e-3) << "VARACC is another field";
  }
}

TEST(ChipEnergy, PowerAccumulatorsMeasureOneWindow) {
  Bench bench(watts(1000.0, -400.0, 300.0, 50.0));
  bench.start();
  bench.write16(0x4B1, 799);  // PWR_TIME: 800 samples, 100 ms
  bench.wait(1.0);
  const double per_watt = 20694066.0 / Bench::FULL_POWER * 800.0;
  EXPECT_NEAR(static_cast<double>(bench.read45(0x2E4)), 1000.0 * per_watt, 2.0);
  EXPECT_NEAR(static_cast<double>(bench.read45(0x320)), -400.0 * per_watt, 2.0);
  EXPECT_NEAR(static_cast<double>(bench.read45(0x396)), 1300.0 * per_watt, 2.0) << "PWATT_ACC";
  EXPECT_NEAR(static_cast<double>(bench.read45(0x39A)), -400.0 * per_watt, 2.0) << "NWATT_ACC";
  EXPECT_NEAR(static_cast<double>(bench.read45(0x39E)), 150.0 * per_watt, 2.0) << "PVAR_ACC";
}

TEST(ChipEnergy, NothingAccumulatesUnlessEnabled) {
  Bench bench(watts(1000.0, 0.0, 0.0));
  bench.wait(0.1);
  bench.write16(0x480, 1);
  run(bench, 10.0);
  EXPECT_EQ(bench.read45(WATTHR_A), 0);
  bench.write16(0x4B0, 1);
  run(bench, 10.0);
  EXPECT_GT(bench.read45(WATTHR_A), 0);
}

TEST(ChipEnergy, NoLoadThresholdStopsCreep) {
  // The reset level 0xFFFF is 1024 codes: 2.47 W of 50 kW full scale.
  Bench bench(watts(2.0, 3.0, 0.0));
  bench.start();
  bench.write16(0x4B0, 1);  // no-load timer at its shortest
  run(bench, 10.0);
  EXPECT_EQ(bench.read45(WATTHR_A), 0);
  EXPECT_GT(bench.read45(WATTHR_B), 0);
}

TEST(ChipEnergy, ReadWithResetClearsWhatWasRead) {
  Bench bench(watts(10000.0, 0.0, 0.0));
  bench.start();
  bench.wait(3.0);
  bench.write16(0x4B0, (7u << 13) | 0x21);  // RD_RST_EN
  EXPECT_NE(bench.read32(WATTHR_A + 1), 0u);
  EXPECT_EQ(bench.read32(WATTHR_A + 1), 0u);
}

TEST(ChipEnergy, NothingIsCountedWhereNothingIsMeasured) {
  Bench bench([](double seconds) {
    Signal signal = watts(3600.0, 0.0, 0.0);
    signal.measured = seconds < 100.0 || seconds > 200.0;
    return signal;
  });
  bench.start();
  run(bench, 300.0);
  EXPECT_NEAR(Bench::watt_hours(bench.read45(WATTHR_A)), 200.0, 1.5);
}

TEST(ChipEnergy, WhatASeekSkipsIsNotCounted) {
  Bench bench([](double seconds) { return watts(seconds < 1000.0 ? 3600.0 : 7200.0, 0.0, 0.0); });
  bench.start();
  run(bench, 50.0);
  bench.now.position += 5000.0;
  run(bench, 50.0);
  bench.now.position = 10.0;
  run(bench, 50.0);
  EXPECT_NEAR(Bench::watt_hours(bench.read45(WATTHR_A)), 50.0 + 100.0 + 50.0, 1.5);
}

TEST(ChipEnergy, HoldingTheSignalHoldsTheCount) {
  Bench bench(watts(3600.0, 0.0, 0.0));
  bench.start();
  run(bench, 10.0);
  const int64_t before = bench.read45(WATTHR_A);
  bench.hold(1000.0);
  EXPECT_EQ(bench.read45(WATTHR_A), before);
}

TEST(ChipEnergy, LongTurnsCountTheSameAsShortOnes) {
  const auto wave = [](double seconds) { return watts(1000.0 + 900.0 * std::sin(seconds / 60.0), 0.0, 0.0); };
  Bench brief(wave);
  Bench longer(wave);
  brief.start();
  longer.start();
  const double seconds = rounds(80.0, 1200.0);
  run(brief, seconds, 0.02);
  run(longer, seconds, 16.0);
  EXPECT_NEAR(Bench::watt_hours(longer.read45(WATTHR_A)), Bench::watt_hours(brief.read45(WATTHR_A)), 0.05);
}

}  // namespace
}  // namespace esphome::ade9000_simulator

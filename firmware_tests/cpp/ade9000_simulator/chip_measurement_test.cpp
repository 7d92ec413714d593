// What the simulated chip measures, against the full-scale codes and formulas of the data sheet.

#include "firmware_tests/cpp/support/chip_bench.h"

#include <gtest/gtest.h>

namespace esphome::ade9000_simulator {
namespace {

constexpr double RMS_FULL_SCALE = 52702092.0;
constexpr double POWER_FULL_SCALE = 20694066.0;

/// A chip that has measured this signal for a while.
struct Running : Bench {
  template<typename S> explicit Running(S signal) : Bench(signal) {
    this->start();
    this->wait(2.0);
  }
  double volts(uint16_t address) { return this->read32(address) / RMS_FULL_SCALE * FULL_VOLTAGE; }
  double amperes(uint16_t address) { return this->read32(address) / RMS_FULL_SCALE * FULL_CURRENT; }
  double watts(uint16_t address) { return this->read_signed(address) / POWER_FULL_SCALE * FULL_POWER; }
  double hertz(uint16_t address) { return 8000.0 * 65536.0 / (this->read32(address) + 1.0); }
};

TEST(ChipMeasurement, FullScaleGivesTheDataSheetsCodes) {
  Running bench(balanced(Bench::FULL_VOLTAGE, Bench::FULL_CURRENT));
  for (uint16_t phase = 0; phase < 3; phase++) {
    EXPECT_EQ(bench.read32(0x20D + 0x20 * phase), 52702092u);
    EXPECT_EQ(bench.read32(0x20C + 0x20 * phase), 52702092u);
    EXPECT_EQ(bench.read32(0x210 + 0x20 * phase), 20694066u);
    EXPECT_EQ(bench.read32(0x212 + 0x20 * phase), 20694066u);
  }
}

TEST(ChipMeasurement, ConverterCutsOffTheCrestAboveFullScale) {
  // A sine of twice the amplitude, cut at half of it: from 30 to 150 degrees it is flat. By its definition its mean
  // square is 4/pi * (pi/12 - sqrt(3)/8 + pi/3 / 4) of the whole amplitude's, its fundamental 2/pi * (pi/6 +
  // sqrt(3)/4).
  Running bench(balanced(2.0 * Bench::FULL_VOLTAGE, 10.0));
  const double pi = std::numbers::pi;
  const double rms = 2.0 * std::sqrt(4.0 / pi * (pi / 12 - std::sqrt(3.0) / 8 + pi / 12));
  const double fundamental = 2.0 * 2.0 / pi * (pi / 6 + std::sqrt(3.0) / 4);
  EXPECT_NEAR(bench.volts(0x20D), rms * Bench::FULL_VOLTAGE, 0.5);
  EXPECT_NEAR(bench.volts(0x20F), fundamental * Bench::FULL_VOLTAGE, 0.1) << "AVFRMS";
  EXPECT_NEAR(bench.watts(0x210), fundamental * Bench::FULL_VOLTAGE * 10.0, 1.0) << "a sine of current";
  EXPECT_NEAR(bench.amperes(0x20C), 10.0, 1e-4);
  bench.wait(1.1);
  const double thd = std::sqrt(rms * rms - fundamental * fundamental) / fundamental;
  EXPECT_NEAR(bench.read_signed(0x217) * std::exp2(-27), thd, 0.002) << "AVTHD";
}

TEST(ChipMeasurement, LaggingLoad) {
  // 230 V, 10 A, 60 degrees late: 1150 W, 1992 var, 2300 VA, power factor 0.5.
  Running bench(balanced(230.0, 10.0, 60.0));
  EXPECT_NEAR(bench.volts(0x20D), 230.0, 1e-4);
  EXPECT_NEAR(bench.amperes(0x20C), 10.0, 1e-5);
  EXPECT_NEAR(bench.watts(0x210), 1150.0, 0.01);
  EXPECT_NEAR(bench.watts(0x211), 1991.858, 0.01);
  EXPECT_NEAR(bench.watts(0x212), 2300.0, 0.01);
  EXPECT_NEAR(bench.read_signed(0x216) * std::exp2(-27), 0.5, 1e-6);
  EXPECT_EQ(bench.read16(0x485), std::lround(60.0 / 0.017578125)) << "ANGL_VA_IA in steps of 360 * 50 / 1,024,000";
  EXPECT_EQ(bench.read16(0x482), std::lround(120.0 / 0.017578125)) << "ANGL_VA_VB";
  EXPECT_EQ(bench.read16(0x484), std::lround(240.0 / 0.017578125)) << "ANGL_VA_VC";
}

TEST(ChipMeasurement, ExportIsNegative) {
  Running bench(balanced(230.0, 10.0, 180.0));
  EXPECT_NEAR(bench.watts(0x210), -2300.0, 0.01);
  EXPECT_NEAR(bench.read_signed(0x216) * std::exp2(-27), -1.0, 1e-6);
  EXPECT_GT(bench.read_signed(0x212), 0) << "apparent power has no sign";
  EXPECT_EQ(bench.read16(0x49D) & 0x15, 0x15) << "PHSIGN of the three active powers";
}

TEST(ChipMeasurement, DistortionRaisesCurrentAndApparentPowerOnly) {
  Signal signal = balanced(230.0, 4.0);
  signal.phases[0].distortion_current = 3.0;
  Running bench(signal);
  EXPECT_NEAR(bench.amperes(0x20C), 5.0, 1e-5);
  EXPECT_NEAR(bench.amperes(0x20E), 4.0, 1e-5) << "fundamental";
  EXPECT_NEAR(bench.watts(0x210), 920.0, 0.01);
  EXPECT_NEAR(bench.watts(0x212), 1150.0, 0.01);
  EXPECT_NEAR(bench.watts(0x215), 920.0, 0.01) << "fundamental apparent power";
  EXPECT_NEAR(bench.read_signed(0x216) * std::exp2(-27), 0.8, 1e-6);
  EXPECT_NEAR(bench.read_signed(0x218) * std::exp2(-27), 0.75, 1e-6) << "THD relative to the fundamental";
}

TEST(ChipMeasurement, GainsAndOffsets) {
  Running bench(balanced(230.0, 10.0));
  bench.write32(0x00B, 1u << 26);                           // AVGAIN: 1 + 2^26/2^27 = 1.5
  bench.write32(0x020, static_cast<uint32_t>(-(1 << 25)));  // BIGAIN: 0.75
  bench.write32(0x04E, 1u << 27);                           // CPGAIN: 2
  bench.write32(0x00F, 1000);                               // AWATTOS
  bench.wait(2.0);
  EXPECT_NEAR(bench.volts(0x20D), 345.0, 1e-3);
  EXPECT_NEAR(bench.volts(0x22D), 230.0, 1e-3);
  EXPECT_NEAR(bench.amperes(0x22C), 7.5, 1e-4);
  EXPECT_NEAR(bench.watts(0x210), 3450.0 + 1000.0 / POWER_FULL_SCALE * Bench::FULL_POWER, 0.01);
  EXPECT_NEAR(bench.watts(0x230), 1725.0, 0.01);
  EXPECT_NEAR(bench.watts(0x250), 4600.0, 0.01);
  EXPECT_NEAR(bench.volts(0x24D), 230.0, 1e-3) << "power gain leaves the voltage alone";
}

TEST(ChipMeasurement, RmsOffsetAddsUnderTheRoot) {
  Running bench(balanced(230.0, 10.0));
  const double raw = bench.read32(0x20D);
  bench.write32(0x00D, 1000);  // AVRMSOS
  bench.wait(1.0);
  EXPECT_NEAR(bench.read32(0x20D), std::sqrt(raw * raw + 32768.0 * 1000.0), 1.0);
  bench.write32(0x00D, static_cast<uint32_t>(-2000000000));
  bench.wait(1.0);
  EXPECT_NEAR(bench.read32(0x20D), std::sqrt(std::max(0.0, raw * raw - 32768.0 * 2e9)), 1.0);
}

TEST(ChipMeasurement, AmplifierGainsAre1And2And4And4) {
  Running bench(balanced(100.0, 2.0));
  // IA x2, IB x4, IC x4 (code 3), VA x2.
  bench.write16(0x4B9, 1u | 2u << 2 | 3u << 4 | 1u << 8);
  bench.wait(1.0);
  EXPECT_NEAR(bench.amperes(0x20C), 4.0, 1e-4);
  EXPECT_NEAR(bench.amperes(0x22C), 8.0, 1e-4);
  EXPECT_NEAR(bench.amperes(0x24C), 8.0, 1e-4);
  EXPECT_NEAR(bench.volts(0x20D), 200.0, 1e-3);
  EXPECT_NEAR(bench.volts(0x22D), 100.0, 1e-3);
}

TEST(ChipMeasurement, PeriodOf50And60Hz) {
  for (const auto &[frequency, code] : {std::pair{50.0, 0x00A00000u}, std::pair{60.0, 0x00855554u}}) {
    Signal signal = balanced(230.0, 1.0);
    signal.frequency = frequency;
    Running bench(signal);
    for (uint16_t address = 0x418; address <= 0x41B; address++)
      EXPECT_NEAR(bench.read32(address), code, 1.0);
    EXPECT_NEAR(bench.hertz(0x418), frequency, 1e-5);
  }
}

TEST(ChipMeasurement, PeriodIsCoercedOutside40To70Hz) {
  for (const double frequency : {39.9, 70.1, 1e-300, 0.0, -50.0}) {
    Signal signal = balanced(230.0, 1.0);
    signal.frequency = frequency;
    Running bench(signal);
    EXPECT_EQ(bench.read32(0x418), 0x00A00000u);
    bench.write16(0x492, 1u << 8);  // ACCMODE.SELFREQ: 60 Hz
    bench.wait(0.1);
    EXPECT_EQ(bench.read32(0x418), 0x00855554u);
  }
}

TEST(ChipMeasurement, PeriodIsCoercedWithoutVoltage) {
  Signal signal = balanced(230.0, 1.0);
  signal.frequency = 47.0;
  signal.phases[1].voltage = 0.25;
  Running bench(signal);
  EXPECT_NEAR(bench.hertz(0x418), 47.0, 1e-4);
  EXPECT_EQ(bench.read32(0x419), 0x00A00000u);
  EXPECT_NEAR(bench.hertz(0x41A), 47.0, 1e-4);
  // UG-1098's example: 78 blocks what is 100 times smaller than full scale, here 7.07 V.
  bench.write16(0x499, 78);
  for (const auto &[voltage, crosses] : {std::pair{7.2, true}, std::pair{6.9, false}}) {
    Signal weak = balanced(voltage, 1.0);
    weak.frequency = 49.0;
    Running other(weak);
    other.write16(0x499, 78);
    other.wait(0.1);
    EXPECT_NEAR(other.hertz(0x418), crosses ? 49.0 : 50.0, 1e-4);
  }
}

TEST(ChipMeasurement, AnglesKeepTheirLastValueWithoutVoltage) {
  Bench bench([](double seconds) { return balanced(seconds < 10.0 ? 230.0 : 0.0, 10.0, 30.0); });
  bench.start();
  bench.wait(1.0);
  EXPECT_EQ(bench.read16(0x485), std::lround(30.0 / 0.017578125));
  bench.wait(20.0);
  EXPECT_EQ(bench.read16(0x485), std::lround(30.0 / 0.017578125));
  EXPECT_EQ(bench.read32(0x20D), 0u);
}

// UG-1098, table 11: active power settles to 99 % in 0.43 s, to 99.9 % in 0.66 s.
TEST(ChipMeasurement, RmsAndPowerSettle) {
  Bench bench([](double seconds) { return balanced(230.0, seconds < 2.0 ? 0.0 : 10.0); });
  bench.start();
  const auto watts = [&] { return bench.read_signed(0x210) / 20694066.0 * Bench::FULL_POWER; };
  bench.wait(2.0 - bench.now.position);
  EXPECT_NEAR(watts(), 0.0, 1e-3);
  bench.wait(0.01);
  EXPECT_GT(watts(), 20.0);
  EXPECT_LT(watts(), 500.0);
  bench.wait(0.42);
  EXPECT_NEAR(watts(), 0.99 * 2300.0, 0.002 * 2300.0);
  bench.wait(0.23);
  EXPECT_NEAR(watts(), 0.999 * 2300.0, 0.0005 * 2300.0);
  bench.wait(1.0);
  EXPECT_NEAR(watts(), 2300.0, 0.01);
  EXPECT_NEAR(bench.read32(0x20C) / 52702092.0 * Bench::FULL_CURRENT, 10.0, 1e-4);
}

TEST(ChipMeasurement, BalancedCurrentsSumToNothing) {
  Running bench(balanced(230.0, 10.0, 20.0));
  EXPECT_LT(bench.amperes(0x269), 1e-5);
  Signal signal = balanced(230.0, 10.0);
  signal.phases[2].fundamental_current = 0.0;
  Running open(signal);
  EXPECT_NEAR(open.amperes(0x269), 10.0, 1e-4) << "two of three: the third's magnitude is left";
}

TEST(ChipMeasurement, PowerFactorFollowsEvery1024Milliseconds) {
  Bench bench([](double seconds) { return balanced(230.0, 10.0, seconds < 10.0 ? 0.0 : 60.0); });
  bench.start();
  bench.wait(9.7);
  EXPECT_NEAR(bench.read_signed(0x216) * std::exp2(-27), 1.0, 1e-6);
  bench.wait(0.3);
  EXPECT_NEAR(bench.read_signed(0x216) * std::exp2(-27), 1.0, 1e-6);
  bench.wait(1.1);
  EXPECT_NEAR(bench.read_signed(0x216) * std::exp2(-27), 0.5, 1e-6);
}

TEST(ChipMeasurement, SamplesStayWithinTheSinesPeaks) {
  Running bench(balanced(Bench::FULL_VOLTAGE, 1.0));
  double greatest = 0.0;
  double least = 0.0;
  for (int i = 0; i < 1000; i++) {
    bench.wait(0.00137);
    const double sample = bench.read_signed(0x20B);
    greatest = std::max(greatest, sample);
    least = std::min(least, sample);
  }
  EXPECT_NEAR(greatest, 74532013.0, 74532013.0 * 0.001);
  EXPECT_NEAR(least, -74532013.0, 74532013.0 * 0.001);
}

}  // namespace
}  // namespace esphome::ade9000_simulator

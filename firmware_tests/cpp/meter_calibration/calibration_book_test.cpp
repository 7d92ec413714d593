// Calibration: codes against the data sheet's chip as simulated, and the steps a person takes.

#include "esphome/components/meter_calibration/calibration_book.h"

#include "firmware_tests/cpp/support/chip_bench.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace esphome::meter_calibration {
namespace {

using ade9000_simulator::balanced;
using ade9000_simulator::Bench;

/// A heater: 230 V, 8 A, and the error of the parts in front of the meter.
RecentReadings steady(double volts, double amperes, double lag_degrees = 0) {
  const double lag = lag_degrees * std::numbers::pi / 180;
  RecentReadings recent;
  for (size_t i = 0; i < RecentReadings::WANTED; i++)
    recent.add({volts, amperes, volts * amperes * std::cos(lag), volts * amperes * std::sin(lag), volts * amperes});
  return recent;
}

CalibrationBook book() { return CalibrationBook({230, 105.6, 50}, {}); }

TEST(CalibrationCodes, NoCorrectionIsCodeZero) {
  EXPECT_EQ(code_of_gain(1.0), 0);
  EXPECT_EQ(code_of_phase(0, 50), 0);
  EXPECT_DOUBLE_EQ(phase_of_code(0, 50), 0);
}

TEST(CalibrationCodes, ComeBackAsTheyWere) {
  for (double gain = 0.8; gain <= 1.25; gain += 0.01)
    EXPECT_NEAR(gain_of_code(code_of_gain(gain)), gain, 1e-8);
  for (const double frequency : {50.0, 60.0}) {
    for (double degrees = MINIMUM_PHASE; degrees <= MAXIMUM_PHASE; degrees += 0.05)
      EXPECT_NEAR(phase_of_code(code_of_phase(degrees, frequency), frequency), degrees, 1e-6) << frequency;
  }
}

// The simulated chip turns currents and multiplies amplitudes by what is written into its registers.
TEST(CalibrationCodes, AChipThatHasThemShowsWhatIsTrue) {
  for (const double lag : {-6.0, -1.5, 0.4, 2.0}) {
    Bench bench(balanced(230, 10, lag));
    bench.start();
    bench.write32(0x00B, static_cast<uint32_t>(code_of_gain(1.02)));      // AVGAIN
    bench.write32(0x020, static_cast<uint32_t>(code_of_gain(0.95)));      // BIGAIN
    bench.write32(0x046, static_cast<uint32_t>(code_of_phase(lag, 50)));  // CPHCAL0
    bench.wait(2);
    const double volts = bench.read32(0x20D) / 52702092.0 * Bench::FULL_VOLTAGE;
    const double amperes = bench.read32(0x22C) / 52702092.0 * Bench::FULL_CURRENT;
    EXPECT_NEAR(volts, 230 * 1.02, 0.001);
    EXPECT_NEAR(amperes, 10 * 0.95, 0.0001);
    EXPECT_NEAR(bench.read_signed(0x250) / 20694066.0 * Bench::FULL_POWER, 2300, 0.1);  // CWATT
    EXPECT_NEAR(bench.read_signed(0x251) / 20694066.0 * Bench::FULL_POWER, 0, 0.5);     // CVAR
  }
}

TEST(Calibration, VoltageStepsMultiply) {
  CalibrationBook book = meter_calibration::book();
  ASSERT_TRUE(book.voltage_is(1, 230, steady(225.4, 5)).accepted);
  EXPECT_NEAR(gain_of_code(book.now()[1].voltage_gain), 230 / 225.4, 1e-7);
  // What the meter shows now is already corrected.
  ASSERT_TRUE(book.voltage_is(1, 231, steady(230, 5)).accepted);
  EXPECT_NEAR(gain_of_code(book.now()[1].voltage_gain), 231 / 225.4, 1e-7);
  EXPECT_EQ(book.now()[0], PhaseCorrection{});
}

TEST(Calibration, CurrentAndPowerFactor) {
  CalibrationBook book = meter_calibration::book();
  ASSERT_TRUE(book.current_is(2, 8.4, steady(230, 8)).accepted);
  EXPECT_NEAR(gain_of_code(book.now()[2].current_gain), 1.05, 1e-7);
  // A transformer that leads by 2 degrees, and a heater behind it.
  ASSERT_TRUE(book.power_factor_is(2, 1.0, steady(230, 8.4, -2)).accepted);
  EXPECT_NEAR(phase_of_code(book.now()[2].phase, 50), -2, 1e-6);
  // A motor of 0.8 behind one that shows 36.0 degrees, where 36.87 are true.
  ASSERT_TRUE(book.power_factor_is(0, 0.8, steady(230, 8.4, 36.0)).accepted);
  EXPECT_NEAR(phase_of_code(book.now()[0].phase, 50), 36.0 - 36.8699, 1e-3);
}

TEST(Calibration, OneStepBackAndReset) {
  Corrections base{};
  base[0].voltage_gain = code_of_gain(1.01);
  CalibrationBook book({230, 105.6, 50}, base);
  EXPECT_FALSE(book.undo().accepted);
  EXPECT_FALSE(book.reset().accepted);
  ASSERT_TRUE(book.voltage_is(0, 230, steady(225, 5)).accepted);
  const Corrections first = book.now();
  ASSERT_TRUE(book.current_is(0, 5.1, steady(230, 5)).accepted);
  ASSERT_TRUE(book.undo().accepted);
  EXPECT_EQ(book.now(), first);
  ASSERT_TRUE(book.reset().accepted);
  EXPECT_EQ(book.now(), base);
  ASSERT_TRUE(book.undo().accepted);
  EXPECT_EQ(book.now(), first);
}

TEST(Calibration, OfAnotherMeterIsTakenOverAndUndone) {
  CalibrationBook book = meter_calibration::book();
  ASSERT_TRUE(book.voltage_is(0, 230, steady(225, 5)).accepted);
  const Corrections before = book.now();
  ASSERT_TRUE(book.take_over({{{1.01453, 0.9887, 0.312}, {0.8, 1.25, -10}, {1, 1, 2.25}}}).accepted);
  EXPECT_NEAR(gain_of_code(book.now().phases[0].voltage_gain), 1.01453, 1e-8);
  EXPECT_NEAR(gain_of_code(book.now().phases[0].current_gain), 0.9887, 1e-8);
  EXPECT_NEAR(phase_of_code(book.now().phases[0].phase, 50), 0.312, 1e-6);
  EXPECT_NEAR(phase_of_code(book.now().phases[1].phase, 50), -10, 1e-6);
  ASSERT_TRUE(book.undo().accepted);
  EXPECT_EQ(book.now(), before);
}

constexpr double NOT_A_NUMBER = std::numeric_limits<double>::quiet_NaN();

TEST(Calibration, NullsAResidualCurrent) {
  CalibrationBook book = meter_calibration::book();
  const CalibrationOutcome outcome = book.null_residual_current(1, steady(230, 0.05));
  ASSERT_TRUE(outcome.accepted) << outcome.message.describe();
  EXPECT_EQ(outcome.message.encode(), "residual_nulled:input=I2,residual=0.050");
  EXPECT_LT(book.now().offsets[1], 0);
  // What is left of it by a drift is measured on top, as squares add up.
  ASSERT_TRUE(book.null_residual_current(1, steady(230, 0.12)).accepted);
  EXPECT_NEAR(rms_of_offset(book.now().offsets[1]) / 52702092 * 105.6, 0.13, 1e-4);
  ASSERT_TRUE(book.undo().accepted);
  EXPECT_NEAR(rms_of_offset(book.now().offsets[1]) / 52702092 * 105.6, 0.05, 1e-4);
  ASSERT_TRUE(book.null_residual_current(NEUTRAL, steady(230, 0.02)).accepted);
  EXPECT_NE(book.to_yaml().find("\nresidual_currents: [0, 0.05, 0, 0.02]"), std::string::npos) << book.to_yaml();
  ASSERT_TRUE(book.reset().accepted);
  EXPECT_EQ(book.now(), Corrections{});
}

TEST(Calibration, TheResidualCurrentGrowsWithTheGain) {
  CalibrationBook book = meter_calibration::book();
  ASSERT_TRUE(book.null_residual_current(0, steady(230, 0.1)).accepted);
  ASSERT_TRUE(book.current_is(0, 5.5, steady(230, 5)).accepted);
  EXPECT_NEAR(rms_of_offset(book.now().offsets[0]) / 52702092 * 105.6, 0.11, 1e-4);
}

TEST(Calibration, YamlOfEverythingFitsAState) {
  Corrections all{};
  for (auto &phase : all.phases)
    phase = {code_of_gain(1.25), code_of_gain(0.8), code_of_phase(MINIMUM_PHASE, 50)};
  all.offsets.fill(offset_of_rms(0.123456 / 105.6 * 52702092));
  CalibrationBook book = meter_calibration::book();
  book.restore(all, all);
  EXPECT_LE(book.to_yaml().size(), 255u) << book.to_yaml();
}

// Noise of 60 mA, as a load of no power: the chip shows none with the offset, and a load by itself as it is.
TEST(CalibrationCodes, AChipWithTheOffsetShowsNoResidual) {
  const int32_t offset = offset_of_rms(0.06 / Bench::FULL_CURRENT * 52702092);
  for (const double load : {0.0, 0.1, 5.0}) {
    ade9000_simulator::Signal signal = balanced(230, load);
    for (auto &phase : signal.phases)
      phase.distortion_current = 0.06;
    Bench bench(signal);
    bench.start();
    for (uint16_t address : {0x00C, 0x016, 0x018})  // AIRMSOS, AIRMSONEOS, AIRMS1012OS
      bench.write32(address, static_cast<uint32_t>(offset));
    bench.wait(2);
    for (uint16_t address : {0x20C, 0x219, 0x21B})
      EXPECT_NEAR(bench.read32(address) / 52702092.0 * Bench::FULL_CURRENT, load, 1e-3) << std::hex << address;
  }
}

struct RefusalCase {
  const char *what;
  CalibrationOutcome (*attempt)(CalibrationBook &);
  const char *said;
};

class Refusal : public ::testing::TestWithParam<RefusalCase> {};

TEST_P(Refusal, LeavesEverythingAndSaysWhatToDo) {
  CalibrationBook book = meter_calibration::book();
  const CalibrationOutcome outcome = GetParam().attempt(book);
  EXPECT_FALSE(outcome.accepted);
  const std::string sentence = outcome.message.describe();
  EXPECT_NE(sentence.find(GetParam().said), std::string::npos) << sentence;
  EXPECT_LE(sentence.size(), 255u);
  // Every value that the sentence names is there.
  EXPECT_EQ(sentence.find("  "), std::string::npos) << sentence;
  EXPECT_NE(sentence.front(), ' ');
  const std::string code = outcome.message.encode();
  EXPECT_EQ(code.find_first_not_of("abcdefghijklmnopqrstuvwxyz_:,=ILNV0123456789+-."), std::string::npos) << code;
  EXPECT_EQ(book.now(), Corrections{});
  EXPECT_EQ(book.previous(), Corrections{});
}

RecentReadings flickering() {
  RecentReadings recent;
  for (size_t i = 0; i < RecentReadings::WANTED; i++)
    recent.add({i % 2 ? 230.0 : 226.0, i % 2 ? 8.0 : 7.0, 1800, 0, 1800});
  return recent;
}

RecentReadings distorted() {
  RecentReadings recent;
  for (size_t i = 0; i < RecentReadings::WANTED; i++)
    recent.add({230, 8, 1200, 100, 1840});
  return recent;
}

INSTANTIATE_TEST_SUITE_P(
    Calibration, Refusal,
    ::testing::Values(
        RefusalCase{"voltage, dead phase", [](CalibrationBook &b) { return b.voltage_is(0, 230, steady(3, 0)); },
                    "connect voltage input V1"},
        RefusalCase{"voltage, none measured",
                    [](CalibrationBook &b) { return b.voltage_is(0, 230, steady(NOT_A_NUMBER, 8)); },
                    "try again in a moment"},
        RefusalCase{"current, none measured",
                    [](CalibrationBook &b) { return b.current_is(0, 8, steady(230, NOT_A_NUMBER)); },
                    "try again in a moment"},
        RefusalCase{"power factor, none measured",
                    [](CalibrationBook &b) { return b.power_factor_is(0, 1, steady(230, 8, NOT_A_NUMBER)); },
                    "try again in a moment"},
        RefusalCase{"voltage, too soon", [](CalibrationBook &b) { return b.voltage_is(0, 230, RecentReadings{}); },
                    "try again in a moment"},
        RefusalCase{"voltage, no such phase", [](CalibrationBook &b) { return b.voltage_is(3, 230, steady(230, 1)); },
                    "use 1, 2 or 3"},
        RefusalCase{"voltage, too far", [](CalibrationBook &b) { return b.voltage_is(1, 400, steady(230, 1)); },
                    "Check voltage_divider"},
        RefusalCase{"voltage, no number",
                    [](CalibrationBook &b) { return b.voltage_is(1, NOT_A_NUMBER, steady(230, 1)); }, "multimeter"},
        RefusalCase{"voltage, negative", [](CalibrationBook &b) { return b.voltage_is(1, -230, steady(230, 1)); },
                    "multimeter"},
        RefusalCase{"voltage, not steady", [](CalibrationBook &b) { return b.voltage_is(1, 230, flickering()); },
                    "not steady"},
        RefusalCase{"of another meter, too far",
                    [](CalibrationBook &b) { return b.take_over({{{1, 1, 0}, {1, 1.3, 0}, {1, 1, 0}}}); },
                    "The correction of L2"},
        RefusalCase{"of another meter, too late",
                    [](CalibrationBook &b) { return b.take_over({{{1, 1, 0}, {1, 1, 0}, {1, 1, 3}}}); },
                    "The correction of L3"},
        RefusalCase{"of another meter, no number",
                    [](CalibrationBook &b) { return b.take_over({{{NOT_A_NUMBER, 1, 0}, {}, {}}}); },
                    "The correction of L1"},
        RefusalCase{"current, too small", [](CalibrationBook &b) { return b.current_is(0, 0.6, steady(230, 0.5)); },
                    "switch on a heater that draws at least 1.1 A"},
        RefusalCase{"current, too far", [](CalibrationBook &b) { return b.current_is(0, 16, steady(230, 8)); },
                    "on L1"},
        RefusalCase{"current, not steady", [](CalibrationBook &b) { return b.current_is(0, 8, flickering()); },
                    "not steady"},
        RefusalCase{"power factor, export",
                    [](CalibrationBook &b) { return b.power_factor_is(0, 1, steady(230, 8, 179)); }, "feeds back"},
        RefusalCase{"power factor, other phase",
                    [](CalibrationBook &b) { return b.power_factor_is(0, 1, steady(230, 8, 62)); }, "another phase"},
        RefusalCase{"power factor, late beyond the chip's reach",
                    [](CalibrationBook &b) { return b.power_factor_is(0, 1, steady(230, 8, 7.17)); }, "7.2° late"},
        RefusalCase{"power factor, late: what to do",
                    [](CalibrationBook &b) { return b.power_factor_is(0, 1, steady(230, 8, 7.17)); }, "burden smaller"},
        RefusalCase{"power factor, small", [](CalibrationBook &b) { return b.power_factor_is(0, 0.2, steady(230, 8)); },
                    "between 0.5 and 1"},
        RefusalCase{"power factor, distorted", [](CalibrationBook &b) { return b.power_factor_is(0, 1, distorted()); },
                    "no sine"},
        RefusalCase{"residual, a load", [](CalibrationBook &b) { return b.null_residual_current(1, steady(230, 0.3)); },
                    "no residual current (0.211 A at most)"},
        RefusalCase{"residual, a load in the neutral",
                    [](CalibrationBook &b) { return b.null_residual_current(NEUTRAL, steady(0, 8)); },
                    "8.000 A at IN is no residual current"},
        RefusalCase{"residual, nothing there",
                    [](CalibrationBook &b) { return b.null_residual_current(0, steady(230, 0)); }, "nothing to null"},
        RefusalCase{"residual, too soon",
                    [](CalibrationBook &b) { return b.null_residual_current(0, RecentReadings{}); },
                    "try again in a moment"},
        RefusalCase{"residual, not steady",
                    [](CalibrationBook &b) {
                      RecentReadings recent = steady(230, 0.02);
                      recent.add({230, 0.1, 0, 0, 0});
                      return b.null_residual_current(0, recent);
                    },
                    "not steady"},
        RefusalCase{"residual, no number",
                    [](CalibrationBook &b) { return b.null_residual_current(0, steady(230, NOT_A_NUMBER)); },
                    "try again in a moment"},
        RefusalCase{"residual, no such input",
                    [](CalibrationBook &b) { return b.null_residual_current(4, steady(230, 0.02)); },
                    "4 for the neutral"},
        RefusalCase{"power factor, delta",
                    [](CalibrationBook &) {
                      return CalibrationBook({400, 105, 50, false}, {}).power_factor_is(0, 1, steady(400, 8));
                    },
                    "Without a neutral"}),
    [](const auto &test_case) {
      std::string name = test_case.param.what;
      for (char &letter : name) {
        if (!std::isalnum(static_cast<unsigned char>(letter)))
          letter = '_';
      }
      return name;
    });

TEST(Calibration, IsWrittenAsConfigurationInOneState) {
  CalibrationBook book = meter_calibration::book();
  ASSERT_TRUE(book.voltage_is(0, 230, steady(225.4, 5)).accepted);
  ASSERT_TRUE(book.power_factor_is(2, 1.0, steady(230, 8.4, -9.5)).accepted);
  const std::string yaml = book.to_yaml();
  EXPECT_EQ(yaml,
            "l1: {voltage_gain: 1.020408, current_gain: 1.000000, phase: 0.000}\n"
            "l2: {voltage_gain: 1.000000, current_gain: 1.000000, phase: 0.000}\n"
            "l3: {voltage_gain: 1.000000, current_gain: 1.000000, phase: -9.500}");
  EXPECT_LE(yaml.size(), 255u);
}

}  // namespace
}  // namespace esphome::meter_calibration

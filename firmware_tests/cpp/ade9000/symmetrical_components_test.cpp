// Symmetrical components against textbook cases and the properties they must have.

#include "esphome/components/ade9000/symmetrical_components.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <limits>
#include <numbers>
#include <random>

namespace esphome::ade9000 {
namespace {

constexpr double DEGREE = std::numbers::pi / 180;

SequenceRatios unbalance(double u1, double a1, double u2, double a2, double u3, double a3) {
  return voltage_unbalance({u1, u2, u3}, {a1 * DEGREE, a2 * DEGREE, a3 * DEGREE});
}

TEST(SymmetricalComponents, BalancedSystemHasNone) {
  const auto ratios = unbalance(230, 0, 230, -120, 230, 120);
  EXPECT_NEAR(ratios.negative, 0, 1e-12);
  EXPECT_NEAR(ratios.zero, 0, 1e-12);
}

// Each line of a phase missing: V1 = 2/3 V, V2 = V0 = 1/3 V, so both ratios are a half.
TEST(SymmetricalComponents, OnePhaseMissingIsHalf) {
  for (int missing = 0; missing < 3; missing++) {
    std::array<double, 3> magnitudes{230, 230, 230};
    magnitudes[missing] = 0;
    const auto ratios = voltage_unbalance(magnitudes, {0, -120 * DEGREE, 120 * DEGREE});
    EXPECT_NEAR(ratios.negative, 0.5, 1e-12);
    EXPECT_NEAR(ratios.zero, 0.5, 1e-12);
  }
}

TEST(SymmetricalComponents, OnePhaseAloneHasThreeEqualSequences) {
  const auto ratios = unbalance(0, 0, 230, -120, 0, 120);
  EXPECT_NEAR(ratios.negative, 1, 1e-12);
  EXPECT_NEAR(ratios.zero, 1, 1e-12);
}

// Grainger & Stevenson, Power System Analysis, example 11.1: with Ia = 10 at 0 deg, Ib = 10 at 180 deg, Ic = 0 the
// components are Ia1 = 5 - j2.89 (5.78), Ia2 = 5 + j2.89 (5.78), Ia0 = 0.
TEST(SymmetricalComponents, TwoLinesOfADeltaCarryEqualSequencesAndNoZero) {
  const auto ratios = unbalance(10, 0, 10, 180, 0, 0);
  EXPECT_NEAR(ratios.negative, 1, 1e-12);
  EXPECT_NEAR(ratios.zero, 0, 1e-12);
}

// IEC 61000-4-30 5.7.1 gives the negative sequence ratio of three line-to-line voltages by their magnitudes alone:
// u2 = sqrt((1 - sqrt(3 - 6 b)) / (1 + sqrt(3 - 6 b))), b = sum(U^4) / sum(U^2)^2. Line voltages have no zero sequence.
TEST(SymmetricalComponents, AgreesWithTheStandardsFormulaOfLineVoltages) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> magnitude(200, 260), angle(-8, 8);
  for (int i = 0; i < 500; i++) {
    std::complex<double> phases[3];
    for (int phase = 0; phase < 3; phase++)
      phases[phase] = std::polar(magnitude(random), (angle(random) - 120 * phase) * DEGREE);
    std::array<double, 3> magnitudes, angles;
    double squares = 0, fourths = 0;
    for (int phase = 0; phase < 3; phase++) {
      const auto line = phases[phase] - phases[(phase + 1) % 3];
      magnitudes[phase] = std::abs(line);
      angles[phase] = std::arg(line);
      squares += std::norm(line);
      fourths += std::norm(line) * std::norm(line);
    }
    const double root = std::sqrt(3 - 6 * fourths / (squares * squares));
    const auto ratios = voltage_unbalance(magnitudes, angles);
    EXPECT_NEAR(ratios.negative, std::sqrt((1 - root) / (1 + root)), 1e-7);
    EXPECT_NEAR(ratios.zero, 0, 1e-12);
  }
}

// Built from known components, the ratios come back, whatever the common angle and size.
TEST(SymmetricalComponents, FindsTheComponentsASystemWasBuiltFrom) {
  std::mt19937 random(11);
  std::uniform_real_distribution<double> ratio(0, 0.9), angle(-std::numbers::pi, std::numbers::pi), size(1e-3, 1e6);
  for (int i = 0; i < 1000; i++) {
    const double negative = ratio(random), zero = ratio(random), scale = size(random);
    const auto u1 = std::polar(scale, angle(random));
    const auto u2 = std::polar(scale * negative, angle(random));
    const auto u0 = std::polar(scale * zero, angle(random));
    std::array<double, 3> magnitudes, angles;
    for (int phase = 0; phase < 3; phase++) {
      const auto turn = std::polar(1.0, -120 * DEGREE * phase);
      const auto u = u1 * turn + u2 * std::conj(turn) + u0;
      magnitudes[phase] = std::abs(u);
      angles[phase] = std::arg(u);
    }
    const auto ratios = voltage_unbalance(magnitudes, angles);
    EXPECT_NEAR(ratios.negative, negative, 1e-9);
    EXPECT_NEAR(ratios.zero, zero, 1e-9);
  }
}

TEST(SymmetricalComponents, SwappedPhasesAreMoreNegativeThanPositive) {
  EXPECT_GT(unbalance(231, 0, 230, 120, 229, -120).negative, 100);
}

TEST(SymmetricalComponents, NothingToCompareWithIsNotANumber) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  for (const auto &ratios :
       {unbalance(0, 0, 0, 0, 0, 0), unbalance(230, 0, 230, 120, 230, -120), unbalance(230, 0, 230, 0, 230, 0),
        unbalance(nan, 0, 230, -120, 230, 120), unbalance(230, 0, infinity, -120, 230, 120),
        unbalance(230, nan, 230, -120, 230, 120), unbalance(-230, 0, 230, -120, 230, 120)}) {
    EXPECT_TRUE(std::isnan(ratios.negative));
    EXPECT_TRUE(std::isnan(ratios.zero));
  }
}

}  // namespace
}  // namespace esphome::ade9000

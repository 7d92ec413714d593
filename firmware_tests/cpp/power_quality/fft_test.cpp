// The transform and its harmonics, against signals with known spectra.

#include "esphome/components/power_quality/harmonics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <random>

namespace esphome::power_quality {
namespace {

constexpr double TURN = 2 * std::numbers::pi;

template<typename Function> void fill(Fft &fft, Function function) {
  for (size_t n = 0; n < FFT_POINTS; n++)
    fft.samples[n] = static_cast<float>(function(static_cast<double>(n) / FFT_POINTS));
}

double magnitude(const Fft &fft, size_t k) { return std::hypot(fft.bin(k).real, fft.bin(k).imaginary); }

TEST(Fft, AnImpulseHasAllFrequenciesAlike) {
  Fft fft;
  fft.samples[3] = 1.0f;
  fft.transform();
  for (size_t k = 0; k <= FFT_POINTS / 2; k++) {
    EXPECT_NEAR(fft.bin(k).real, std::cos(TURN * 3 * k / FFT_POINTS), 1e-6) << k;
    EXPECT_NEAR(fft.bin(k).imaginary, -std::sin(TURN * 3 * k / FFT_POINTS), 1e-6) << k;
  }
}

TEST(Fft, ASineIsOneBinAndNothingElse) {
  for (const size_t k : {1u, 4u, 77u, 160u, 255u}) {
    Fft fft;
    fill(fft, [k](double x) { return 1000 * std::sin(TURN * k * x + 0.3); });
    fft.transform();
    for (size_t other = 0; other <= FFT_POINTS / 2; other++)
      EXPECT_NEAR(magnitude(fft, other), other == k ? 256000.0 : 0.0, 0.5) << k << " in " << other;
  }
}

TEST(Fft, AgreesWithTheDefinition) {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> sample(-1, 1);
  Fft fft;
  std::array<double, FFT_POINTS> x;
  for (size_t n = 0; n < FFT_POINTS; n++)
    x[n] = fft.samples[n] = sample(random);
  fft.transform();
  for (size_t k = 0; k <= FFT_POINTS / 2; k++) {
    std::complex<double> sum = 0;
    for (size_t n = 0; n < FFT_POINTS; n++)
      sum += std::polar(x[n], -TURN * static_cast<double>(k * n % FFT_POINTS) / FFT_POINTS);
    EXPECT_NEAR(fft.bin(k).real, sum.real(), 2e-4) << k;
    EXPECT_NEAR(fft.bin(k).imaginary, sum.imag(), 2e-4) << k;
  }
}

// Parseval: the energy is the same in time and in frequency.
TEST(Fft, KeepsTheEnergy) {
  std::mt19937 random(5);
  std::normal_distribution<float> sample(0, 3000);
  for (int round = 0; round < 50; round++) {
    Fft fft;
    double in_time = 0;
    for (float &value : fft.samples) {
      value = sample(random);
      in_time += static_cast<double>(value) * value;
    }
    fft.transform();
    double in_frequency = 0;
    for (size_t k = 0; k <= FFT_POINTS / 2; k++)
      in_frequency += (k == 0 || k == FFT_POINTS / 2 ? 1 : 2) * magnitude(fft, k) * magnitude(fft, k);
    EXPECT_NEAR(in_frequency / FFT_POINTS / in_time, 1.0, 1e-5);
  }
}

// A square wave has the odd orders at 1/k.
TEST(Harmonics, OfASquareWave) {
  Fft fft;
  fill(fft, [](double x) {
    double sum = 0;
    for (int k = 1; k <= 39; k += 2)
      sum += 10000.0 * std::sqrt(2.0) * std::sin(TURN * 4 * k * x) / k;
    return sum;
  });
  const Harmonics harmonics = analyse_harmonics(fft, 1.0f);
  EXPECT_NEAR(harmonics.fundamental, 10000.0, 0.1);
  double squares = 0;
  for (size_t order = 1; order <= HIGHEST_HARMONIC; order++) {
    const double expected = order % 2 ? 100.0 / order : 0.0;
    EXPECT_NEAR(harmonics.percent[order], expected, 1e-3) << order;
    squares += order > 1 ? expected * expected : 0;
  }
  EXPECT_NEAR(harmonics.thd, std::sqrt(squares), 1e-3);
}

TEST(Harmonics, FromSamplesOfSixteenBits) {
  std::mt19937 random(17);
  std::uniform_real_distribution<double> percent(0, 20), angle(0, TURN);
  for (int round = 0; round < 100; round++) {
    const size_t first = 2 + random() % 19, second = 21 + random() % 20;
    const double a = percent(random), b = percent(random), p = angle(random), q = angle(random), r = angle(random);
    Fft fft;
    fill(fft, [&](double x) {
      return std::round(12000 * (std::sin(TURN * 4 * x + p) + a / 100 * std::sin(TURN * 4 * first * x + q) +
                                 b / 100 * std::sin(TURN * 4 * second * x + r)));
    });
    const Harmonics harmonics = analyse_harmonics(fft, 1.0f);
    for (size_t order = 2; order <= HIGHEST_HARMONIC; order++)
      EXPECT_NEAR(harmonics.percent[order], order == first ? a : order == second ? b : 0.0, 0.01) << order;
    EXPECT_NEAR(harmonics.thd, std::hypot(a, b), 0.01);
    EXPECT_NEAR(std::remainder(harmonics.angle - p, TURN), 0.0, 1e-4);
  }
}

TEST(Harmonics, InterharmonicsAndADirectComponentStayOutOfTheOrders) {
  Fft fft;
  fill(fft, [](double x) { return 500 + 10000 * std::sin(TURN * 4 * x) + 3000 * std::sin(TURN * 6 * x); });
  const Harmonics harmonics = analyse_harmonics(fft, 1.0f);
  EXPECT_NEAR(harmonics.thd, 0.0, 1e-3);
  EXPECT_NEAR(harmonics.percent[0], 100 * 500 / (10000 / std::sqrt(2.0)), 1e-3);
}

TEST(Harmonics, WithoutAFundamentalThereAreNone) {
  Fft fft;
  fill(fft, [](double x) { return 5 * std::sin(TURN * 12 * x); });
  const Harmonics harmonics = analyse_harmonics(fft, 1.0f);
  EXPECT_TRUE(std::isnan(harmonics.thd));
  for (const float percent : harmonics.percent)
    EXPECT_TRUE(std::isnan(percent));
}

}  // namespace
}  // namespace esphome::power_quality

// Waves whose crests are cut off, against the definition of a cut wave, sample by sample.

#include "esphome/components/mains_signal/spectrum.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace esphome::mains_signal {
namespace {

/// sin(x) * amplitude as rms phasor.
Spectrum sine(double amplitude, double angle = 0.0) {
  Spectrum spectrum;
  spectrum.set(1, std::polar(amplitude / std::numbers::sqrt2, angle));
  return spectrum;
}

/// Mean over a cycle of what `value` makes of an angle.
template<typename F> double mean(F &&value) {
  constexpr int POINTS = 100000;
  double sum = 0.0;
  for (int i = 0; i < POINTS; i++)
    sum += value(2.0 * std::numbers::pi * (i + 0.5) / POINTS);
  return sum / POINTS;
}

TEST(ClippedWave, WhatFitsIsLeftAlone) {
  for (const double angle : {0.0, 0.7, 2.0, -3.0}) {
    const Spectrum full = sine(1.0, angle);
    EXPECT_EQ(full.clipped(1.0)[1], full[1]);
    EXPECT_EQ(full.clipped(1.0).highest(), 1);
  }
  // The amplitudes add up to more than the crest: the third harmonic flattens it.
  Spectrum flat = sine(1.1);
  flat.add(3, 0.15 / std::numbers::sqrt2);
  ASSERT_LT(flat.peak(), 1.0);
  EXPECT_EQ(flat.clipped(1.0)[1], flat[1]);
}

TEST(ClippedWave, HasRmsAndFundamentalOfACutSine) {
  for (const double amplitude : {1.01, 1.2, 2.0, 10.0}) {
    const Spectrum cut = sine(amplitude, 0.4).clipped(1.0);
    // For an amplitude A the crest is cut from the angle asin(1/A) on.
    const double edge = std::asin(1.0 / amplitude);
    const double square = 2.0 / std::numbers::pi *
                          (amplitude * amplitude * (edge / 2 - std::sin(2 * edge) / 4) + std::numbers::pi / 2 - edge);
    const double fundamental =
        amplitude * 2.0 / std::numbers::pi * (edge + std::sin(2 * edge) / 2) / std::numbers::sqrt2;
    EXPECT_NEAR(cut.rms(), std::sqrt(square), 2e-3 * std::sqrt(square)) << amplitude;
    EXPECT_NEAR(cut.fundamental(), fundamental, 1e-4) << amplitude;
    EXPECT_NEAR(std::arg(cut[1]), 0.4, 1e-4) << "the cut is symmetrical";
    EXPECT_LT(cut.rms(), amplitude / std::numbers::sqrt2);
  }
}

TEST(ClippedWave, HasThePowerOfItsSamples) {
  Spectrum peaked = sine(0.9);
  peaked.add(3, std::polar(0.4 / std::numbers::sqrt2, std::numbers::pi));
  peaked.add(5, 0.2 / std::numbers::sqrt2);
  const Spectrum voltage = sine(1.0);
  const Spectrum cut = peaked.clipped(1.0);
  const auto sample = [&](double angle) { return std::clamp(peaked.sample(angle), -1.0, 1.0); };
  EXPECT_NEAR(active_power(voltage, cut), mean([&](double x) { return std::sin(x) * sample(x); }), 1e-4);
  EXPECT_LT(active_power(voltage, cut), 0.95 * active_power(voltage, peaked));
  EXPECT_NEAR(cut.rms(), std::sqrt(mean([&](double x) { return sample(x) * sample(x); })), 1e-4);
  for (int order : {3, 5, 9}) {
    const double real = 2.0 * mean([&](double x) { return sample(x) * std::sin(order * x); }) / std::numbers::sqrt2;
    EXPECT_NEAR(cut[order].real(), real, 1e-4) << order;
  }
  EXPECT_NEAR(cut.peak(), 1.0, 0.02) << "the orders that are left out";
}

}  // namespace
}  // namespace esphome::mains_signal

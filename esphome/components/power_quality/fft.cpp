#include "fft.h"

#include <cmath>
#include <numbers>
#include <utility>

namespace esphome::power_quality {

namespace {

// Even samples are taken as real parts, odd ones as imaginary parts: half the length, and the table still fits.
constexpr size_t PAIRS = FFT_POINTS / 2;
constexpr size_t QUARTER = FFT_POINTS / 4;

}  // namespace

Fft::Fft() : samples{} {
  for (size_t i = 0; i < this->sine_.size(); i++)
    this->sine_[i] = static_cast<float>(std::sin(2.0 * std::numbers::pi * static_cast<double>(i) / FFT_POINTS));
}

FftBin Fft::turn_(size_t k) const {
  if (k <= QUARTER)
    return {this->sine_[QUARTER - k], -this->sine_[k]};
  return {-this->sine_[k - QUARTER], -this->sine_[2 * QUARTER - k]};
}

void Fft::transform() {
  auto &x = this->samples;
  // Cooley-Tukey, decimation in time: bit-reversed order first.
  for (size_t i = 1, reversed = 0; i < PAIRS; i++) {
    size_t bit = PAIRS >> 1;
    for (; reversed & bit; bit >>= 1)
      reversed ^= bit;
    reversed |= bit;
    if (i < reversed) {
      std::swap(x[2 * i], x[2 * reversed]);
      std::swap(x[2 * i + 1], x[2 * reversed + 1]);
    }
  }
  for (size_t half = 1; half < PAIRS; half *= 2) {
    for (size_t j = 0; j < half; j++) {
      const FftBin w = this->turn_(j * (FFT_POINTS / (2 * half)));
      for (size_t first = j; first < PAIRS; first += 2 * half) {
        const size_t second = first + half;
        const float real = x[2 * second] * w.real - x[2 * second + 1] * w.imaginary;
        const float imaginary = x[2 * second] * w.imaginary + x[2 * second + 1] * w.real;
        x[2 * second] = x[2 * first] - real;
        x[2 * second + 1] = x[2 * first + 1] - imaginary;
        x[2 * first] += real;
        x[2 * first + 1] += imaginary;
      }
    }
  }
}

FftBin Fft::bin(size_t k) const {
  const auto &x = this->samples;
  if (k == 0 || k == PAIRS)
    return {k == 0 ? x[0] + x[1] : x[0] - x[1], 0.0f};
  // The spectra of the even and of the odd samples, taken apart by their symmetries.
  const float a = x[2 * k], b = x[2 * k + 1];
  const float c = x[2 * (PAIRS - k)], d = x[2 * (PAIRS - k) + 1];
  const float even_real = (a + c) / 2, even_imaginary = (b - d) / 2;
  const float odd_real = (b + d) / 2, odd_imaginary = (c - a) / 2;
  const FftBin w = this->turn_(k);
  return {even_real + w.real * odd_real - w.imaginary * odd_imaginary,
          even_imaginary + w.real * odd_imaginary + w.imaginary * odd_real};
}

}  // namespace esphome::power_quality

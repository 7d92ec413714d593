#pragma once

#include <array>
#include <cstddef>

/// The discrete Fourier transform of one waveform. Pure rules: no chip, no framework, no heap.
namespace esphome::power_quality {

/// Samples of one transform: the coherent waveform buffer, 4 line cycles of 128 points (data sheet "Waveform Buffer").
static constexpr size_t FFT_POINTS = 512;

/// One bin of a spectrum.
struct FftBin {
  float real;
  float imaginary;
};

/** Fast Fourier transform of FFT_POINTS real samples, in place.
 *
 * Bin k is sum(x[n] * exp(-2j*pi*k*n/FFT_POINTS)), unscaled: a sine of amplitude A has magnitude A * FFT_POINTS / 2.
 * The table of the sine takes 0.5 kB, the samples 2 kB.
 */
class Fft {
 public:
  Fft();

  /// The samples to transform; transform() destroys them.
  std::array<float, FFT_POINTS> samples;

  void transform();
  /// @param k 0..FFT_POINTS/2; only after transform().
  FftBin bin(size_t k) const;

 protected:
  /// The turning factor exp(-2j*pi*k/FFT_POINTS), k in 0..FFT_POINTS/2-1.
  FftBin turn_(size_t k) const;

  /// A quarter of a sine wave.
  std::array<float, FFT_POINTS / 4 + 1> sine_;
};

}  // namespace esphome::power_quality

#pragma once

#include "fft.h"

#include <array>
#include <cstddef>

namespace esphome::power_quality {

/// Highest order that is measured (IEC 61000-4-7, EN 50160: up to the 40th).
static constexpr size_t HIGHEST_HARMONIC = 40;
/// Line cycles in the coherent waveform buffer: bin k * COHERENT_CYCLES is the k-th harmonic.
static constexpr size_t COHERENT_CYCLES = 4;

/// The harmonics of one voltage or current.
struct Harmonics {
  Harmonics();

  /// Magnitude of each order in percent of the fundamental; index = order, [1] is 100, [0] the direct component. NaN in
  /// all where there is no fundamental to compare with.
  std::array<float, HIGHEST_HARMONIC + 1> percent;
  /// Fundamental, rms, in the unit of the samples; 0 without one.
  float fundamental{0.0f};
  /// Phase of the fundamental's sine at the first sample, radians in -pi..pi: differences between channels are angles.
  float angle{0.0f};
  /// sqrt of the sum of squares of orders 2..40 in percent of the fundamental (IEC 61000-4-7, THD).
  float thd{0.0f};
};

/** Harmonics of the coherent waveform that has been put into `fft.samples`; transforms it.
 *
 * Orders near the 40th carry the response of the chip's resampler (data sheet: 0.1 % at the 9th, 1.25 % at the 31st).
 *
 * @param smallest_fundamental rms below which there are no harmonics, only noise; in the unit of the samples, > 0.
 */
Harmonics analyse_harmonics(Fft &fft, float smallest_fundamental);

}  // namespace esphome::power_quality

#include "harmonics.h"

#include <cmath>
#include <limits>
#include <numbers>

namespace esphome::power_quality {

Harmonics::Harmonics() {
  this->percent.fill(std::numeric_limits<float>::quiet_NaN());
  this->thd = std::numeric_limits<float>::quiet_NaN();
}

Harmonics analyse_harmonics(Fft &fft, float smallest_fundamental) {
  fft.transform();
  Harmonics harmonics;
  const FftBin first = fft.bin(COHERENT_CYCLES);
  const float magnitude = std::hypot(first.real, first.imaginary);
  harmonics.fundamental = magnitude * (2.0f / FFT_POINTS) / std::numbers::sqrt2_v<float>;
  if (!(harmonics.fundamental >= smallest_fundamental))
    return harmonics;
  // A sine of phase p has its bin at p - pi/2.
  harmonics.angle = std::remainder(std::atan2(first.imaginary, first.real) + std::numbers::pi_v<float> / 2,
                                   2 * std::numbers::pi_v<float>);
  float squares = 0.0f;
  for (size_t order = 1; order <= HIGHEST_HARMONIC; order++) {
    const FftBin bin = fft.bin(order * COHERENT_CYCLES);
    harmonics.percent[order] = 100.0f * std::hypot(bin.real, bin.imaginary) / magnitude;
    if (order > 1)
      squares += harmonics.percent[order] * harmonics.percent[order];
  }
  // The direct component has one bin where a sine has two, and its rms is its amplitude.
  harmonics.percent[0] = 100.0f * std::abs(fft.bin(0).real) / FFT_POINTS / harmonics.fundamental;
  harmonics.thd = std::sqrt(squares);
  return harmonics;
}

}  // namespace esphome::power_quality

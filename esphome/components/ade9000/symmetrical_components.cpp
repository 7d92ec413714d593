#include "symmetrical_components.h"

#include <cmath>
#include <complex>
#include <limits>
#include <numbers>

namespace esphome::ade9000 {

namespace {

/// Below this fraction of the sum of the magnitudes a positive sequence is rounding, not a system to compare with.
constexpr double SMALLEST_POSITIVE_FRACTION = 1e-6;

}  // namespace

SequenceRatios voltage_unbalance(const std::array<double, 3> &magnitudes, const std::array<double, 3> &angles_rad) {
  constexpr double NOTHING = std::numeric_limits<double>::quiet_NaN();
  constexpr double THIRD_OF_A_TURN = 2 * std::numbers::pi / 3;
  std::complex<double> positive, negative, zero;
  double sum = 0;
  for (int phase = 0; phase < 3; phase++) {
    // Infinite or NaN in, NaN out: std::polar is not defined for them.
    if (!std::isfinite(magnitudes[phase]) || magnitudes[phase] < 0 || !std::isfinite(angles_rad[phase]))
      return {NOTHING, NOTHING};
    // Three times each component, which drops out of the ratios.
    positive += std::polar(magnitudes[phase], angles_rad[phase] + phase * THIRD_OF_A_TURN);
    negative += std::polar(magnitudes[phase], angles_rad[phase] - phase * THIRD_OF_A_TURN);
    zero += std::polar(magnitudes[phase], angles_rad[phase]);
    sum += magnitudes[phase];
  }
  const double reference = std::abs(positive);
  if (!(reference > SMALLEST_POSITIVE_FRACTION * sum))
    return {NOTHING, NOTHING};
  return {std::abs(negative) / reference, std::abs(zero) / reference};
}

}  // namespace esphome::ade9000

#pragma once

#include <array>

/// Unbalance of a three-phase system. Pure rules: no chip, no framework.
namespace esphome::ade9000 {

/// Negative and zero sequence, each as a fraction of the positive sequence (0.02 = 2 %); NaN where there is none.
struct SequenceRatios {
  double negative;
  double zero;
};

/** Splits three phasors of the fundamental into symmetrical components (Fortescue) and compares them.
 *
 * The ratios are u2 and u0 of IEC 61000-4-30 5.7.1 and IEC 61000-4-27; multiply by 100 for percent. A set whose phases
 * run backwards has a negative ratio above 1.
 *
 * @param magnitudes rms of the fundamental of L1, L2, L3, in any unit, not negative.
 * @param angles_rad phase of each, counter-clockwise positive: (0, -2*pi/3, +2*pi/3) is the healthy sequence L1-L2-L3.
 * @return NaN in both where a value is not finite, or where the positive sequence is below a millionth of the sum of
 * the magnitudes (nothing connected, or a pure reverse or zero-sequence system).
 */
SequenceRatios voltage_unbalance(const std::array<double, 3> &magnitudes, const std::array<double, 3> &angles_rad);

}  // namespace esphome::ade9000

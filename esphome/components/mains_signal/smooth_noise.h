#pragma once

#include <cstdint>

namespace esphome::mains_signal {

/// Computes a number uniform in 0..1, the same for the same arguments (a hash, no state).
double hash_unit(uint32_t stream, int64_t index);

/// Computes noise in -1..1 that passes smoothly (twice differentiable) from one random value to the next at each whole
/// `x`.
double smooth_noise(uint32_t stream, double x);

/// Computes a smooth step: 0 below `edge0`, 1 above `edge1`.
double smooth_step(double edge0, double edge1, double x);

}  // namespace esphome::mains_signal

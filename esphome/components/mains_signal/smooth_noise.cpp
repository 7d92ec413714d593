#include "smooth_noise.h"

#include <algorithm>
#include <cmath>

namespace esphome::mains_signal {

double hash_unit(uint32_t stream, int64_t index) {
  // The finaliser of the splitmix64 generator: every bit of the input reaches every bit of the output.
  uint64_t z = static_cast<uint64_t>(index) + (static_cast<uint64_t>(stream) + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1.0p-53;
}

double smooth_noise(uint32_t stream, double x) {
  const double whole = std::floor(x);
  const double part = x - whole;
  const auto index = static_cast<int64_t>(whole);
  const double blend = part * part * part * (part * (part * 6.0 - 15.0) + 10.0);
  const double left = hash_unit(stream, index);
  const double right = hash_unit(stream, index + 1);
  return 2.0 * (left + (right - left) * blend) - 1.0;
}

double smooth_step(double edge0, double edge1, double x) {
  const double part = std::clamp((x - edge0) / (edge1 - edge0), 0.0, 1.0);
  return part * part * (3.0 - 2.0 * part);
}

}  // namespace esphome::mains_signal

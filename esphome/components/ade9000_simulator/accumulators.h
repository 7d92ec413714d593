#pragma once

#include "phase_codes.h"
#include "register_file.h"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>

namespace esphome::ade9000_simulator {

/// Quantities the chip accumulates, in the order of their registers.
enum AccumulatedQuantity { ACC_WATT, ACC_VAR, ACC_VA, ACC_FWATT, ACC_FVAR, ACC_FVA, ACCUMULATED_QUANTITIES };

using ThreePhaseCodes = std::array<PhaseCodes, mains_signal::PHASES>;

/// Returns the codes measured at an elapsed time; nothing without a measurement.
using Measure = std::function<std::optional<ThreePhaseCodes>(double elapsed)>;

/// Brings a sum to the range of a 45-bit two's complement register.
constexpr int64_t wrap_45(int64_t value) {
  constexpr int SPARE_BITS = 64 - 45;
  return static_cast<int64_t>(static_cast<uint64_t>(value) << SPARE_BITS) >> SPARE_BITS;
}

/// The chip's energy and power accumulators (UG-1098, Energy Accumulation).
///
/// An internal accumulator per phase and quantity sums the power samples of a window of EGY_TIME + 1; at its end the
/// sum is added to the user's 45-bit register, or replaces it. Power accumulators do the same over PWR_TIME + 1 samples
/// without memory. Sums are exact integrals of the signal to the step width below.
class Accumulators {
 public:
  /// All sums to zero; what a reset does.
  void reset();
  /// Opens the first windows at this elapsed time.
  void start(double elapsed);
  /// Lets the time from `from` to `to` pass and updates the registers at the end of each window.
  void integrate(RegisterFile &registers, double from, double to, const Measure &measure);
  /// Read-with-reset (EP_CFG.RD_RST_EN): a read of an energy register clears the bits it held.
  void clear_after_read(RegisterFile &registers, uint16_t address);

 protected:
  struct Channel {
    /// Sums of the windows that are open now.
    double energy_window{0.0};
    double power_window{0.0};
    /// The 45-bit user register.
    int64_t user_energy{0};
  };

  void add_(const RegisterFile &registers, const ThreePhaseCodes &codes, double samples);
  void close_energy_window_(RegisterFile &registers);
  void close_power_window_(RegisterFile &registers);
  void update_signs_(RegisterFile &registers);

  std::array<std::array<Channel, ACCUMULATED_QUANTITIES>, mains_signal::PHASES> channels_{};
  /// Sums over the phases by sign: active import, active export, reactive import, reactive export.
  std::array<double, 4> signed_power_{};
  double energy_start_{0.0};
  double power_start_{0.0};
};

}  // namespace esphome::ade9000_simulator

#pragma once

#include "phase_codes.h"
#include "register_file.h"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>

namespace esphome::ade9000_simulator {

/// Quantities that the chip accumulates, in the order of their registers.
enum AccumulatedQuantity { ACC_WATT, ACC_VAR, ACC_VA, ACC_FWATT, ACC_FVAR, ACC_FVA, ACCUMULATED_QUANTITIES };

using ThreePhaseCodes = std::array<PhaseCodes, mains_signal::PHASES>;

/// Returns the codes measured at an elapsed time; nothing without a measurement.
using Measure = std::function<std::optional<ThreePhaseCodes>(double elapsed)>;

/// Brings a sum to the range of a 45-bit two's complement register.
constexpr int64_t wrap_45(int64_t value) {
  constexpr int SPARE_BITS = 64 - 45;
  return static_cast<int64_t>(static_cast<uint64_t>(value) << SPARE_BITS) >> SPARE_BITS;
}

/// Accumulates energies and mean powers as the chip does (UG-1098, Energy Accumulation).
///
/// An internal accumulator per phase and quantity sums the power samples of a window of EGY_TIME + 1; at its end the
/// sum is added to the user's 45-bit register, or replaces it. Power accumulators do the same over PWR_TIME + 1 samples
/// without memory. Sums are exact integrals of the signal to the step width below.
class Accumulators {
 public:
  /// Sets all sums to zero, as a reset does.
  void reset();
  /// Opens the first windows of accumulation at an elapsed time, s.
  void start(double elapsed);
  /// Accumulates from one elapsed time to another, s, and updates the registers at the end of each window.
  void integrate(RegisterFile &registers, double from, double to, const Measure &measure);
  /// Clears the bits of an energy register that was read, where EP_CFG.RD_RST_EN asks for read-with-reset.
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
  /// Sums of the phases' energies by sign: active import, active export, reactive import, reactive export.
  std::array<double, 4> signed_power_{};
  double energy_start_{0.0};
  double power_start_{0.0};
};

}  // namespace esphome::ade9000_simulator

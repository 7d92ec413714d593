#pragma once

#include "guard_state.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace esphome::frequency_guard {

static constexpr size_t PHASES = 3;

/// Voltage and frequency measured on a phase; NaN without a measurement.
struct PhaseSample {
  /// Volts, rms.
  double voltage;
  /// Hertz.
  double frequency;
};

/// Sample of all phases at one moment.
struct GridSample {
  /// Time of a monotonic clock, ms.
  int64_t time_ms;
  std::array<PhaseSample, PHASES> phases;
};

/// Limits of a valid frequency.
struct FrequencyLimits {
  /// Volts, of a phase.
  double nominal_voltage{230.0};
  /// Of the nominal voltage: outside, zero crossings are not those of the mains (EU 2016/1388 Art. 19 blocks frequency
  /// relays by voltage).
  double minimum_voltage{0.8};
  double maximum_voltage{1.2};
  /// Hertz from nominal. Islanded inverters go 3.5 Hz up on purpose.
  double maximum_deviation{5.0};
  /// Hertz per second: faster than any grid that still is one; what jumps is measured wrongly.
  double maximum_rate{5.0};
  /// Largest change between two samples, Hz: noise of a single line cycle.
  double jump{0.05};
  /// Hertz between two phases.
  double maximum_disagreement{0.05};
  /// Milliseconds after which the last sample says nothing any more.
  int64_t silence_ms{1000};
};

enum class Trust : uint8_t {
  /// There is no frequency.
  INVALID,
  /// Plausible, but to be confirmed by later samples.
  SUSPECT,
  BELIEVED,
};

struct CheckedFrequency {
  Trust trust;
  /// Hertz; NaN where INVALID.
  double hertz;
  /// Where INVALID.
  GuardReason reason;
};

/** Checks whether samples are the frequency of the grid.
 *
 * The frequency is the median over the phases with healthy voltage. A jump is not believed until the grid could have
 * moved that far: a damaged reading is gone by then, a real change is still there.
 */
class FrequencyCheck {
 public:
  FrequencyCheck(const FrequencyLimits &limits, double nominal) : limits_(limits), nominal_(nominal) {}

  /// @param sample its time must not go back.
  CheckedFrequency check(const GridSample &sample);
  /// Resets the check: the next frequency has to be confirmed.
  void reset() { this->known_ = false; }

 protected:
  CheckedFrequency combine_(const GridSample &sample) const;

  FrequencyLimits limits_;
  double nominal_;
  /// Whether there is a last sample, accepted or waiting for confirmation.
  bool known_{false};
  double reference_{0};
  int64_t reference_ms_{0};
};

}  // namespace esphome::frequency_guard

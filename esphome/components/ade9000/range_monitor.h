#pragma once

#include "chip_settings.h"
#include "measurement.h"
#include "scaling.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace esphome::ade9000 {

/// What an input of the chip converts.
enum class RangeQuantity : uint8_t { VOLTAGE, CURRENT };
static constexpr size_t RANGE_QUANTITIES = 2;

/// An input of the chip at an update, behind the gain of its calibration.
struct RangeReading {
  /// V or A.
  double rms{0};
  /// rms of the greatest sine that fits (1 V peak at the pin), V or A.
  double full_scale{1};
  /// Greatest sample since the update before, as a share of 1 V at the pin; 0 where another phase had a greater one.
  double peak{0};
};

/// All inputs at an update; what is not connected stays 0.
using RangeReadings = std::array<std::array<RangeReading, PHASES>, RANGE_QUANTITIES>;

/// Returns the readings of an update. @param settings whose gains the chip has, and which inputs are switched off.
RangeReadings range_readings(const Measurement &measurement, const Scaling &scaling, const ChipSettings &settings);

/** Detects voltages and currents beyond the chip's range. Pure: time is an argument.
 *
 * The data sheet promises +-1 V peak at a pin and nothing beyond: there a converter cuts off the crest, and rms, power
 * and energy are too low. A wave whose samples reach the range was cut, unless its rms is that of a full-scale sine,
 * which just fits. The chip holds the greatest sample between two updates, so a single crest is enough.
 */
class RangeMonitor {
 public:
  /// An excursion is over when the range has not been reached for so long, ms: the rms has settled by then (99 % in
  /// 0.43 s; TRM, table 11).
  static constexpr uint32_t HOLD = 2000;
  /// After a start of the chip its filters fill for so long, ms.
  static constexpr uint32_t SETTLING = 500;

  /// Begins anew with a chip that was started. @param now_ms any clock of milliseconds; may wrap.
  void restart(uint32_t now_ms);
  void add(const RangeReadings &readings, uint32_t now_ms);

  bool is_over(RangeQuantity quantity, size_t phase) const { return this->at_(quantity, phase).active; }
  /// Whether anything is over its range, so that what is measured is too low.
  bool is_any_over() const;
  /// Highest rms of the excursion that is going on, V or A.
  double greatest(RangeQuantity quantity, size_t phase) const { return this->at_(quantity, phase).greatest; }
  /// rms of the greatest sine that fits, V or A.
  double full_scale(RangeQuantity quantity, size_t phase) const { return this->at_(quantity, phase).full_scale; }

 protected:
  struct Excursion {
    bool active{false};
    uint32_t seen_at{0};
    double greatest{0};
    double full_scale{0};
  };

  const Excursion &at_(RangeQuantity quantity, size_t phase) const {
    return this->excursions_[static_cast<size_t>(quantity)][phase];
  }

  std::array<std::array<Excursion, PHASES>, RANGE_QUANTITIES> excursions_{};
  uint32_t started_at_{0};
  bool settling_{true};
};

/** Formats the excursions that go on for clients: "none", or a list like "current:L1=104.2/105.6;voltage:L2=...".
 *
 * Behind each input stand its highest rms so far, which is too low, and the rms of the greatest sine that fits, in A
 * or V.
 */
std::string describe_range(const RangeMonitor &monitor);

}  // namespace esphome::ade9000

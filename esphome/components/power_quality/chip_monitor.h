#pragma once

#include "esphome/components/ade9000/ade9000_bus.h"
#include "event_detector.h"
#include "esphome/components/ade9000/scaling.h"

#include <cstdint>

namespace esphome::power_quality {

/** Feeds a detector from the chip: its half-cycle rms, and what it has latched in between.
 *
 * One poll takes 7 frames of 8 bytes, each with its CRC, and some more when something was latched: below 0.3 ms at 5
 * MHz. Polled at least every half cycle, times are exact to a half cycle; polled more rarely, nothing of a half cycle
 * or longer is lost, but what began and ended between two polls has only bounds for its time.
 */
class ChipMonitor {
 public:
  ChipMonitor(ade9000::Ade9000Bus &bus, EventDetector &detector) : bus_(bus), detector_(detector) {}

  /** Writes the detector's limits to the chip; after every reset of the chip.
   *
   * @return false if the chip did not take a value.
   */
  bool configure(const ade9000::Scaling &scaling);
  /// Reads new half cycles and flags into the detector. @param now_us must not go back. @return false if a frame was
  /// damaged: then nothing was added.
  bool poll(int64_t now_us);

 protected:
  uint32_t level_of_volts_(double volts) const;
  uint32_t level_of_amperes_(double amperes) const;
  bool read_status_(uint32_t &status);
  bool read_rms_(uint16_t address, uint32_t low, uint32_t high, uint32_t &code);
  bool read_half_cycle_(HalfCycle &half_cycle);
  bool read_flags_(uint32_t status, LatchedFlags &flags);

  ade9000::Ade9000Bus &bus_;
  EventDetector &detector_;
  ade9000::Scaling scaling_{1, 1};
  /// Codes of the fast rms between which a reading is believed at once.
  uint32_t dip_code_{0};
  uint32_t swell_code_{UINT32_MAX};
  uint32_t overcurrent_code_{UINT32_MAX};
};

}  // namespace esphome::power_quality

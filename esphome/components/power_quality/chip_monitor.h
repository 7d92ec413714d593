#pragma once

#include "esphome/components/ade9000/ade9000_bus.h"
#include "event_detector.h"
#include "esphome/components/ade9000/scaling.h"

#include <array>
#include <cstdint>
#include <optional>

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
  /** Reads new half cycles and flags into the detector; in the first SETTLING_US after configure() discards them.
   *
   * @param now_us must not go back.
   * @return false if a frame was damaged: then nothing was added.
   */
  bool poll(int64_t now_us);

  /// While the filters of a started chip fill, its rms is too low; 99 % after 0.43 s (TRM, table 11).
  static constexpr int64_t SETTLING_US = 500000;

 protected:
  uint32_t level_of_volts_(double volts) const;
  uint32_t level_of_amperes_(double amperes) const;
  bool read_status_(uint32_t &status);
  bool read_rms_(uint16_t address, uint32_t low, uint32_t high, uint32_t &code);
  /// Clears what was latched while the filters filled.
  bool discard_(int64_t now_us);
  bool read_half_cycle_(HalfCycle &half_cycle);
  bool read_flags_(uint32_t status, LatchedFlags &flags);
  /// Names the phases of an overcurrent that the chip has latched.
  bool read_overcurrents_(LatchedFlags &flags);
  /// Reads what is left in OIx of an overcurrent that is over, so that no later one is taken for it.
  bool keep_overcurrents_(const HalfCycle &half_cycle);

  ade9000::Ade9000Bus &bus_;
  EventDetector &detector_;
  ade9000::Scaling scaling_{1, 1};
  /// Codes of the fast rms between which a reading is believed at once.
  uint32_t dip_code_{0};
  uint32_t swell_code_{UINT32_MAX};
  uint32_t overcurrent_code_{UINT32_MAX};
  /// End of the settling; known from the first poll on.
  std::optional<int64_t> settled_us_;
  /// OIx as read last, of A, B, C and the neutral.
  std::array<uint32_t, 4> overcurrent_codes_{};
  /// Phases whose OIx may have grown since.
  std::array<bool, 3> overcurrent_grows_{};
};

}  // namespace esphome::power_quality

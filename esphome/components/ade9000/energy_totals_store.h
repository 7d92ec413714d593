#pragma once

#include "energy_totals.h"

#include "esphome/core/preferences.h"

namespace esphome::ade9000 {

/// Stores the energy totals in the device's preferences (flash).
class EnergyTotalsStore {
 public:
  /** Loads the stored totals, from storage version 1 where there is no newer record.
   *
   * @param number of the meter among those of the device, from 0: each has its own place.
   * @param with_reactive whether reactive and apparent energy are kept too: 240 bytes, which an ESP8266 can do without.
   */
  void load(EnergyTotals &totals, uint32_t number, bool with_reactive);
  /** Writes the totals to flash at once, in one or two records.
   *
   * Before counting has begun there is nothing newer than what is kept, and nothing is written.
   *
   * @param counted_at when the totals were counted, in seconds since 1970; 0 if unknown.
   * @return false if it could not be written.
   */
  bool save(const EnergyTotals &totals, uint32_t session, uint32_t counted_at);

 protected:
  ESPPreferenceObject active_;
  ESPPreferenceObject reactive_;
  bool with_reactive_{false};
};

}  // namespace esphome::ade9000

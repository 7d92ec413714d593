#pragma once

#include "checked_record.h"
#include "energy_totals.h"

#include "esphome/core/preferences.h"

#include <optional>

namespace esphome::ade9000 {

/** A record of the totals: in two copies with a check of their own, on an ESP8266 in one.
 *
 * An ESP8266 has 512 bytes for everything, in one sector that is erased for every write: there is no room for a second
 * copy, and it would fall with the first. ESPHome keeps a checksum with each record there.
 */
template<typename T> class TotalsRecord {
 public:
  /// @param version_2 the record without a check: an ESP8266's, elsewhere read where nothing newer is, and left as it
  /// is for older firmware.
  void setup(uint32_t key, const ESPPreferenceObject &version_2) {
    this->version_2_ = version_2;
#ifndef USE_ESP8266
    this->copies_.setup(key);
#endif
  }
  std::optional<T> load() {
#ifndef USE_ESP8266
    if (const auto checked = this->copies_.load(); checked.has_value())
      return checked;
#endif
    T value;
    return this->version_2_.load(&value) ? std::optional<T>(value) : std::nullopt;
  }
  /// @return false if it could not be written; on an ESP8266 it is written with the next sync().
  bool save(const T &value) {
#ifdef USE_ESP8266
    return this->version_2_.save(&value);
#else
    return this->copies_.save(value);
#endif
  }

 protected:
  ESPPreferenceObject version_2_;
#ifndef USE_ESP8266
  CheckedRecord<T> copies_;
#endif
};

/// Stores the energy totals in the device's preferences (flash).
class EnergyTotalsStore {
 public:
  /** Loads the stored totals, from an earlier storage version where there is no newer record.
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
  TotalsRecord<StoredActiveEnergy> active_;
  TotalsRecord<StoredReactiveEnergy> reactive_;
  bool with_reactive_{false};
};

}  // namespace esphome::ade9000

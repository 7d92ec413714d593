#pragma once

#include "energy_registers.h"

#include <optional>

namespace esphome::ade9000 {

/// Keeps the energy totals of the meter, and the accumulator codes up to which they are counted. Pure rules: no
/// framework.
class EnergyTotals {
 public:
  void restore(const StoredActiveEnergy &stored);
  void restore(const StoredReactiveEnergy &stored);
  /// Restores the totals of storage version 1, which has no accumulator codes.
  void restore_totals(const std::array<int64_t, CHANNELS> &import_nwh,
                      const std::array<int64_t, CHANNELS> &export_nwh) {
    this->active_.restore_totals(import_nwh, export_nwh);
  }
  /// Session number stored with the totals of active energy; 0 if there is none.
  uint32_t stored_session() const { return this->stored_active_session_; }

  /// When the stored codes were read, in seconds since 1970; 0 if nobody knew.
  uint32_t stored_at() const { return this->stored_at_; }

  /// Starts counting at the accumulator codes of the next count(), after a reset of the chip.
  void start();
  /// Resumes the session in which the chip has gone on counting: count_gap() adds what it gained since the totals were
  /// stored, up to the next count().
  void resume(uint32_t session);

  /** Adds the gains of the accumulators to the totals.
   *
   * @param greatest apparent gain that can have been since the last count, in codes; 0 if unknown, see energy_gains().
   * @return false if they may have gone round meanwhile: then only what is certain is counted.
   */
  bool count(const EnergyCodes &codes, const Scaling &scaling, double greatest = 0);

  /// Whether the gain between the stored record and the first count() after resume() is still to be counted.
  bool has_gap() const { return this->gap_end_.has_value(); }
  /** Adds the gain of the gap, once it is known how long the gap was.
   *
   * @param greatest apparent gain that can have been in it, in codes; infinite if unknown.
   * @return false if the counters may have gone round meanwhile: then only what is certain is counted.
   */
  bool count_gap(const Scaling &scaling, double greatest);

  /// Returns the record to store, with the time of its codes (seconds since 1970, 0 = unknown); nothing before start()
  /// or resume(), while the stored record is the newest.
  std::optional<StoredActiveEnergy> store_active(uint32_t session, uint32_t counted_at = 0) const;
  std::optional<StoredReactiveEnergy> store_reactive(uint32_t session) const;

  const ActiveEnergy &active() const { return this->active_; }
  const ReactiveEnergy &reactive() const { return this->reactive_; }

 protected:
  ActiveEnergy active_;
  ReactiveEnergy reactive_;
  bool begun_{false};
  std::optional<EnergyCodes> active_codes_;
  std::optional<EnergyCodes> reactive_codes_;
  /// What the gap begins and ends with.
  std::optional<EnergyCodes> active_gap_;
  std::optional<EnergyCodes> reactive_gap_;
  std::optional<EnergyCodes> gap_end_;
  bool resumed_{false};
  uint32_t stored_at_{0};
  uint32_t stored_active_session_{0};
  uint32_t stored_reactive_session_{0};
};

}  // namespace esphome::ade9000

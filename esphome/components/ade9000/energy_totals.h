#pragma once

#include "energy_registers.h"

#include <optional>

namespace esphome::ade9000 {

/// The accounts, and the accumulators' codes up to which each has counted. Pure rules: no framework.
class EnergyTotals {
 public:
  void restore(const StoredActiveEnergy &stored);
  void restore(const StoredReactiveEnergy &stored);
  /// The totals of version 1, which kept nothing else.
  void restore_totals(const std::array<int64_t, CHANNELS> &import_nwh,
                      const std::array<int64_t, CHANNELS> &export_nwh) {
    this->active_.restore_totals(import_nwh, export_nwh);
  }
  /// Of the counting that the totals of active energy belong to; 0 if none.
  uint32_t stored_session() const { return this->stored_active_session_; }

  /// The chip counts anew: what it holds at the next count() is where counting begins.
  void start();
  /// The chip has gone on counting in this session: what it gained since the totals were kept is counted next.
  void resume(uint32_t session);

  /** Counts what the accumulators gained.
   *
   * @return false if they may have wrapped meanwhile: then the gain is unknown, and counting begins with these codes.
   */
  bool count(const EnergyCodes &codes, const Scaling &scaling);

  /// What is to be kept now; nothing before start() or resume(): until then nothing is newer than what is kept.
  std::optional<StoredActiveEnergy> store_active(uint32_t session) const;
  std::optional<StoredReactiveEnergy> store_reactive(uint32_t session) const;

  const ActiveEnergy &active() const { return this->active_; }
  const ReactiveEnergy &reactive() const { return this->reactive_; }

 protected:
  ActiveEnergy active_;
  ReactiveEnergy reactive_;
  bool begun_{false};
  std::optional<EnergyCodes> active_codes_;
  std::optional<EnergyCodes> reactive_codes_;
  uint32_t stored_active_session_{0};
  uint32_t stored_reactive_session_{0};
};

}  // namespace esphome::ade9000

#pragma once

#include "energy_counters.h"
#include "energy_accumulators.h"
#include "scaling.h"
#include "snapshot.h"

#include <array>
#include <cstdint>
#include <type_traits>

/// Energy totals of each channel, counted from the gains of the chip's accumulators. Pure rules: no framework.
///
/// Each account is kept over a reboot together with the accumulators' codes at the same moment. Where the chip went on
/// counting meanwhile (its session says so), what it gained since is added at the restart, so nothing is lost and
/// nothing counted twice. Totals and codes are one record each, because two records can not be written at one moment.
namespace esphome::ade9000 {

/// Stored totals of active energy, with the accumulators' codes. The layout is a stored format: a change needs a new
/// preference key.
struct StoredActiveEnergy {
  std::array<int64_t, CHANNELS> import_nwh;
  std::array<int64_t, CHANNELS> export_nwh;
  AccumulatorCodes active;
  AccumulatorCodes apparent;
  /// Of the chip's counting; 0 = the codes mean nothing.
  uint32_t session;
  /// When the codes were read, in seconds since 1970; 0 = unknown, also in records of older firmware.
  uint32_t counted_at;
};

/// Stored totals of reactive and apparent energy, with the accumulators' codes. The layout is a stored format: a change
/// needs a new preference key.
struct StoredReactiveEnergy {
  std::array<std::array<int64_t, QuadrantRegister::QUADRANTS>, CHANNELS> quadrants_nvarh;
  std::array<int64_t, PHASES> apparent_nvah;
  EnergyCodes codes;
  uint32_t session;
  uint32_t reserved;
};

// The host's preferences keep the length in one byte; ESP8266 has 512 bytes for everything.
static_assert(sizeof(StoredActiveEnergy) == 120 && std::is_trivially_copyable_v<StoredActiveEnergy>);
static_assert(sizeof(StoredReactiveEnergy) == 232 && std::is_trivially_copyable_v<StoredReactiveEnergy>);

/// Import and export of each phase, and of the three netted window by window as a utility meter does.
class ActiveEnergy {
 public:
  /// Restores totals alone, without accumulator codes (storage version 1).
  void restore_totals(const std::array<int64_t, CHANNELS> &import_nwh, const std::array<int64_t, CHANNELS> &export_nwh);
  void restore(const StoredActiveEnergy &stored) { this->restore_totals(stored.import_nwh, stored.export_nwh); }
  void count(const EnergyGains &gains, const Scaling &scaling);
  StoredActiveEnergy store(const EnergyCodes &codes, uint32_t session) const;

  /// In nanowatt-hours.
  int64_t get_import(Channel channel) const { return this->registers_[static_cast<size_t>(channel)].get_import(); }
  int64_t get_export(Channel channel) const { return this->registers_[static_cast<size_t>(channel)].get_export(); }
  /// Sum of the energies imported by each phase: more than the netted total where one phase feeds another.
  int64_t get_import_sum_of_phases() const;
  int64_t get_export_sum_of_phases() const;

  void write_to(Snapshot &snapshot) const;

 protected:
  std::array<EnergyRegister, CHANNELS> registers_;
};

/// Reactive energy by quadrant, of each phase and netted over the three, and apparent energy.
class ReactiveEnergy {
 public:
  void restore(const StoredReactiveEnergy &stored);
  void count(const EnergyGains &gains, const Scaling &scaling);
  StoredReactiveEnergy store(const EnergyCodes &codes, uint32_t session) const;

  /// In nanovar-hours; quadrant 0..3.
  int64_t get_quadrant(Channel channel, size_t quadrant) const {
    return this->quadrants_[static_cast<size_t>(channel)].get(quadrant);
  }
  /// In nanovolt-ampere-hours; the total is the arithmetic sum.
  int64_t get_apparent(Channel channel) const;

  void write_to(Snapshot &snapshot) const;

 protected:
  std::array<QuadrantRegister, CHANNELS> quadrants_;
  std::array<EnergyCounter, PHASES> apparent_;
};

}  // namespace esphome::ade9000

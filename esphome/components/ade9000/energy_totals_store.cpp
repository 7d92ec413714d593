#include "energy_totals_store.h"

#include "esphome/core/helpers.h"

#include <array>

namespace esphome::ade9000 {

namespace {

/// The layout of version 1: totals of active energy only. It is read where nothing newer is, and never written.
struct StoredEnergyVersion1 {
  std::array<int64_t, CHANNELS> import_nwh;
  std::array<int64_t, CHANNELS> export_nwh;
};

}  // namespace

void EnergyTotalsStore::load(EnergyTotals &totals, uint32_t number, bool with_reactive) {
  auto version_1 =
      global_preferences->make_preference<StoredEnergyVersion1>(fnv1_hash("ade9000.energy.1") + number, true);
  this->active_ =
      global_preferences->make_preference<StoredActiveEnergy>(fnv1_hash("ade9000.energy.active.2") + number, true);
  StoredActiveEnergy active;
  StoredEnergyVersion1 old;
  if (this->active_.load(&active)) {
    totals.restore(active);
  } else if (version_1.load(&old)) {
    totals.restore_totals(old.import_nwh, old.export_nwh);
  }
  this->with_reactive_ = with_reactive;
  if (!with_reactive)
    return;
  this->reactive_ =
      global_preferences->make_preference<StoredReactiveEnergy>(fnv1_hash("ade9000.energy.reactive.2") + number, true);
  StoredReactiveEnergy reactive;
  if (this->reactive_.load(&reactive))
    totals.restore(reactive);
}

bool EnergyTotalsStore::save(const EnergyTotals &totals, uint32_t session, uint32_t counted_at) {
  const auto active = totals.store_active(session, counted_at);
  const auto reactive = totals.store_reactive(session);
  bool saved = !active.has_value() || this->active_.save(&*active);
  if (this->with_reactive_ && reactive.has_value())
    saved &= this->reactive_.save(&*reactive);
  return saved && global_preferences->sync();
}

}  // namespace esphome::ade9000

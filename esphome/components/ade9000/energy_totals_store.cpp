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

template<typename T> ESPPreferenceObject preference_of(const char *name, uint32_t number) {
  return global_preferences->make_preference<T>(fnv1_hash(name) + number, true);
}

}  // namespace

void EnergyTotalsStore::load(EnergyTotals &totals, uint32_t number, bool with_reactive) {
  // An ESP8266 finds a preference by how many bytes were asked for before it: what is asked for stays, in this order.
  auto version_1 = preference_of<StoredEnergyVersion1>("ade9000.energy.1", number);
  this->active_.setup(fnv1_hash("ade9000.energy.active.3") + number,
                      preference_of<StoredActiveEnergy>("ade9000.energy.active.2", number));
  StoredEnergyVersion1 old;
  if (const auto active = this->active_.load(); active.has_value()) {
    totals.restore(*active);
  } else if (version_1.load(&old)) {
    totals.restore_totals(old.import_nwh, old.export_nwh);
  }
  this->with_reactive_ = with_reactive;
  if (!with_reactive)
    return;
  this->reactive_.setup(fnv1_hash("ade9000.energy.reactive.3") + number,
                        preference_of<StoredReactiveEnergy>("ade9000.energy.reactive.2", number));
  if (const auto reactive = this->reactive_.load(); reactive.has_value())
    totals.restore(*reactive);
}

bool EnergyTotalsStore::save(const EnergyTotals &totals, uint32_t session, uint32_t counted_at) {
  const auto active = totals.store_active(session, counted_at);
  const auto reactive = totals.store_reactive(session);
  bool saved = !active.has_value() || this->active_.save(*active);
  if (this->with_reactive_ && reactive.has_value())
    saved &= this->reactive_.save(*reactive);
  return saved && global_preferences->sync();
}

}  // namespace esphome::ade9000

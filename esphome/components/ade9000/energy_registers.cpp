#include "energy_registers.h"

namespace esphome::ade9000 {

namespace {

/// Kilowatt-hours, kilovar-hours or kilovolt-ampere-hours of a count in billionths of a watt-hour and the like.
float kilo_hours(int64_t count) { return static_cast<double>(count) * 1e-12; }

constexpr std::array<Quantity, QuadrantRegister::QUADRANTS> QUADRANT_QUANTITIES = {
    Quantity::REACTIVE_ENERGY_Q1, Quantity::REACTIVE_ENERGY_Q2, Quantity::REACTIVE_ENERGY_Q3,
    Quantity::REACTIVE_ENERGY_Q4};

constexpr size_t TOTAL = static_cast<size_t>(Channel::TOTAL);

}  // namespace

void ActiveEnergy::restore_totals(const std::array<int64_t, CHANNELS> &import_nwh,
                                  const std::array<int64_t, CHANNELS> &export_nwh) {
  for (size_t i = 0; i < CHANNELS; i++)
    this->registers_[i].restore(import_nwh[i], export_nwh[i]);
}

void ActiveEnergy::count(const EnergyGains &gains, const Scaling &scaling) {
  double total = 0;
  for (size_t i = 0; i < PHASES; i++) {
    const double gain = gains.active[i] * scaling.nanowatt_hours_per_code();
    this->registers_[i].add(gain);
    total += gain;
  }
  this->registers_[TOTAL].add(total);
}

StoredActiveEnergy ActiveEnergy::store(const EnergyCodes &codes, uint32_t session) const {
  StoredActiveEnergy stored{};
  for (size_t i = 0; i < CHANNELS; i++) {
    stored.import_nwh[i] = this->registers_[i].get_import();
    stored.export_nwh[i] = this->registers_[i].get_export();
  }
  stored.active = codes.active;
  stored.apparent = codes.apparent;
  stored.session = session;
  return stored;
}

int64_t ActiveEnergy::get_import_sum_of_phases() const {
  return this->get_import(Channel::L1) + this->get_import(Channel::L2) + this->get_import(Channel::L3);
}

int64_t ActiveEnergy::get_export_sum_of_phases() const {
  return this->get_export(Channel::L1) + this->get_export(Channel::L2) + this->get_export(Channel::L3);
}

void ActiveEnergy::write_to(Snapshot &snapshot) const {
  for (size_t i = 0; i < CHANNELS; i++) {
    const auto channel = static_cast<Channel>(i);
    snapshot.at(channel, Quantity::IMPORT_ENERGY) = kilo_hours(this->get_import(channel));
    snapshot.at(channel, Quantity::EXPORT_ENERGY) = kilo_hours(this->get_export(channel));
  }
  snapshot.at(Channel::TOTAL, Quantity::IMPORT_ENERGY_SUM_OF_PHASES) = kilo_hours(this->get_import_sum_of_phases());
  snapshot.at(Channel::TOTAL, Quantity::EXPORT_ENERGY_SUM_OF_PHASES) = kilo_hours(this->get_export_sum_of_phases());
}

void ReactiveEnergy::restore(const StoredReactiveEnergy &stored) {
  for (size_t i = 0; i < CHANNELS; i++)
    this->quadrants_[i].restore(stored.quadrants_nvarh[i].data());
  for (size_t i = 0; i < PHASES; i++)
    this->apparent_[i].restore(stored.apparent_nvah[i]);
}

void ReactiveEnergy::count(const EnergyGains &gains, const Scaling &scaling) {
  double active = 0, reactive = 0;
  for (size_t i = 0; i < PHASES; i++) {
    const double gain = gains.reactive[i] * scaling.nanowatt_hours_per_code();
    this->quadrants_[i].add(gains.active[i], gain);
    this->apparent_[i].add(gains.apparent[i] * scaling.nanowatt_hours_per_code());
    active += gains.active[i];
    reactive += gain;
  }
  this->quadrants_[TOTAL].add(active, reactive);
}

StoredReactiveEnergy ReactiveEnergy::store(const EnergyCodes &codes, uint32_t session) const {
  StoredReactiveEnergy stored{};
  for (size_t i = 0; i < CHANNELS; i++) {
    for (size_t quadrant = 0; quadrant < QuadrantRegister::QUADRANTS; quadrant++)
      stored.quadrants_nvarh[i][quadrant] = this->quadrants_[i].get(quadrant);
  }
  for (size_t i = 0; i < PHASES; i++)
    stored.apparent_nvah[i] = this->apparent_[i].get();
  stored.codes = codes;
  stored.session = session;
  return stored;
}

int64_t ReactiveEnergy::get_apparent(Channel channel) const {
  if (channel != Channel::TOTAL)
    return this->apparent_[static_cast<size_t>(channel)].get();
  int64_t total = 0;
  for (const EnergyCounter &phase : this->apparent_)
    total += phase.get();
  return total;
}

void ReactiveEnergy::write_to(Snapshot &snapshot) const {
  for (size_t i = 0; i < CHANNELS; i++) {
    const auto channel = static_cast<Channel>(i);
    for (size_t quadrant = 0; quadrant < QuadrantRegister::QUADRANTS; quadrant++)
      snapshot.at(channel, QUADRANT_QUANTITIES[quadrant]) = kilo_hours(this->get_quadrant(channel, quadrant));
    snapshot.at(channel, Quantity::APPARENT_ENERGY) = kilo_hours(this->get_apparent(channel));
  }
}

}  // namespace esphome::ade9000

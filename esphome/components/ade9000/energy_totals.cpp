#include "energy_totals.h"

namespace esphome::ade9000 {

namespace {

template<typename Account>
bool count_into(Account &account, std::optional<EnergyCodes> &counted, const EnergyCodes &codes, const Scaling &scaling,
                double greatest) {
  bool complete = true;
  if (counted.has_value()) {
    const EnergyGains gains = energy_gains(*counted, codes, greatest);
    account.count(gains, scaling);
    complete = gains.complete;
  }
  counted = codes;
  return complete;
}

/// Older firmware stored LO as well: without it a counter that has not moved would seem to have gone back.
AccumulatorCodes high_words_of(AccumulatorCodes codes) {
  for (uint64_t &code : codes)
    code = high_word_of(code);
  return codes;
}

}  // namespace

void EnergyTotals::restore(const StoredActiveEnergy &stored) {
  this->active_.restore(stored);
  // Its reactive codes are not kept here, and not looked at.
  this->active_codes_ = EnergyCodes{high_words_of(stored.active), {}, high_words_of(stored.apparent)};
  this->stored_active_session_ = stored.session;
  this->stored_at_ = stored.counted_at;
}

void EnergyTotals::restore(const StoredReactiveEnergy &stored) {
  this->reactive_.restore(stored);
  this->reactive_codes_ = {high_words_of(stored.codes.active), high_words_of(stored.codes.reactive),
                           high_words_of(stored.codes.apparent)};
  this->stored_reactive_session_ = stored.session;
}

void EnergyTotals::start() {
  this->begun_ = true;
  this->active_codes_.reset();
  this->reactive_codes_.reset();
  this->resumed_ = false;
}

void EnergyTotals::resume(uint32_t session) {
  this->begun_ = true;
  if (this->stored_active_session_ != session)
    this->active_codes_.reset();
  if (this->stored_reactive_session_ != session)
    this->reactive_codes_.reset();
  this->resumed_ = true;
}

bool EnergyTotals::count(const EnergyCodes &codes, const Scaling &scaling, double greatest) {
  if (this->resumed_) {
    this->resumed_ = false;
    this->active_gap_ = this->active_codes_;
    this->reactive_gap_ = this->reactive_codes_;
    this->gap_end_ = codes;
    this->active_codes_.reset();
    this->reactive_codes_.reset();
  }
  const bool active_known = count_into(this->active_, this->active_codes_, codes, scaling, greatest);
  const bool reactive_known = count_into(this->reactive_, this->reactive_codes_, codes, scaling, greatest);
  return active_known && reactive_known;
}

bool EnergyTotals::count_gap(const Scaling &scaling, double greatest) {
  if (!this->gap_end_.has_value())
    return true;
  const bool active_known = count_into(this->active_, this->active_gap_, *this->gap_end_, scaling, greatest);
  const bool reactive_known = count_into(this->reactive_, this->reactive_gap_, *this->gap_end_, scaling, greatest);
  this->gap_end_.reset();
  return active_known && reactive_known;
}

std::optional<StoredActiveEnergy> EnergyTotals::store_active(uint32_t session, uint32_t counted_at) const {
  if (!this->begun_)
    return std::nullopt;
  StoredActiveEnergy stored =
      this->active_.store(this->active_codes_.value_or(EnergyCodes{}), this->active_codes_ ? session : 0);
  stored.counted_at = counted_at;
  return stored;
}

std::optional<StoredReactiveEnergy> EnergyTotals::store_reactive(uint32_t session) const {
  if (!this->begun_)
    return std::nullopt;
  return this->reactive_.store(this->reactive_codes_.value_or(EnergyCodes{}), this->reactive_codes_ ? session : 0);
}

}  // namespace esphome::ade9000

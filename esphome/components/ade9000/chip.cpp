#include "chip.h"

#include "ade9000_registers.h"

namespace esphome::ade9000 {

namespace {

// The chip's own estimates differ (46 ms to 50 ms): after this long without RSTDONE, reset it again.
constexpr uint32_t RESET_TIMEOUT_MS = 1000;
// A chip that can not be read may still be counting: look this long before resetting it.
constexpr uint32_t LOOK_TIMEOUT_MS = 2000;
// Energy is counted on in a chip that can not be read, so it is given time to be heard again.
constexpr uint32_t UNREADABLE_TIMEOUT_MS = 10000;
constexpr uint8_t SOFTWARE_RESETS = 2;
constexpr int CLEAR_ATTEMPTS = 3;
// The chip calculates the checksum by itself each 10.8 ms (TRM "CRC of Configuration Registers"), also while a burst
// has CONFIG1.BURST_EN set. That one is gone by the next update, so only a checksum that stays is one, the right one
// as well as another.
constexpr uint8_t MISMATCHES_UNTIL_CHANGED = 2;

}  // namespace

void Chip::begin(uint32_t old_session, uint32_t new_session) {
  this->session_ = old_session;
  this->next_session_ = new_session;
  this->state_ = old_session != 0 ? State::LOOKING : State::RESET;
  this->since_known_ = false;
}

Chip::Event Chip::step(uint32_t now_ms) {
  switch (this->state_) {
    case State::LOOKING:
      return this->look_(now_ms);
    case State::RESET:
      this->reset_(now_ms);
      return Event::NONE;
    case State::HELD:
      this->reset_line_->hold_reset(false);
      this->state_since_ = now_ms;
      this->state_ = State::RESETTING;
      return Event::NONE;
    case State::RESETTING:
      return this->await_reset_(now_ms);
    case State::RUNNING:
      return this->monitor_(now_ms);
  }
  return Event::NONE;
}

void Chip::reset_(uint32_t now_ms) {
  this->unreadable_ = this->repairing_ = false;
  if (this->reset_line_ != nullptr && this->software_resets_ >= SOFTWARE_RESETS) {
    this->software_resets_ = 0;
    this->reset_line_->hold_reset(true);
    this->state_ = State::HELD;
    return;
  }
  if (this->software_resets_ < SOFTWARE_RESETS)
    this->software_resets_++;
  this->bus_.write(reg::CONFIG1, reg::CONFIG1_SWRST);
  this->state_since_ = now_ms;
  this->state_ = State::RESETTING;
}

Chip::Event Chip::look_(uint32_t now_ms) {
  if (!this->since_known_) {
    this->since_known_ = true;
    this->state_since_ = now_ms;
  }
  this->settings_.set(reg::MTTHR_L0, this->session_);
  uint32_t status;
  auto comparison = ChipSettings::Comparison::UNREADABLE;
  uint32_t again;
  bool answers = this->bus_.read(reg::STATUS1, status);
  if (!answers) {
    // A restart in the middle of a burst has left BURST_EN set, and with it no reply has a CRC.
    this->bus_.write(reg::CONFIG1, this->settings_.get(reg::CONFIG1));
    answers = this->bus_.read(reg::STATUS1, status);
  }
  // What costs the counters is looked at twice.
  if (answers && this->bus_.read(reg::STATUS1, again)) {
    comparison = (status & again & reg::STATUS1_RSTDONE) ? ChipSettings::Comparison::DIFFERENT
                                                         : this->settings_.compare_with(this->bus_);
  }
  switch (comparison) {
    case ChipSettings::Comparison::EQUAL:
      this->accept_configuration();
      this->state_ = State::RUNNING;
      return Event::RESUMED;
    case ChipSettings::Comparison::UNREADABLE:
      if (now_ms - this->state_since_ <= LOOK_TIMEOUT_MS)
        return Event::UNREADABLE;
      break;
    case ChipSettings::Comparison::DIFFERENT:
      break;
  }
  this->state_ = State::RESET;
  return this->step(now_ms);
}

Chip::Event Chip::await_reset_(uint32_t now_ms) {
  uint32_t status;
  if (this->bus_.read(reg::STATUS1, status)) {
    if (status & reg::STATUS1_RSTDONE)
      return this->configure_();
    // A chip that answers without having been reset has not got the command.
    this->bus_.write(reg::CONFIG1, reg::CONFIG1_SWRST);
  }
  if (now_ms - this->state_since_ > RESET_TIMEOUT_MS)
    this->state_ = State::RESET;
  return Event::UNREADABLE;
}

Chip::Event Chip::identify_() {
  if (!this->bus_.read_confirmed(reg::PART_ID, this->part_) || !this->bus_.read_confirmed(reg::VERSION, this->version_))
    return Event::UNREADABLE;
  const bool is_ade9000 =
      (this->part_ & reg::PART_ID_ADE9000) != 0 && (this->version_ & reg::VERSION_MASK) == reg::VERSION_ADE9000;
  return is_ade9000 ? Event::NONE : Event::WRONG_PART;
}

Chip::Event Chip::configure_() {
  this->state_ = State::RESET;
  const Event identity = this->identify_();
  if (identity != Event::NONE)
    return identity;
  this->session_ = this->next_session_;
  // Another number for the next counting; an odd step visits every number before it repeats.
  this->next_session_ += 0x9E3779B9;
  if (this->next_session_ == 0)
    this->next_session_ = 1;
  this->settings_.set(reg::MTTHR_L0, this->session_);
  this->refused_ = this->settings_.write_to(this->bus_);
  if (this->refused_ != nullptr)
    return Event::REFUSED;
  uint32_t status = reg::STATUS1_RSTDONE;
  for (int attempt = 0; attempt < CLEAR_ATTEMPTS && (status & reg::STATUS1_RSTDONE); attempt++) {
    this->bus_.write(reg::STATUS1, reg::STATUS1_RSTDONE);
    if (!this->bus_.read(reg::STATUS1, status))
      status = reg::STATUS1_RSTDONE;
  }
  this->accept_configuration();
  this->software_resets_ = 0;
  this->unreadable_ = this->repairing_ = false;
  this->state_ = State::RUNNING;
  return Event::STARTED;
}

void Chip::accept_configuration() {
  this->checksum_known_ = this->checksum_seen_ = false;
  this->checksum_mismatches_ = 0;
  this->bus_.write(reg::STATUS1, reg::STATUS1_CRC_DONE);
  this->bus_.write(reg::CRC_FORCE, reg::CRC_FORCE_NOW);
}

Chip::Event Chip::monitor_(uint32_t now_ms) {
  uint32_t status;
  if (!this->bus_.read(reg::STATUS1, status)) {
    // A burst that was not closed keeps the CRC away from every reply.
    this->bus_.write(reg::CONFIG1, this->settings_.get(reg::CONFIG1));
    if (!this->bus_.read(reg::STATUS1, status))
      return this->on_unreadable_(now_ms);
  }
  this->unreadable_ = false;
  constexpr uint32_t GRAVE = reg::STATUS1_RSTDONE | reg::STATUS1_FATAL;
  if ((status & GRAVE) != 0) {
    // What costs the counters is looked at twice.
    uint32_t again;
    if (!this->bus_.read(reg::STATUS1, again))
      return Event::UNREADABLE;
    status &= again | ~GRAVE;
  }
  if ((status & reg::STATUS1_RSTDONE) != 0) {
    // Ready for its configuration: no need to reset it once more.
    this->state_ = State::RESETTING;
    return Event::LOST;
  }
  if ((status & reg::STATUS1_FATAL) != 0) {
    this->state_ = State::RESET;
    return Event::FAILED;
  }
  return this->check_configuration_(status);
}

Chip::Event Chip::on_unreadable_(uint32_t now_ms) {
  if (!this->unreadable_) {
    this->unreadable_ = true;
    this->unreadable_since_ = now_ms;
  }
  if (now_ms - this->unreadable_since_ <= UNREADABLE_TIMEOUT_MS)
    return Event::UNREADABLE;
  this->software_resets_ = 0;
  this->state_ = State::RESET;
  return Event::SILENT;
}

bool Chip::is_counting_() {
  uint32_t run, energy;
  return this->bus_.read_confirmed(reg::RUN, run) && run == this->settings_.get(reg::RUN) &&
         this->bus_.read_confirmed(reg::EP_CFG, energy) && energy == this->settings_.get(reg::EP_CFG);
}

Chip::Event Chip::on_changed_() {
  // A chip that has stopped counting begins anew in any case. A second repair in a row would be the last one again.
  if (this->is_counting_() && !this->repairing_ && this->settings_.repair(this->bus_)) {
    const bool was_known = this->checksum_known_;
    this->accept_configuration();
    this->repairing_ = was_known;
    this->repaired_checksum_ = this->checksum_;
    return Event::REPAIRED;
  }
  this->state_ = State::RESET;
  return Event::CHANGED;
}

Chip::Event Chip::check_configuration_(uint32_t status) {
  uint32_t checksum;
  if (!this->bus_.read(reg::CRC_RSLT, checksum))
    return Event::UNREADABLE;
  if (!this->checksum_known_) {
    // Until the checksum is there, register by register.
    const auto comparison = this->settings_.compare_with(this->bus_);
    if (comparison == ChipSettings::Comparison::EQUAL) {
      const bool is_done = (status & reg::STATUS1_CRC_DONE) != 0;
      this->checksum_known_ = is_done && this->checksum_seen_ && checksum == this->checksum_;
      this->checksum_seen_ = is_done;
      this->checksum_ = checksum;
      // The request may have been lost.
      if (!is_done)
        this->bus_.write(reg::CRC_FORCE, reg::CRC_FORCE_NOW);
      if (!this->checksum_known_ || !this->repairing_)
        return Event::NONE;
      if (checksum == this->repaired_checksum_) {
        this->repairing_ = false;
        return Event::NONE;
      }
      return this->on_changed_();
    }
    if (comparison == ChipSettings::Comparison::UNREADABLE)
      return Event::UNREADABLE;
    return this->on_changed_();
  }
  this->checksum_mismatches_ = checksum == this->checksum_ ? 0 : this->checksum_mismatches_ + 1;
  if (this->checksum_mismatches_ == 0 ||
      (this->checksum_mismatches_ < MISMATCHES_UNTIL_CHANGED && this->is_counting_()))
    return Event::NONE;
  return this->on_changed_();
}

}  // namespace esphome::ade9000

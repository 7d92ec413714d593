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
// Bits of STATUS1 that cost the counters.
constexpr uint32_t GRAVE = reg::STATUS1_RSTDONE | reg::STATUS1_FATAL;

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
    case State::STOPPED:
      return this->restart_();
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
  // Set since the chip was switched on: what is set afterwards tells of this reset.
  this->bus_.write_blindly(reg::STATUS1, reg::STATUS1_RSTDONE);
  this->bus_.write_blindly(reg::CONFIG1, reg::CONFIG1_SWRST);
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
  if (this->read_status_(status)) {
    comparison = (status & reg::STATUS1_RSTDONE) ? ChipSettings::Comparison::DIFFERENT
                                                 : this->settings_.compare_with(this->bus_);
  }
  // One that was stopped still has its energies: they are counted, and then the chip is started anew.
  if (comparison == ChipSettings::Comparison::DIFFERENT && this->is_stopped_in_session_())
    comparison = ChipSettings::Comparison::EQUAL;
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
    this->bus_.write_blindly(reg::CONFIG1, reg::CONFIG1_SWRST);
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

void Chip::begin_session_() {
  this->session_ = this->next_session_;
  // Another number for the next counting; an odd step visits every number before it repeats.
  this->next_session_ += 0x9E3779B9;
  if (this->next_session_ == 0)
    this->next_session_ = 1;
  this->settings_.set(reg::MTTHR_L0, this->session_);
}

Chip::Event Chip::restart_() {
  // Whether its energies go on or begin at zero is not documented.
  this->begin_session_();
  if (!this->settings_.repair(this->bus_)) {
    this->state_ = State::RESET;
    return Event::CHANGED;
  }
  this->accept_configuration();
  this->repairing_ = false;
  this->state_ = State::RUNNING;
  return Event::STARTED;
}

Chip::Event Chip::configure_() {
  this->state_ = State::RESET;
  const Event identity = this->identify_();
  if (identity != Event::NONE)
    return identity;
  this->begin_session_();
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
  this->bus_.write(reg::STATUS1, reg::STATUS1_CRC_DONE);
  this->bus_.write(reg::CRC_FORCE, reg::CRC_FORCE_NOW);
}

bool Chip::read_status_(uint32_t &status) {
  if (!this->bus_.read(reg::STATUS1, status) && !this->bus_.read(reg::STATUS1, status)) {
    // A write that went astray may have set CONFIG1.BURST_EN: with it no reply has a CRC (data sheet p. 70).
    this->bus_.write_blindly(reg::CONFIG1, this->settings_.get(reg::CONFIG1));
    if (!this->bus_.read(reg::STATUS1, status))
      return false;
  }
  // What costs the counters is looked at twice.
  return (status & GRAVE) == 0 || this->bus_.read_confirmed(reg::STATUS1, status);
}

bool Chip::compare_(uint16_t address, bool &equal) {
  const uint32_t expected = this->settings_.get(address);
  uint32_t value;
  equal = this->bus_.read(address, value, expected) && value == expected;
  if (equal)
    return true;
  const bool is_read = this->bus_.read_confirmed(address, value, expected);
  equal = is_read && value == expected;
  return is_read;
}

bool Chip::is_stopped_in_session_() {
  bool runs, is_same_session;
  return this->compare_(reg::RUN, runs) && !runs && this->compare_(reg::MTTHR_L0, is_same_session) && is_same_session &&
         this->has_right_energies();
}

bool Chip::has_right_energies() {
  bool equal;
  return this->compare_(reg::EP_CFG, equal) && equal;
}

Chip::Event Chip::monitor_(uint32_t now_ms) {
  uint32_t status;
  bool runs;
  if (!this->read_status_(status) || !this->compare_(reg::RUN, runs))
    return this->on_unreadable_(now_ms);
  this->unreadable_ = false;
  if ((status & reg::STATUS1_RSTDONE) != 0) {
    // Ready for its configuration: no need to reset it once more.
    this->state_ = State::RESETTING;
    return Event::LOST;
  }
  if ((status & reg::STATUS1_FATAL) != 0) {
    this->state_ = State::RESET;
    return Event::FAILED;
  }
  if (!runs) {
    this->state_ = this->has_right_energies() ? State::STOPPED : State::RESET;
    return this->state_ == State::STOPPED ? Event::STOPPED : Event::CHANGED;
  }
  return this->bus_.take_stray_write() ? this->repair_() : this->check_configuration_(status);
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

Chip::Event Chip::repair_() {
  // Where energies were summed or read in another way, they begin anew.
  if (!this->has_right_energies() || !this->settings_.repair(this->bus_)) {
    this->state_ = State::RESET;
    return Event::CHANGED;
  }
  if (this->checksum_known_) {
    this->repairing_ = true;
    this->repaired_checksum_ = this->checksum_;
  }
  this->accept_configuration();
  return Event::REPAIRED;
}

Chip::Event Chip::on_changed_() {
  // A second repair in a row would be the last one again.
  if (!this->repairing_)
    return this->repair_();
  this->state_ = State::RESET;
  return Event::CHANGED;
}

Chip::Event Chip::check_configuration_(uint32_t status) {
  uint32_t checksum;
  if (!this->bus_.read(reg::CRC_RSLT, checksum) && !this->bus_.read(reg::CRC_RSLT, checksum))
    return Event::UNREADABLE;
  if (!this->checksum_known_) {
    // Until the checksum is there, register by register.
    const auto comparison = this->settings_.compare_with(this->bus_);
    if (comparison == ChipSettings::Comparison::EQUAL) {
      // The chip calculates it by itself each 10.8 ms (TRM p. 35), whatever is written meanwhile: one that stays is
      // right.
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
  if (checksum == this->checksum_)
    return Event::NONE;
  if (!this->bus_.read_confirmed(reg::CRC_RSLT, checksum))
    return Event::UNREADABLE;
  if (checksum == this->checksum_)
    return Event::NONE;
  return this->on_changed_();
}

}  // namespace esphome::ade9000

#include "wiring_check_component.h"

#include "esphome/components/ade9000/ade9000_registers.h"
#include "esphome/core/hal.h"
#include "esphome/core/log.h"

#include <cmath>

namespace esphome::wiring_check {

using ade9000::Channel;
using ade9000::PHASES;
using ade9000::Quantity;

static const char *const TAG = "wiring_check";

// Some updates of the meter: what is older says nothing of the wiring as it is now.
static constexpr uint32_t STALE_AFTER_MS = 3000;

// From one check to the next in which a heater is switched on; later other loads have changed too.
static constexpr uint32_t HEATER_WITHIN_MS = 120000;

// Longer than a dip and the settling of the chip's rms values (technical reference, table 11).
static constexpr uint32_t TAP_LOST_AFTER_MS = 5000;

void WiringCheck::setup() {
  this->hub_->add_on_snapshot_callback([this](const ade9000::Snapshot &snapshot) { this->on_snapshot_(snapshot); });
  this->publish_(WiringFindings(WiringCode::NOT_CHECKED));
}

void WiringCheck::dump_config() {
  ESP_LOGCONFIG(TAG,
                "Wiring check:\n"
                "  Nominal voltage: %.0f V\n"
                "  Minimum current: %.2f A",
                this->expectation_.nominal_voltage, this->expectation_.minimum_current);
}

void WiringCheck::on_snapshot_(const ade9000::Snapshot &snapshot) {
  for (size_t i = 0; i < PHASES; i++) {
    const auto at = [&snapshot, i](Quantity quantity) { return snapshot.at(static_cast<Channel>(i), quantity); };
    this->observation_.inputs[i] = {at(Quantity::VOLTAGE), at(Quantity::CURRENT), at(Quantity::ACTIVE_POWER),
                                    at(Quantity::REACTIVE_POWER)};
  }
  const float frequency = snapshot.at(Channel::TOTAL, Quantity::FREQUENCY);
  if (std::isfinite(frequency))
    this->frequency_ = frequency;
  this->observed_at_ = millis();
  this->observed_ = true;
  this->watch_taps_();
}

void WiringCheck::watch_taps_() {
  const auto lost = find_lost_taps(this->observation_, this->expectation_);
  if (lost == this->lost_taps_) {
    this->taps_differ_ = false;
    return;
  }
  if (!this->taps_differ_) {
    this->taps_differ_ = true;
    this->taps_differ_since_ = this->observed_at_;
    return;
  }
  if (this->observed_at_ - this->taps_differ_since_ < TAP_LOST_AFTER_MS)
    return;
  this->taps_differ_ = false;
  this->lost_taps_ = lost;
  if (lost[0] || lost[1] || lost[2]) {
    WiringFindings findings;
    findings.add({WiringCode::LOST_TAP, lost});
    this->publish_(findings);
  } else {
    this->publish_(this->findings_);
  }
}

bool WiringCheck::check() {
  const bool recent = this->observed_ && millis() - this->observed_at_ < STALE_AFTER_MS;
  if (!recent || !this->read_voltage_angles_()) {
    this->publish_(WiringFindings(WiringCode::NO_MEASUREMENT));
    return false;
  }
  const uint32_t now = millis();
  if (!this->checked_once_ || now - this->checked_at_ >= HEATER_WITHIN_MS) {
    this->proof_ = {};
  } else if (!prove_currents(this->checked_, this->observation_, this->expectation_, this->proof_)) {
    forget_turned(this->checked_, this->observation_, this->proof_);
  }
  this->checked_ = this->observation_;
  this->checked_at_ = now;
  this->checked_once_ = true;
  const WiringDiagnosis diagnosis = diagnose_wiring(this->observation_, this->expectation_, this->proof_);
  this->findings_ = list_findings(diagnosis, this->expectation_.kind);
  this->publish_(this->findings_);
  return diagnosis.is_complete() && !diagnosis.has_fault();
}

bool WiringCheck::read_voltage_angles_() {
  ade9000::Ade9000Bus *bus = this->hub_->get_running_bus();
  if (bus == nullptr)
    return false;
  for (size_t i = 0; i < PHASES; i++) {
    uint32_t code;
    if (!bus->read_confirmed(ade9000::reg::ANGL_VA_VB + i, code))
      return false;
    this->observation_.voltage_lags[i] = ade9000::Scaling::degrees(code, this->frequency_);
  }
  return true;
}

void WiringCheck::publish_(const WiringFindings &findings) {
  this->message_ = describe_wiring(findings);
  this->message_codes_ = encode_wiring(findings);
  ESP_LOGI(TAG, "%s", this->message_.c_str());
  if (this->result_ != nullptr)
    this->result_->publish_state(this->message_);
  if (this->codes_ != nullptr)
    this->codes_->publish_state(this->message_codes_);
}

}  // namespace esphome::wiring_check

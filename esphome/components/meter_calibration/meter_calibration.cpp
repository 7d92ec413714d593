#include "meter_calibration.h"

#include "calibration_messages.h"
#include "esphome/core/helpers.h"
#include "esphome/core/log.h"

namespace esphome::meter_calibration {

using ade9000::Channel;
using ade9000::PHASES;
using ade9000::Quantity;
using device_message::Message;

static const char *const TAG = "meter_calibration";

// Phase A; B and C follow at PHASE_STRIDE. xPHCAL0 holds as long as CONFIG0.MTEN is off (data sheet Rev B, Register
// Map).
static constexpr uint16_t AIGAIN = 0x000;
static constexpr uint16_t APHCAL0 = 0x006;
static constexpr uint16_t AVGAIN = 0x00B;
static constexpr uint16_t PHASE_STRIDE = 0x020;

void MeterCalibration::set_base(size_t phase, float voltage_gain, float current_gain, float degrees) {
  this->base_[phase] = {code_of_gain(voltage_gain), code_of_gain(current_gain),
                        code_of_phase(degrees, this->subject_.frequency)};
}

void MeterCalibration::setup() {
  this->book_ = CalibrationBook(this->subject_, this->base_);
  this->preference_ =
      global_preferences->make_preference<Stored>(fnv1_hash("ade9000.calibration.1") + this->hub_->get_number(), true);
  Stored stored;
  if (this->preference_.load(&stored)) {
    if (stored.basis == this->basis_()) {
      this->book_.restore(stored.now, stored.previous);
    } else {
      this->message_ = Message(CALIBRATION_DROPPED);
      ESP_LOGW(TAG, "%s", this->message_.describe().c_str());
    }
  }
  this->apply_();
  this->hub_->add_on_snapshot_callback([this](const ade9000::Snapshot &snapshot) { this->on_snapshot_(snapshot); });
  this->publish_();
}

void MeterCalibration::dump_config() {
  ESP_LOGCONFIG(TAG, "Meter calibration:\n  corrections:");
  const std::string yaml = this->book_.to_yaml();
  size_t start = 0;
  while (start < yaml.size()) {
    size_t end = yaml.find('\n', start);
    if (end == std::string::npos)
      end = yaml.size();
    ESP_LOGCONFIG(TAG, "    %s", yaml.substr(start, end - start).c_str());
    start = end + 1;
  }
}

bool MeterCalibration::is_now(Measured measured, int phase, float value) {
  // What is no phase becomes one that the book refuses.
  const size_t index = phase >= 1 && phase <= static_cast<int>(PHASES) ? phase - 1 : PHASES;
  const RecentReadings &recent = this->recent_[index < PHASES ? index : 0];
  switch (measured) {
    case Measured::VOLTAGE:
      return this->finish_(this->book_.voltage_is(index, value, recent));
    case Measured::CURRENT:
      return this->finish_(this->book_.current_is(index, value, recent));
    case Measured::POWER_FACTOR:
      return this->finish_(this->book_.power_factor_is(index, value, recent));
  }
  return false;
}

void MeterCalibration::on_snapshot_(const ade9000::Snapshot &snapshot) {
  for (size_t i = 0; i < PHASES; i++) {
    const auto at = [&snapshot, i](Quantity quantity) { return snapshot.at(static_cast<Channel>(i), quantity); };
    this->recent_[i].add({at(Quantity::VOLTAGE), at(Quantity::CURRENT), at(Quantity::ACTIVE_POWER),
                          at(Quantity::REACTIVE_POWER), at(Quantity::APPARENT_POWER)});
  }
}

bool MeterCalibration::finish_(const CalibrationOutcome &outcome) {
  this->message_ = outcome.message;
  const std::string sentence = this->message_.describe();
  if (outcome.accepted) {
    ESP_LOGI(TAG, "%s", sentence.c_str());
    this->apply_();
    this->store_();
  } else {
    ESP_LOGW(TAG, "%s", sentence.c_str());
  }
  this->publish_();
  return outcome.accepted;
}

void MeterCalibration::apply_() {
  for (size_t i = 0; i < PHASES; i++) {
    const PhaseCorrection &correction = this->book_.now()[i];
    const struct {
      uint16_t address;
      int32_t code;
    } registers[] = {
        {AVGAIN, correction.voltage_gain},
        {AIGAIN, correction.current_gain},
        {APHCAL0, correction.phase},
    };
    for (const auto &entry : registers) {
      const uint16_t address = entry.address + i * PHASE_STRIDE;
      if (!this->hub_->change_register(address, static_cast<uint32_t>(entry.code)))
        ESP_LOGW(TAG, "Register 0x%03X did not take the correction: the chip is set up again with it", address);
    }
    this->recent_[i].clear();
  }
}

void MeterCalibration::store_() {
  const Stored stored{this->basis_(), this->book_.now(), this->book_.previous()};
  if (!this->preference_.save(&stored) || !global_preferences->sync())
    ESP_LOGW(TAG, "The calibration could not be saved: it would be lost at a reboot");
}

void MeterCalibration::publish_() {
  if (this->result_ != nullptr && !this->message_.is_empty())
    this->result_->publish_state(this->message_.describe().substr(0, device_message::LONGEST_STATE));
  // Empty before the first step: a client then knows that nothing is to be told.
  if (this->codes_ != nullptr)
    this->codes_->publish_state(this->message_.encode());
  if (this->corrections_ != nullptr)
    this->corrections_->publish_state(this->book_.to_yaml());
}

uint32_t MeterCalibration::basis_() const {
  const struct {
    float voltage_divider;
    float current_sensitivity;
    Corrections base;
  } basis{this->voltage_divider_, this->current_sensitivity_, this->base_};
  // FNV-1, as ESPHome's own hashes of names.
  uint32_t hash = 2166136261UL;
  const auto *bytes = reinterpret_cast<const uint8_t *>(&basis);
  for (size_t i = 0; i < sizeof(basis); i++)
    hash = (hash * 16777619UL) ^ bytes[i];
  return hash;
}

}  // namespace esphome::meter_calibration

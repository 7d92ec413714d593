#include "meter_calibration.h"

#include "calibration_messages.h"

#include "esphome/components/ade9000/ade9000_registers.h"

#include "esphome/core/helpers.h"
#include "esphome/core/log.h"

namespace esphome::meter_calibration {

using ade9000::Channel;
using ade9000::PHASES;
using ade9000::Quantity;
using device_message::Message;
namespace reg = ade9000::reg;

static const char *const TAG = "meter_calibration";

// Phase A; B and C follow at PHASE_STRIDE. xPHCAL0 holds as long as CONFIG0.MTEN is off (data sheet Rev B, Register
// Map).
static constexpr uint16_t APHCAL0 = 0x006;
// Offsets of the rms, of that of a half cycle and of that of 10 or 12 cycles: phase A, then the neutral.
static constexpr uint16_t CURRENT_OFFSETS[][2] = {{0x00C, 0x06B}, {0x016, 0x06F}, {0x018, 0x070}};

void MeterCalibration::set_base(size_t phase, float voltage_gain, float current_gain, float degrees) {
  this->base_.phases[phase] = {code_of_gain(voltage_gain), code_of_gain(current_gain),
                               code_of_phase(degrees, this->subject_.frequency)};
}

void MeterCalibration::set_base_residual(size_t input, float amperes) {
  this->base_.offsets[input] =
      offset_of_rms(amperes / this->subject_.full_scale_current * ade9000::reg::FULL_SCALE_RMS);
}

bool MeterCalibration::load_(Stored &stored) {
  if (this->preference_.load(&stored))
    return true;
  auto earlier = global_preferences->make_preference<StoredWithoutOffsets>(
      fnv1_hash("ade9000.calibration.1") + this->hub_->get_number(), true);
  StoredWithoutOffsets without;
  if (!earlier.load(&without))
    return false;
  stored = {without.basis, {without.now, {}}, {without.previous, {}}};
  return true;
}

void MeterCalibration::setup() {
  this->book_ = CalibrationBook(this->subject_, this->base_);
  this->preference_ =
      global_preferences->make_preference<Stored>(fnv1_hash("ade9000.calibration.2") + this->hub_->get_number(), true);
  Stored stored;
  if (this->load_(stored)) {
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

bool MeterCalibration::null_residual_current(int input) {
  // What is no input becomes one that the book refuses.
  const size_t index = input >= 1 && input <= static_cast<int>(CURRENT_INPUTS) ? input - 1 : CURRENT_INPUTS;
  return this->finish_(this->book_.null_residual_current(index, this->recent_[index < CURRENT_INPUTS ? index : 0]));
}

void MeterCalibration::on_snapshot_(const ade9000::Snapshot &snapshot) {
  for (size_t i = 0; i < PHASES; i++) {
    const auto at = [&snapshot, i](Quantity quantity) { return snapshot.at(static_cast<Channel>(i), quantity); };
    this->recent_[i].add({at(Quantity::VOLTAGE), at(Quantity::CURRENT), at(Quantity::ACTIVE_POWER),
                          at(Quantity::REACTIVE_POWER), at(Quantity::APPARENT_POWER)});
  }
  PhaseReading neutral;
  neutral.current = snapshot.at(Channel::TOTAL, Quantity::NEUTRAL_CURRENT);
  this->recent_[NEUTRAL].add(neutral);
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
  const auto change = [this](uint16_t address, int32_t code) {
    if (!this->hub_->change_register(address, static_cast<uint32_t>(code)))
      ESP_LOGW(TAG, "Register 0x%03X did not take the correction: the chip is set up again with it", address);
  };
  for (size_t i = 0; i < PHASES; i++) {
    const PhaseCorrection &correction = this->book_.now()[i];
    const auto stride = static_cast<uint16_t>(i * reg::PHASE_STRIDE);
    change(reg::AVGAIN + stride, correction.voltage_gain);
    change(reg::AIGAIN + stride, correction.current_gain);
    change(APHCAL0 + stride, correction.phase);
  }
  for (size_t input = 0; input < CURRENT_INPUTS; input++) {
    for (const auto &[of_phase_a, of_neutral] : CURRENT_OFFSETS) {
      const auto of_phase = static_cast<uint16_t>(of_phase_a + input * reg::PHASE_STRIDE);
      change(input == NEUTRAL ? of_neutral : of_phase, this->book_.now().offsets[input]);
    }
    this->recent_[input].clear();
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
    std::array<PhaseCorrection, PHASES> base;
  } basis{this->voltage_divider_, this->current_sensitivity_, this->base_.phases};
  // FNV-1, as ESPHome's own hashes of names.
  uint32_t hash = 2166136261UL;
  const auto add = [&hash](const auto &part) {
    const auto *bytes = reinterpret_cast<const uint8_t *>(&part);
    for (size_t i = 0; i < sizeof(part); i++)
      hash = (hash * 16777619UL) ^ bytes[i];
  };
  add(basis);
  // Without offsets the hash is that of the versions which had none.
  if (this->base_.offsets != CurrentOffsets{})
    add(this->base_.offsets);
  return hash;
}

}  // namespace esphome::meter_calibration

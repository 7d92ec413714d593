#include "chip_settings.h"

namespace esphome::ade9000 {

bool ChipSettings::set(uint16_t address, uint32_t value) {
  for (size_t i = 0; i < this->count_; i++) {
    if (this->settings_[i].address == address) {
      this->settings_[i].value = value;
      return true;
    }
  }
  if (this->count_ == MAX_SETTINGS)
    return false;
  this->settings_[this->count_++] = {address, value};
  return true;
}

uint32_t ChipSettings::get(uint16_t address) const {
  for (size_t i = 0; i < this->count_; i++) {
    if (this->settings_[i].address == address)
      return this->settings_[i].value;
  }
  return 0;
}

const ChipSettings::Setting *ChipSettings::write_to(Ade9000Bus &bus) const {
  for (size_t i = 0; i < this->count_; i++) {
    if (!bus.write_checked(this->settings_[i].address, this->settings_[i].value))
      return &this->settings_[i];
  }
  return nullptr;
}

ChipSettings::Comparison ChipSettings::compare_with(Ade9000Bus &bus) const {
  for (size_t i = 0; i < this->count_; i++) {
    uint32_t value;
    if (!bus.read(this->settings_[i].address, value))
      return Comparison::UNREADABLE;
    if (value != this->settings_[i].value)
      return Comparison::DIFFERENT;
  }
  return Comparison::EQUAL;
}

}  // namespace esphome::ade9000

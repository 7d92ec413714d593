#include "chip_settings.h"

namespace esphome::ade9000 {

namespace {

struct ResetValue {
  uint16_t first;
  uint16_t last;
  uint32_t value;
};

/// Registers of the configuration checksum that neither the driver nor its companions write (data sheet, Register Map).
constexpr ResetValue RESET_VALUES[] = {
    {0x000, 0x018, 0},           // gains, phase compensation and offsets of phase A
    {0x020, 0x038, 0},           // of phase B
    {0x040, 0x058, 0},           // of phase C
    {0x060, 0x060, 0},           // CONFIG0
    {0x062, 0x06A, 0},           // thresholds of the multi-point gain, which is off
    {0x06B, 0x073, 0},           // neutral, VNOM, DICOEFF, ISUMLVL
    {0x405, 0x407, 0},           // MASK0, MASK1, EVENT_MASK
    {0x40E, 0x40E, 0x00500000},  // USER_PERIOD
    {0x420, 0x422, 0x0000FFFF},  // WTHR, VARTHR, VATHR
    {0x424, 0x424, 0x001FFFFF},  // ADC_REDIRECT
    {0x425, 0x425, 0},           // CF_LCFG
    {0x490, 0x491, 0},           // CFMODE, COMPMODE
    {0x494, 0x498, 0xFFFF},      // CF1DEN to CF4DEN, ZXTOUT
    {0x499, 0x499, 0x0009},      // ZXTHRSH
    {0x49A, 0x49A, 0x001E},      // ZX_LP_SEL
    {0x4AF, 0x4AF, 0x0C00},      // CONFIG2
    {0x4B1, 0x4B1, 0x00FF},      // PWR_TIME
    {0x4B5, 0x4B5, 0},           // CRC_OPTEN
    {0x4BA, 0x4BA, 0},           // CHNL_DIS
    {0x4E0, 0x4E0, 0},           // VAR_DIS
};

}  // namespace

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

bool ChipSettings::has(uint16_t address) const {
  for (size_t i = 0; i < this->count_; i++) {
    if (this->settings_[i].address == address)
      return true;
  }
  return false;
}

bool ChipSettings::repair(Ade9000Bus &bus) const {
  const auto put_back = [&bus](uint16_t address, uint32_t expected) {
    uint32_t value;
    return (bus.read_confirmed(address, value, expected) && value == expected) || bus.write_checked(address, expected);
  };
  for (const Setting &setting : *this) {
    if (!put_back(setting.address, setting.value))
      return false;
  }
  for (const ResetValue &block : RESET_VALUES) {
    for (uint16_t address = block.first; address <= block.last; address++) {
      if (!this->has(address) && !put_back(address, block.value))
        return false;
    }
  }
  return true;
}

ChipSettings::Comparison ChipSettings::compare_with(Ade9000Bus &bus) const {
  for (size_t i = 0; i < this->count_; i++) {
    const auto [address, expected] = this->settings_[i];
    uint32_t value;
    if (bus.read(address, value, expected) && value == expected)
      continue;
    // A single damaged frame is no difference.
    if (!bus.read_confirmed(address, value, expected))
      return Comparison::UNREADABLE;
    if (value != expected)
      return Comparison::DIFFERENT;
  }
  return Comparison::EQUAL;
}

}  // namespace esphome::ade9000

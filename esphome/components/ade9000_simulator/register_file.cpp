#include "register_file.h"

#include "chip_addresses.h"
#include "crc16.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace esphome::ade9000_simulator {

namespace {

enum class Access : uint8_t { READ_ONLY, READ_WRITE, WRITE_1_TO_CLEAR };

/// A run of registers alike, repeated `copies` times `stride` apart.
struct Block {
  uint16_t first;
  uint16_t last;
  uint32_t reset;
  Access access;
  uint32_t mask = 0xFFFFFFFF;
  uint16_t copies = 1;
  uint16_t stride = 0;
};

/// Factory calibration of the temperature sensor, offset (1/32 degree) and gain (1/65536 degree per step). Assumption:
/// such that the 12 bits span about -32 to +102 degrees.
constexpr uint32_t TEMP_TRIM_VALUE = 3261u << 16 | 2136u;

/// Registers that are writable or do not reset to 0 (data sheet Rev B, register summary). All others are read-only or
/// reserved and reset to 0.
constexpr Block BLOCKS[] = {
    {0x000, 0x018, 0, Access::READ_WRITE, 0xFFFFFFFF, 3, 0x20},  // gains, phase compensation, offsets per phase
    {0x060, 0x073, 0, Access::READ_WRITE},                       // CONFIG0, MTTHR, neutral, VNOM, DICOEFF, ISUMLVL
    {0x21D, 0x21D, 0x0000000F, Access::READ_ONLY, 0, 3, 0x20},   // MTREGION
    {0x402, 0x403, 0, Access::WRITE_1_TO_CLEAR},                 // STATUS0, STATUS1
    {0x405, 0x407, 0, Access::READ_WRITE},                       // MASK0, MASK1, EVENT_MASK
    {0x409, 0x409, 0x00FFFFFF, Access::READ_WRITE, 0x00FFFFFF},  // OILVL
    {0x40E, 0x40E, 0x00500000, Access::READ_WRITE},              // USER_PERIOD
    {0x40F, 0x40F, 0x00045D45, Access::READ_WRITE},              // VLEVEL
    {0x410, 0x410, 0, Access::READ_WRITE},                       // DIP_LVL
    {0x411, 0x413, 0x007FFFFF, Access::READ_ONLY},               // DIPA..DIPC
    {0x414, 0x414, 0x00FFFFFF, Access::READ_WRITE, 0x00FFFFFF},  // SWELL_LVL
    {0x418, 0x41B, 0x00A00000, Access::READ_ONLY},               // APERIOD..CPERIOD, COM_PERIOD
    {0x41C, 0x41E, 0x0000FFFF, Access::READ_WRITE},              // ACT_NL_LVL, REACT_NL_LVL, APP_NL_LVL
    {0x420, 0x422, 0x0000FFFF, Access::READ_WRITE},              // WTHR, VARTHR, VATHR
    {0x424, 0x424, 0x001FFFFF, Access::READ_WRITE, 0x001FFFFF},  // ADC_REDIRECT
    {0x425, 0x425, 0, Access::READ_WRITE},                       // CF_LCFG
    {0x472, 0x472, 0x00100000, Access::READ_ONLY},               // PART_ID: bit 20 is the ADE9000
    {0x474, 0x474, TEMP_TRIM_VALUE, Access::READ_ONLY},          // TEMP_TRIM
    {0x480, 0x481, 0, Access::READ_WRITE},                       // RUN, CONFIG1
    {0x48B, 0x48C, 0xFFFF, Access::READ_WRITE},                  // DIP_CYC, SWELL_CYC
    {0x490, 0x492, 0, Access::READ_WRITE},                       // CFMODE, COMPMODE, ACCMODE
    {0x493, 0x493, 0xF000, Access::READ_WRITE},                  // CONFIG3
    {0x494, 0x498, 0xFFFF, Access::READ_WRITE},                  // CF1DEN..CF4DEN, ZXTOUT
    {0x499, 0x499, 0x0009, Access::READ_WRITE},                  // ZXTHRSH
    {0x49A, 0x49A, 0x001E, Access::READ_WRITE},                  // ZX_LP_SEL
    {0x49C, 0x49C, 0x00FF, Access::READ_WRITE},                  // SEQ_CYC
    {0x4A0, 0x4A2, 0, Access::READ_WRITE},                       // WFB_CFG, WFB_PG_IRQEN, WFB_TRG_CFG
    {0x4AF, 0x4AF, 0x0C00, Access::READ_WRITE},                  // CONFIG2
    {0x4B0, 0x4B0, 0, Access::READ_WRITE},                       // EP_CFG
    {0x4B1, 0x4B2, 0x00FF, Access::READ_WRITE, 0x1FFF},          // PWR_TIME, EGY_TIME
    {0x4B4, 0x4B6, 0, Access::READ_WRITE},                       // CRC_FORCE, CRC_OPTEN, TEMP_CFG
    {0x4B9, 0x4BA, 0, Access::READ_WRITE},                       // PGA_GAIN, CHNL_DIS
    {0x4BF, 0x4BF, 0, Access::READ_WRITE},                       // WR_LOCK
    {0x4E0, 0x4E0, 0, Access::READ_WRITE},                       // VAR_DIS
    {0x4FE, 0x4FE, 0x00FE, Access::READ_ONLY},                   // VERSION: & 0xFFC0 is 0x00C0
};

struct Traits {
  uint32_t reset{0};
  uint32_t mask{0};
  Access access{Access::READ_ONLY};
};

constexpr std::array<Traits, 0x500> make_traits() {
  std::array<Traits, 0x500> traits{};
  for (const Block &block : BLOCKS) {
    for (int copy = 0; copy < block.copies; copy++) {
      for (int address = block.first; address <= block.last; address++)
        traits[address + copy * block.stride] = {block.reset, block.mask, block.access};
    }
  }
  return traits;
}

constexpr auto TRAITS = make_traits();

constexpr uint16_t LOCK_KEY = 0x3C64;
constexpr uint16_t UNLOCK_KEY = 0x4AD1;

/// Burst region by function, from 0x600: one register for the phases A, B, C, then the neutral's where it has one.
struct FunctionMirror {
  uint16_t phase_a;
  uint16_t neutral;
};
constexpr FunctionMirror BY_FUNCTION[] = {
    {address::V_PCF, address::NI_PCF},
    {address::I_PCF, 0},
    {address::IRMS, 0},
    {address::VRMS, address::NIRMS},
    {address::WATT, 0},
    {address::VA, 0},
    {address::VAR, 0},
    {address::FVAR, 0},
    {address::PF, 0},
    {address::VTHD, 0},
    {address::ITHD, 0},
    {address::FWATT, 0},
    {address::FVA, 0},
    {address::IFRMS, 0},
    {address::VFRMS, 0},
    {address::IRMSONE, 0},
    {address::VRMSONE, address::NIRMSONE},
    {address::IRMS1012, 0},
    {address::VRMS1012, address::NIRMS1012},
};

/// Burst region by phase, from 0x680: these for A, then B, then C, then the neutral's.
constexpr uint16_t BY_PHASE[] = {
    address::V_PCF,   address::I_PCF,   address::IRMS,     address::VRMS,     address::WATT,
    address::VA,      address::VAR,     address::FVAR,     address::PF,       address::VTHD,
    address::ITHD,    address::FWATT,   address::FVA,      address::IFRMS,    address::VFRMS,
    address::IRMSONE, address::VRMSONE, address::IRMS1012, address::VRMS1012,
};
constexpr uint16_t BY_PHASE_NEUTRAL[] = {address::NI_PCF, address::NIRMS, address::NIRMSONE, address::NIRMS1012};

constexpr uint16_t MIRROR_FIRST = 0x600;
constexpr uint16_t PHASE_MIRROR_FIRST = 0x680;
constexpr uint16_t MIRROR_LAST = 0x6BC;

/// Real address of each address of 0x600..0x6BC; itself where there is no mirror.
constexpr std::array<uint16_t, MIRROR_LAST - MIRROR_FIRST + 1> make_mirrors() {
  std::array<uint16_t, MIRROR_LAST - MIRROR_FIRST + 1> mirrors{};
  for (uint16_t i = 0; i < mirrors.size(); i++)
    mirrors[i] = MIRROR_FIRST + i;
  uint16_t next = 0;
  for (const FunctionMirror &function : BY_FUNCTION) {
    for (int phase = 0; phase < 3; phase++)
      mirrors[next++] = function.phase_a + phase * address::PHASE_STRIDE;
    if (function.neutral != 0)
      mirrors[next++] = function.neutral;
  }
  next = PHASE_MIRROR_FIRST - MIRROR_FIRST;
  for (int phase = 0; phase < 3; phase++) {
    for (const uint16_t phase_a : BY_PHASE)
      mirrors[next++] = phase_a + phase * address::PHASE_STRIDE;
  }
  for (const uint16_t neutral : BY_PHASE_NEUTRAL)
    mirrors[next++] = neutral;
  return mirrors;
}

constexpr auto MIRRORS = make_mirrors();

}  // namespace

void RegisterFile::reset() {
  this->values_.fill(0);
  for (uint16_t address = 0; address < TRAITS.size(); address++)
    this->values_[address] = TRAITS[address].reset;
}

uint16_t RegisterFile::resolve_(uint16_t address) {
  return address >= MIRROR_FIRST && address <= MIRROR_LAST ? MIRRORS[address - MIRROR_FIRST] : address;
}

bool RegisterFile::locked_(uint16_t address) const {
  return this->values_[address::WR_LOCK] != 0 && (address <= 0x073 || (address >= 0x400 && address <= 0x4FE));
}

bool RegisterFile::write(uint16_t address, uint32_t value) {
  if (address == address::WR_LOCK) {
    if (value == LOCK_KEY)
      this->values_[address] = 1;
    else if (value == UNLOCK_KEY)
      this->values_[address] = 0;
    return true;
  }
  if (address >= TRAITS.size() || this->locked_(address))
    return false;
  const Traits &traits = TRAITS[address];
  switch (traits.access) {
    case Access::READ_ONLY:
      return false;
    case Access::READ_WRITE:
      this->values_[address] = value & traits.mask;
      return true;
    case Access::WRITE_1_TO_CLEAR:
      this->values_[address] &= ~value;
      return true;
  }
  return false;
}

void RegisterFile::store_signed(uint16_t address, double value) {
  constexpr double MAXIMUM = 2147483647.0;
  this->values_[address] = static_cast<uint32_t>(std::lround(std::clamp(value, -MAXIMUM, MAXIMUM)));
}

bool RegisterFile::in_configuration_crc_(uint16_t address) const {
  if (TRAITS[address].access != Access::READ_WRITE || address == address::CRC_FORCE || address == address::TEMP_CFG)
    return false;
  // Optional registers, by the bit of CRC_OPTEN that includes them.
  constexpr uint16_t OPTIONAL[] = {
      address::MASK0,        address::MASK1,      address::EVENT_MASK,   address::DIP_LVL,
      address::DIP_CYC,      address::SWELL_LVL,  address::SWELL_CYC,    address::ACT_NL_LVL,
      address::REACT_NL_LVL, address::APP_NL_LVL, address::ZXTOUT,       address::ZX_LP_SEL,
      address::SEQ_CYC,      address::WFB_CFG,    address::WFB_PG_IRQEN, address::WFB_TRG_CFG,
  };
  for (size_t bit = 0; bit < std::size(OPTIONAL); bit++) {
    if (OPTIONAL[bit] == address)
      return this->any(address::CRC_OPTEN, 1u << bit);
  }
  return true;
}

uint16_t RegisterFile::configuration_crc() const {
  uint16_t crc = CRC16_START;
  for (uint16_t address = 0; address < TRAITS.size(); address++) {
    if (!this->in_configuration_crc_(address))
      continue;
    const uint32_t value = this->values_[address];
    const uint8_t bytes[4] = {static_cast<uint8_t>(value >> 24), static_cast<uint8_t>(value >> 16),
                              static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)};
    crc = crc16_ccitt(bytes, sizeof(bytes), crc);
  }
  return crc;
}

}  // namespace esphome::ade9000_simulator

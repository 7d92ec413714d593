#pragma once

#include <cstdint>

/** Register addresses, bits and full-scale codes of the ADE9000.
 *
 * Names are the data sheet's (Rev B); "Table" and "Register Map" in comments refer to it. Phases B and C repeat the
 * phase A block at a fixed stride.
 */
namespace esphome::ade9000::reg {

// Register Map, "Control and status": 16-bit registers occupy 0x480..0x4FE, all others are 32 bits wide.
static constexpr uint16_t FIRST_16_BIT = 0x480;
static constexpr uint16_t LAST_16_BIT = 0x4FE;
static constexpr bool is_16_bit(uint16_t address) { return address >= FIRST_16_BIT && address <= LAST_16_BIT; }

// 45-bit energy accumulators, phase A; ENERGY_STRIDE to the next phase.
static constexpr uint16_t AWATTHR_LO = 0x2E6;
static constexpr uint16_t AWATTHR_HI = 0x2E7;
static constexpr uint16_t ENERGY_STRIDE = 0x3C;

static constexpr uint16_t STATUS0 = 0x402;
static constexpr uint16_t STATUS1 = 0x403;
static constexpr uint16_t APERIOD = 0x418;  // B and C follow
static constexpr uint16_t VLEVEL = 0x40F;
static constexpr uint16_t PART_ID = 0x472;
static constexpr uint16_t RUN = 0x480;
static constexpr uint16_t CONFIG1 = 0x481;
static constexpr uint16_t ACCMODE = 0x492;
static constexpr uint16_t EP_CFG = 0x4B0;
static constexpr uint16_t EGY_TIME = 0x4B2;
static constexpr uint16_t PGA_GAIN = 0x4B9;
static constexpr uint16_t VERSION = 0x4FE;

// Burst mirror "by function", 0x600..0x63C: three phases side by side for each quantity.
static constexpr uint16_t BURST_AIRMS = 0x607;
static constexpr uint16_t BURST_AVRMS = 0x60A;
static constexpr uint16_t BURST_AWATT = 0x60E;
static constexpr uint16_t BURST_AVA = 0x611;
static constexpr uint16_t BURST_AVAR = 0x614;
static constexpr uint16_t BURST_APF = 0x61A;
static constexpr uint16_t BURST_FIRST = BURST_AIRMS;
static constexpr uint16_t BURST_LAST = BURST_APF + 2;
static constexpr uint16_t BURST_WORDS = BURST_LAST - BURST_FIRST + 1;

// PART_ID, bit 20: set on an ADE9000. VERSION: fixed bits of the product.
static constexpr uint32_t PART_ID_ADE9000 = 1UL << 20;
static constexpr uint16_t VERSION_MASK = 0xFFC0;
static constexpr uint16_t VERSION_ADE9000 = 0x00C0;

static constexpr uint32_t STATUS0_EGYRDY = 1UL << 0;
static constexpr uint32_t STATUS1_RSTDONE = 1UL << 16;
static constexpr uint16_t CONFIG1_SWRST = 1U << 0;
static constexpr uint16_t CONFIG1_BURST_EN = 1U << 11;
static constexpr uint16_t ACCMODE_SELFREQ_60HZ = 1U << 8;
// EP_CFG: accumulate, add windows to the register, never reset on read (the errata advise against RD_RST_EN).
static constexpr uint16_t EP_CFG_EGY_PWR_EN = 1U << 0;
static constexpr uint16_t RUN_START = 1;

// Table "Full-scale codes" (gain 1, +-1 V peak at the pin).
static constexpr double FULL_SCALE_RMS = 52702092.0;
static constexpr double FULL_SCALE_POWER = 20694066.0;
/// rms volts at the pin that give FULL_SCALE_RMS: 1 V peak of a sine.
static constexpr double FULL_SCALE_PIN_RMS = 0.70710678118654752;
/// Samples a second of the DSP, which is also the rate of energy accumulation.
static constexpr double SAMPLE_RATE = 8000.0;
/// VLEVEL is this times the headroom (full scale over nominal voltage); TRM "VLEVEL".
static constexpr double VLEVEL_UNIT = 1144084.0;
/// Power factor registers are signed 5.27 fixed point.
static constexpr double FIXED_5_27 = 134217728.0;

}  // namespace esphome::ade9000::reg

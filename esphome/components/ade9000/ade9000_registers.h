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

// Gains of phase A, 1 + x / 2^27; PHASE_STRIDE leads to the next phase.
static constexpr uint16_t AIGAIN = 0x000;
static constexpr uint16_t AVGAIN = 0x00B;
static constexpr uint16_t PHASE_STRIDE = 0x020;

// MTTHR_L0, the lowest threshold of the multi-point gain (CONFIG0.MTEN, off): 32 bits that mean nothing to the chip.
static constexpr uint16_t MTTHR_L0 = 0x061;
static constexpr uint16_t CONFIG0 = 0x060;

// Results of phase A; PHASE_STRIDE leads to the next phase.
static constexpr uint16_t AIRMS = 0x20C;
static constexpr uint16_t AVRMS = 0x20D;
static constexpr uint16_t AFVRMS = 0x20F;
static constexpr uint16_t AWATT = 0x210;
static constexpr uint16_t AVAR = 0x211;
static constexpr uint16_t AVA = 0x212;
static constexpr uint16_t AFWATT = 0x213;
static constexpr uint16_t AFVAR = 0x214;
static constexpr uint16_t AVTHD = 0x217;
static constexpr uint16_t AITHD = 0x218;
static constexpr uint16_t AIRMSONE = 0x219;
static constexpr uint16_t AVRMSONE = 0x21A;
static constexpr uint16_t AIRMS1012 = 0x21B;
static constexpr uint16_t AVRMS1012 = 0x21C;
static constexpr uint16_t NIRMS = 0x266;

// rms of the sum of the three currents (CONFIG0.ISUM_CFG = 0).
static constexpr uint16_t ISUMRMS = 0x269;

// 45-bit energy accumulators, phase A, high word; the low word is one below, ENERGY_STRIDE leads to the next phase.
static constexpr uint16_t AWATTHR_HI = 0x2E7;
static constexpr uint16_t AVARHR_HI = 0x2F1;
static constexpr uint16_t AVAHR_HI = 0x2FB;
static constexpr uint16_t ENERGY_STRIDE = 0x3C;

// Greatest magnitude since the last read; reading resets them.
static constexpr uint16_t IPEAK = 0x400;
static constexpr uint16_t VPEAK = 0x401;
static constexpr uint16_t STATUS0 = 0x402;
static constexpr uint16_t STATUS1 = 0x403;
static constexpr uint16_t APERIOD = 0x418;  // B and C follow
static constexpr uint16_t VLEVEL = 0x40F;
static constexpr uint16_t ACT_NL_LVL = 0x41C;
static constexpr uint16_t REACT_NL_LVL = 0x41D;
static constexpr uint16_t APP_NL_LVL = 0x41E;
static constexpr uint16_t PART_ID = 0x472;
static constexpr uint16_t TEMP_TRIM = 0x474;
static constexpr uint16_t RUN = 0x480;
static constexpr uint16_t CONFIG1 = 0x481;
static constexpr uint16_t ANGL_VA_VB = 0x482;  // VB_VC and VA_VC follow
static constexpr uint16_t ANGL_VA_IA = 0x485;  // B and C follow
static constexpr uint16_t ACCMODE = 0x492;
static constexpr uint16_t CONFIG3 = 0x493;
static constexpr uint16_t ZX_LP_SEL = 0x49A;
static constexpr uint16_t CRC_RSLT = 0x4A8;
// Header of the latest read or write; not changed by its own reading (TRM p. 35).
static constexpr uint16_t LAST_CMD = 0x4AE;
static constexpr uint16_t EP_CFG = 0x4B0;
static constexpr uint16_t EGY_TIME = 0x4B2;
static constexpr uint16_t CRC_FORCE = 0x4B4;
static constexpr uint16_t CRC_OPTEN = 0x4B5;
static constexpr uint16_t TEMP_CFG = 0x4B6;
static constexpr uint16_t TEMP_RSLT = 0x4B7;
static constexpr uint16_t PGA_GAIN = 0x4B9;
static constexpr uint16_t CHNL_DIS = 0x4BA;
static constexpr uint16_t VERSION = 0x4FE;

// PART_ID, bit 20: set on an ADE9000. VERSION: fixed bits of the product.
static constexpr uint32_t PART_ID_ADE9000 = 1UL << 20;
static constexpr uint16_t VERSION_MASK = 0xFFC0;
static constexpr uint16_t VERSION_ADE9000 = 0x00C0;

static constexpr uint32_t CONFIG0_INTEN = 1UL << 5;
static constexpr uint32_t CONFIG0_RMS_SRC_SEL = 1UL << 7;
// ZX_LP_SEL: LP_SEL (4:3) and ZX_SEL (2:1), both 0 = phase A.
static constexpr uint16_t ZX_LP_SEL_A = 0;

// CHNL_DIS: the current input of phase A is off (bit 0), its voltage input; B and C follow.
static constexpr int CHNL_DIS_VA_BIT = 4;

static constexpr uint32_t STATUS0_TEMP_RDY = 1UL << 25;
static constexpr uint32_t STATUS1_RSTDONE = 1UL << 16;
static constexpr uint32_t STATUS1_CRC_DONE = 1UL << 27;
/// ERROR0, ERROR1 and ERROR3: the chip asks for a reset (data sheet, "STATUS1"); ERROR2 was corrected by the chip.
static constexpr uint32_t STATUS1_FATAL = 1UL << 28 | 1UL << 29 | 1UL << 31;
static constexpr uint16_t CONFIG1_SWRST = 1U << 0;
static constexpr uint16_t ACCMODE_SELFREQ_60HZ = 1U << 8;
// EP_CFG: accumulate, add windows to the register, never reset on read (the errata advise against RD_RST_EN).
static constexpr uint16_t EP_CFG_EGY_PWR_EN = 1U << 0;
static constexpr uint16_t RUN_START = 1;
// CONFIG3: PEAKSEL (4:2) all three phases; OC_EN (15:12) as after a reset.
static constexpr uint16_t CONFIG3_PEAKSEL_ALL = 7U << 2;
static constexpr uint16_t CONFIG3_RESET = 0xF000;
static constexpr uint16_t CRC_FORCE_NOW = 1;
// TEMP_CFG: TEMP_EN and TEMP_START.
static constexpr uint16_t TEMP_CFG_CONVERT = 0x0C;
/// IPEAK and VPEAK hold a signed value (data sheet p. 59) below the bits that name the phases.
static constexpr int PEAK_BITS = 24;

// Table "Full-scale codes" (gain 1, +-1 V peak at the pin).
static constexpr double FULL_SCALE_RMS = 52702092.0;
static constexpr double FULL_SCALE_POWER = 20694066.0;
/// A step of the no-load levels ACT_NL_LVL, REACT_NL_LVL and APP_NL_LVL is this part of a power code (TRM "No-Load
/// Detection").
static constexpr double NO_LOAD_STEPS = 64.0;
/// Of the samples behind the phase compensation (xPCF), at 1 V peak.
static constexpr double FULL_SCALE_PCF = 74532013.0;
/// IPEAK and VPEAK hold xPCF over 2^5 (Register Map, IPEAK).
static constexpr double PEAK_DIVISOR = 32.0;
/// An angle register counts the 1,024,000th parts of a second, whatever the frequency (TRM "Angle Measurement").
static constexpr double ANGLE_CLOCK = 1024000.0;
/// rms volts at the pin that give FULL_SCALE_RMS: 1 V peak of a sine.
static constexpr double FULL_SCALE_PIN_RMS = 0.70710678118654752;
/// Samples a second of the DSP, which is also the rate of energy accumulation.
static constexpr double SAMPLE_RATE = 8000.0;
/// VLEVEL is this times the headroom (full scale over nominal voltage); TRM "VLEVEL".
static constexpr double VLEVEL_UNIT = 1144084.0;
/// THD registers are signed 5.27 fixed point.
static constexpr double FIXED_5_27 = 134217728.0;

}  // namespace esphome::ade9000::reg

#pragma once

#include <cstdint>

namespace esphome::ade9000_simulator {

/// Register addresses of the ADE9000 that the simulated chip acts on (data sheet Rev B, register summary). All other
/// registers live in the table of register_file.cpp.
namespace address {

// Phase A; B is PHASE_STRIDE further, C twice that.
constexpr uint16_t PHASE_STRIDE = 0x020;
constexpr uint16_t IGAIN = 0x000;
constexpr uint16_t PHCAL0 = 0x006;
constexpr uint16_t VGAIN = 0x00B;
constexpr uint16_t IRMSOS = 0x00C;
constexpr uint16_t VRMSOS = 0x00D;
constexpr uint16_t PGAIN = 0x00E;
constexpr uint16_t WATTOS = 0x00F;
constexpr uint16_t VAROS = 0x010;
constexpr uint16_t FWATTOS = 0x011;
constexpr uint16_t FVAROS = 0x012;
constexpr uint16_t IFRMSOS = 0x013;
constexpr uint16_t VFRMSOS = 0x014;
constexpr uint16_t VRMSONEOS = 0x015;
constexpr uint16_t IRMSONEOS = 0x016;
constexpr uint16_t VRMS1012OS = 0x017;
constexpr uint16_t IRMS1012OS = 0x018;

// Common settings.
constexpr uint16_t CONFIG0 = 0x060;
constexpr uint16_t NIRMSOS = 0x06B;
constexpr uint16_t ISUMRMSOS = 0x06C;
constexpr uint16_t NIGAIN = 0x06D;
constexpr uint16_t NPHCAL = 0x06E;
constexpr uint16_t NIRMSONEOS = 0x06F;
constexpr uint16_t NIRMS1012OS = 0x070;

constexpr uint16_t I_PCF = 0x20A;
constexpr uint16_t V_PCF = 0x20B;
constexpr uint16_t IRMS = 0x20C;
constexpr uint16_t VRMS = 0x20D;
constexpr uint16_t IFRMS = 0x20E;
constexpr uint16_t VFRMS = 0x20F;
constexpr uint16_t WATT = 0x210;
constexpr uint16_t VAR = 0x211;
constexpr uint16_t VA = 0x212;
constexpr uint16_t FWATT = 0x213;
constexpr uint16_t FVAR = 0x214;
constexpr uint16_t FVA = 0x215;
constexpr uint16_t PF = 0x216;
constexpr uint16_t VTHD = 0x217;
constexpr uint16_t ITHD = 0x218;
constexpr uint16_t IRMSONE = 0x219;
constexpr uint16_t VRMSONE = 0x21A;
constexpr uint16_t IRMS1012 = 0x21B;
constexpr uint16_t VRMS1012 = 0x21C;

// Neutral and sum.
constexpr uint16_t NI_PCF = 0x265;
constexpr uint16_t NIRMS = 0x266;
constexpr uint16_t NIRMSONE = 0x267;
constexpr uint16_t NIRMS1012 = 0x268;
constexpr uint16_t ISUMRMS = 0x269;
constexpr uint16_t VERSION2 = 0x26A;

// Accumulators of phase A: per quantity a power pair and an energy pair (low, high), 0x0A apart; B and C follow.
constexpr uint16_t POWER_ACCUMULATOR = 0x2E4;
constexpr uint16_t ENERGY_ACCUMULATOR = 0x2E6;
constexpr uint16_t ACCUMULATOR_QUANTITY_STRIDE = 0x00A;
constexpr uint16_t ACCUMULATOR_PHASE_STRIDE = 0x03C;
constexpr uint16_t PWATT_ACC = 0x396;
constexpr uint16_t NWATT_ACC = 0x39A;
constexpr uint16_t PVAR_ACC = 0x39E;
constexpr uint16_t NVAR_ACC = 0x3A2;

constexpr uint16_t IPEAK = 0x400;
constexpr uint16_t VPEAK = 0x401;
constexpr uint16_t STATUS0 = 0x402;
constexpr uint16_t STATUS1 = 0x403;
constexpr uint16_t EVENT_STATUS = 0x404;
constexpr uint16_t MASK0 = 0x405;
constexpr uint16_t MASK1 = 0x406;
constexpr uint16_t EVENT_MASK = 0x407;
constexpr uint16_t OILVL = 0x409;
constexpr uint16_t OIA = 0x40A;  // B, C and the neutral follow
constexpr uint16_t DIP_LVL = 0x410;
constexpr uint16_t DIPA = 0x411;  // B and C follow
constexpr uint16_t SWELL_LVL = 0x414;
constexpr uint16_t SWELLA = 0x415;  // B and C follow
constexpr uint16_t APERIOD = 0x418;
constexpr uint16_t COM_PERIOD = 0x41B;
constexpr uint16_t ACT_NL_LVL = 0x41C;
constexpr uint16_t REACT_NL_LVL = 0x41D;
constexpr uint16_t APP_NL_LVL = 0x41E;
constexpr uint16_t PHNOLOAD = 0x41F;
constexpr uint16_t LAST_DATA_32 = 0x423;

constexpr uint16_t TEMP_TRIM = 0x474;

constexpr uint16_t RUN = 0x480;
constexpr uint16_t CONFIG1 = 0x481;
constexpr uint16_t ANGL_VA_VB = 0x482;
constexpr uint16_t ANGL_VB_VC = 0x483;
constexpr uint16_t ANGL_VA_VC = 0x484;
constexpr uint16_t ANGL_VA_IA = 0x485;
constexpr uint16_t ANGL_IA_IB = 0x488;
constexpr uint16_t ANGL_IB_IC = 0x489;
constexpr uint16_t ANGL_IA_IC = 0x48A;
constexpr uint16_t DIP_CYC = 0x48B;
constexpr uint16_t SWELL_CYC = 0x48C;
constexpr uint16_t OISTATUS = 0x48F;
constexpr uint16_t ACCMODE = 0x492;
constexpr uint16_t CONFIG3 = 0x493;
constexpr uint16_t ZXTOUT = 0x498;
constexpr uint16_t ZXTHRSH = 0x499;
constexpr uint16_t ZX_LP_SEL = 0x49A;
constexpr uint16_t SEQ_CYC = 0x49C;
constexpr uint16_t PHSIGN = 0x49D;
constexpr uint16_t WFB_CFG = 0x4A0;
constexpr uint16_t WFB_PG_IRQEN = 0x4A1;
constexpr uint16_t WFB_TRG_CFG = 0x4A2;
constexpr uint16_t WFB_TRG_STAT = 0x4A3;
constexpr uint16_t CRC_RSLT = 0x4A8;
constexpr uint16_t CRC_SPI = 0x4A9;
constexpr uint16_t LAST_DATA_16 = 0x4AC;
constexpr uint16_t LAST_CMD = 0x4AE;
constexpr uint16_t EP_CFG = 0x4B0;
constexpr uint16_t PWR_TIME = 0x4B1;
constexpr uint16_t EGY_TIME = 0x4B2;
constexpr uint16_t CRC_FORCE = 0x4B4;
constexpr uint16_t CRC_OPTEN = 0x4B5;
constexpr uint16_t TEMP_CFG = 0x4B6;
constexpr uint16_t TEMP_RSLT = 0x4B7;
constexpr uint16_t PGA_GAIN = 0x4B9;
constexpr uint16_t CHNL_DIS = 0x4BA;
constexpr uint16_t WR_LOCK = 0x4BF;
constexpr uint16_t VERSION = 0x4FE;

constexpr uint16_t WAVEFORM_BUFFER = 0x800;  // to 0xFFF

}  // namespace address

/// Bits of the registers above.
namespace bits {

constexpr uint32_t CONFIG1_SWRST = 1u << 0;
constexpr uint32_t CONFIG1_BURST_EN = 1u << 11;
constexpr uint32_t EP_CFG_EGY_PWR_EN = 1u << 0;
constexpr uint32_t EP_CFG_EGY_TMR_MODE = 1u << 1;
constexpr uint32_t EP_CFG_EGY_LD_ACCUM = 1u << 4;
constexpr uint32_t EP_CFG_RD_RST_EN = 1u << 5;
constexpr uint32_t ACCMODE_SELFREQ = 1u << 8;
constexpr uint32_t CONFIG1_DIP_SWELL_IRQ_MODE = 1u << 10;
constexpr uint32_t EVENT_DIPA = 1u << 0;    // B and C follow
constexpr uint32_t EVENT_SWELLA = 1u << 3;  // B and C follow
constexpr uint32_t TEMP_CFG_TEMP_EN = 1u << 2;
constexpr uint32_t TEMP_CFG_TEMP_START = 1u << 3;
constexpr uint32_t WFB_CFG_BURST_CHAN = 0xF;
constexpr uint32_t WFB_CFG_CAP_EN = 1u << 4;
constexpr uint32_t WFB_CFG_CAP_SEL = 1u << 5;
constexpr uint32_t WFB_CFG_IN_EN = 1u << 12;
constexpr uint32_t STATUS0_EGYRDY = 1u << 0;
constexpr uint32_t STATUS0_DREADY = 1u << 15;
constexpr uint32_t STATUS0_PAGE_FULL = 1u << 17;
constexpr uint32_t STATUS0_PWRRDY = 1u << 18;
constexpr uint32_t STATUS0_RMSONERDY = 1u << 19;
constexpr uint32_t STATUS0_RMS1012RDY = 1u << 20;
constexpr uint32_t STATUS0_THD_PF_RDY = 1u << 21;
constexpr uint32_t STATUS0_COH_WFB_FULL = 1u << 23;
constexpr uint32_t STATUS0_TEMP_RDY = 1u << 25;
constexpr uint32_t STATUS1_ZXTOVA = 1u << 6;  // B and C follow
constexpr uint32_t STATUS1_ZXVA = 1u << 9;    // B and C follow
constexpr uint32_t STATUS1_ZXCOMB = 1u << 12;
constexpr uint32_t STATUS1_ZXIA = 1u << 13;  // B and C follow
constexpr uint32_t STATUS1_RSTDONE = 1u << 16;
constexpr uint32_t STATUS1_OI = 1u << 17;
constexpr uint32_t STATUS1_SEQERR = 1u << 18;
constexpr uint32_t STATUS1_SWELLA = 1u << 20;  // B and C follow
constexpr uint32_t STATUS1_DIPA = 1u << 23;    // B and C follow
constexpr uint32_t STATUS1_CRC_CHG = 1u << 26;
constexpr uint32_t STATUS1_CRC_DONE = 1u << 27;

}  // namespace bits

/// Rate of the chip's signal processor, samples per second (8 ksps; 4 ksps is the ADE9078).
constexpr double SAMPLE_RATE = 8000.0;

}  // namespace esphome::ade9000_simulator

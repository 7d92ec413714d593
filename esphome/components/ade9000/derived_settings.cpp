#include "derived_settings.h"

#include "ade9000_registers.h"

namespace esphome::ade9000 {

namespace {

constexpr uint32_t CHNL_DIS_VC = 1UL << (reg::CHNL_DIS_VA_BIT + 2);
/// All but WFB_CFG (bit 13): each capture of a waveform changes it, and reads it back.
constexpr uint32_t CRC_OPTEN_FIXED = 0xFFFF & ~(1UL << 13);

/// Recommended for the half-cycle rms (data sheet p. 38). The samples are those before the integrator: a Rogowski coil
/// needs the other source.
void select_rms_source(ChipSettings &settings) {
  const uint32_t config = settings.get(reg::CONFIG0);
  if ((config & reg::CONFIG0_INTEN) == 0)
    settings.set(reg::CONFIG0, config | reg::CONFIG0_RMS_SRC_SEL);
}

/// After a reset the period is that of (VA + VB - VC) / 2 (data sheet p. 37), which serves as long as one of three
/// phases is there. The two voltages of a split phase cancel out in it: where there is no third, L1 gives the period.
void select_line_period(ChipSettings &settings) {
  if ((settings.get(reg::CHNL_DIS) & CHNL_DIS_VC) != 0)
    settings.set(reg::ZX_LP_SEL, reg::ZX_LP_SEL_A);
}

}  // namespace

void add_derived_settings(ChipSettings &settings) {
  select_rms_source(settings);
  select_line_period(settings);
  settings.set(reg::CRC_OPTEN, CRC_OPTEN_FIXED);
}

}  // namespace esphome::ade9000

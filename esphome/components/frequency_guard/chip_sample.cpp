#include "chip_sample.h"

#ifdef FREQUENCY_GUARD_HAS_CHIP

namespace esphome::frequency_guard {

namespace {

/// Register Map: one-cycle rms voltage of phase A; that of the next phase is PHASE_STRIDE further.
constexpr uint16_t AVRMSONE = 0x21A;
constexpr uint16_t PHASE_STRIDE = 0x20;

}  // namespace

bool read_chip_sample(ade9000::Ade9000Bus &bus, const ade9000::Scaling &scaling, const ade9000::PhaseSet &inputs,
                      GridSample &sample) {
  for (size_t i = 0; i < PHASES; i++) {
    uint32_t voltage, period;
    if (!bus.read_confirmed(AVRMSONE + static_cast<uint16_t>(i * PHASE_STRIDE), voltage))
      return false;
    sample.phases[i] = {scaling.volts(voltage), ade9000::NO_VALUE};
    if (!inputs[i])
      continue;
    if (!bus.read_confirmed(ade9000::reg::APERIOD + static_cast<uint16_t>(i), period))
      return false;
    sample.phases[i].frequency = ade9000::Scaling::hertz(period);
  }
  return true;
}

}  // namespace esphome::frequency_guard

#endif

#include "peak_detector.h"

#include "chip_addresses.h"
#include "front_end.h"

#include <cmath>
#include <numbers>

namespace esphome::ade9000_simulator {

using mains_signal::Spectrum;

namespace {

constexpr uint32_t VALUE_MASK = 0x00FFFFFF;

/// Of the signed value below the bits of the phases.
uint32_t magnitude(uint32_t value) {
  constexpr uint32_t SIGN = 1u << 23;
  return (value & SIGN) != 0 ? SIGN + SIGN - (value & VALUE_MASK) : value & VALUE_MASK;
}

}  // namespace

void PeakDetector::raise_(RegisterFile &registers, uint16_t address, int phase, bool positive, const Spectrum &wave) {
  const double code = wave.peak() / std::numbers::sqrt2 * PCF_FULL_SCALE_CODE;
  const auto value = static_cast<uint32_t>(std::lround(code)) >> 5;
  const uint32_t held = registers.read(address);
  const uint32_t bit = 1u << (24 + phase);
  if (value > magnitude(held)) {
    registers.store(address, bit | ((positive ? value : -value) & VALUE_MASK));
  } else if (value == magnitude(held)) {
    registers.store(address, held | bit);
  }
}

void PeakDetector::on_half_cycle(RegisterFile &registers, int phase, bool positive, const Spectrum &voltage,
                                 const Spectrum &current) {
  if (!registers.any(address::CONFIG3, 1u << (2 + phase)))
    return;
  raise_(registers, address::VPEAK, phase, positive, voltage);
  raise_(registers, address::IPEAK, phase, positive, current);
}

void PeakDetector::on_register_read(RegisterFile &registers, uint16_t address) {
  if (address == address::IPEAK || address == address::VPEAK)
    registers.store(address, 0);
}

}  // namespace esphome::ade9000_simulator

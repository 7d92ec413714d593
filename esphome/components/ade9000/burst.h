#pragma once

#include "ade9000_bus.h"
#include "ade9000_registers.h"
#include "snapshot.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace esphome::ade9000 {

/// The codes of one burst of the mirror "by function".
class Burst {
 public:
  static constexpr size_t WORDS = reg::BURST_LAST - reg::BURST_FIRST + 1;

  uint32_t at(uint16_t address, size_t phase = 0) const { return this->words_[address - reg::BURST_FIRST + phase]; }
  int32_t signed_at(uint16_t address, size_t phase = 0) const { return static_cast<int32_t>(this->at(address, phase)); }
  uint32_t *data() { return this->words_.data(); }
  uint32_t &word(size_t index) { return this->words_[index]; }
  uint32_t word(size_t index) const { return this->words_[index]; }

 protected:
  std::array<uint32_t, WORDS> words_{};
};

/** Reads registers in bursts so that no damaged frame gets through.
 *
 * The chip appends no CRC to a burst, so every burst is read twice. The two are 0.4 ms apart at 5 MHz and the results
 * behind them pass filters of some 100 ms, so what differs was damaged, or is noise, or is one of the few results that
 * change at once (half-cycle rms every 10 ms). Then a third is read and each word is the median of its three: one burst
 * that was damaged is outvoted, whichever bit it was, and no honest change is ever mistaken for damage. What is left is
 * damage to two bursts at once, where at least two of the three must be near each other.
 *
 * Preferred to checking S = V * I and the like alone, which leaves active and reactive power to bounds; and to
 * comparing with the mean power of the CRC-checked energy, which differs honestly at every step of the load.
 *
 * @param last address of the last register wanted, from BURST_FIRST.
 * @param configuration value of CONFIG1 outside of the burst.
 * @return false if nothing may be taken from it; the frame is counted as rejected.
 */
bool read_burst(Ade9000Bus &bus, uint16_t last, uint16_t configuration, Burst &burst);

}  // namespace esphome::ade9000

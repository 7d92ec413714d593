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
  /// Whether the results were on their way to new values: words of one moment need not fit each other then.
  bool is_settling() const { return this->settling_; }
  void set_settling(bool settling) { this->settling_ = settling; }

 protected:
  std::array<uint32_t, WORDS> words_{};
  bool settling_{false};
};

/** Reads registers in bursts so that no damaged frame gets through.
 *
 * The chip appends no CRC to a burst, so every burst is read twice. The two are 0.4 ms apart at 5 MHz. What differs was
 * damaged, or ripples (up to 1 % of a reading is allowed for), or is one of the few results that change at once
 * (half-cycle rms every 10 ms), or settles after a step of the load. Then a third is read and each word is the median
 * of its three: one burst that was damaged is outvoted, whichever bit it was, and no honest change is ever mistaken for
 * damage. What is left is damage to two bursts at once, where at least two of the three must be near each other, or
 * several words must move the same way through all three and no faster than the chip's filters let them: results settle
 * to 99 % in 0.43 s (TRM, table 11), so in 0.4 ms a power moves by 0.5 % of full scale at most, and so does the square
 * of an rms value.
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

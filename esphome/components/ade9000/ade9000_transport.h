#pragma once

#include <cstddef>
#include <cstdint>

namespace esphome::ade9000 {

/// The wire to the chip: SPI on a microcontroller, a simulated chip on the host.
class Ade9000Transport {
 public:
  virtual ~Ade9000Transport() = default;

  /** Exchanges one chip-select frame, full duplex.
   *
   * @param data bytes to clock out; replaced by the bytes the chip shifted out meanwhile (the first two, clocked while
   *             the header goes out, carry nothing).
   * @param length bytes in the frame, header included.
   */
  virtual void transfer(uint8_t *data, size_t length) = 0;
};

}  // namespace esphome::ade9000

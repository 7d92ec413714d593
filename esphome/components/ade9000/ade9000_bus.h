#pragma once

#include "ade9000_transport.h"

#include <cstddef>
#include <cstdint>

namespace esphome::ade9000 {

/** CRC-16-CCITT over `length` bytes: polynomial 0x1021, initial value 0xFFFF, no reflection, no final xor.
 *
 * Technical reference UG-1098, "SPI CRC".
 */
uint16_t crc16(const uint8_t *data, size_t length);

/// Reads and writes registers over a transport, and lets no damaged frame through.
class Ade9000Bus {
 public:
  /// The most words one burst may carry.
  static constexpr size_t MAX_BURST_WORDS = 32;

  void set_transport(Ade9000Transport *transport) { this->transport_ = transport; }

  /** Reads one register and checks the CRC the chip appends.
   *
   * @param value receives the code, zero-extended from 16 bits where the register is that wide; untouched on failure.
   * @return false if the CRC does not match; the frame is counted as rejected.
   */
  bool read(uint16_t address, uint32_t &value);

  /// Writes one register. Writes carry no CRC: see write_checked().
  void write(uint16_t address, uint32_t value);

  /// Writes one register and reads it back. @return false if the chip did not take the value.
  bool write_checked(uint16_t address, uint32_t value);

  /** Reads consecutive registers of a burst region in one frame (CONFIG1.BURST_EN must be set).
   *
   * The chip appends no CRC to a burst; a frame of nothing but ones or zeros is rejected, everything else is for the
   * caller to judge.
   *
   * @param count words to read, 1..MAX_BURST_WORDS.
   */
  bool read_burst(uint16_t address, uint32_t *words, size_t count);

  /// Counts a frame that passed the checks of the wire but can not be true.
  void reject_frame() { this->rejected_frames_++; }
  /// Frames since start that were thrown away.
  uint32_t get_rejected_frames() const { return this->rejected_frames_; }

 protected:
  Ade9000Transport *transport_{nullptr};
  uint32_t rejected_frames_{0};
};

}  // namespace esphome::ade9000

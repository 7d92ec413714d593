#pragma once

#include "ade9000_transport.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace esphome::ade9000 {

/** CRC-16-CCITT over `length` bytes: polynomial 0x1021, initial value 0xFFFF, no reflection, no final xor.
 *
 * Technical reference UG-1098, "SPI CRC".
 */
uint16_t crc16(const uint8_t *data, size_t length);

/// Why a frame was thrown away.
enum class Rejection : uint8_t {
  /// The CRC appended by the chip does not match.
  CRC,
  /// The value passed the checks of the wire, but is physically impossible.
  IMPLAUSIBLE,
  /// All ones or all zeros: nobody drives the line.
  STUCK,
};
static constexpr size_t REJECTIONS = 3;

/// Reads and writes registers over a transport, and lets no damaged frame through.
class Ade9000Bus {
 public:
  /// The most samples read_samples() takes from the waveform buffer: 64 sets of seven channels.
  static constexpr size_t MAX_SAMPLES = 448;

  void set_transport(Ade9000Transport *transport) { this->transport_ = transport; }

  /** Reads a register and checks the CRC appended by the chip.
   *
   * The CRC covers the value alone: a frame whose address was damaged on its way brings the value of another register
   * with a CRC that matches. See read_confirmed().
   *
   * @param value receives the code, zero-extended from 16 bits where the register is that wide; untouched on failure.
   * @param expected value of a register that can be written, sent along: a frame that is damaged into a write then
   * writes what is there already.
   * @return false if the CRC does not match or the line is stuck; the frame is counted as rejected.
   */
  bool read(uint16_t address, uint32_t &value, uint32_t expected = 0);

  /** Reads a register, and asks the chip which one it has read (LAST_CMD), three times at most.
   *
   * @param value untouched on failure.
   * @param expected as for read().
   * @return false if every attempt was damaged.
   */
  bool read_confirmed(uint16_t address, uint32_t &value, uint32_t expected = 0);

  /** Writes a register, and asks the chip which one it has written (LAST_CMD).
   *
   * Writes carry no CRC: what is written may be wrong or missing, see write_checked(). One that reached another
   * register is noted, see take_stray_write().
   */
  void write(uint16_t address, uint32_t value);

  /// Writes a register of a chip that may not answer afterwards.
  void write_blindly(uint16_t address, uint32_t value);

  /// Writes a register and reads the value back, three times at most. @return false if the chip did not take the value.
  bool write_checked(uint16_t address, uint32_t value);

  /// Returns whether a write has reached another register than the one it was for, since the last call.
  bool take_stray_write() { return std::exchange(this->stray_write_, false); }

  /** Reads consecutive 16-bit samples of the waveform buffer in one frame (WFB_CFG chooses the channels).
   *
   * The chip appends no CRC to samples, and nothing is rejected: zeros are what a dead line looks like. Read a register
   * after it to know that the chip was there. A frame of MAX_SAMPLES takes 1.5 ms at 5 MHz.
   *
   * @param address 0x800 + 4 * number of the first set.
   * @param count samples to read, 1..MAX_SAMPLES.
   */
  void read_samples(uint16_t address, int16_t *samples, size_t count);

  /// Counts a rejected frame.
  void reject_frame(Rejection cause = Rejection::IMPLAUSIBLE) { this->rejected_[static_cast<size_t>(cause)]++; }
  /// Count of frames rejected since the start.
  uint32_t get_rejected_frames() const { return this->rejected_[0] + this->rejected_[1] + this->rejected_[2]; }
  /// Count of frames rejected for one cause, since the start.
  uint32_t get_rejected_frames(Rejection cause) const { return this->rejected_[static_cast<size_t>(cause)]; }
  /// Whether the last frame with a CRC was all ones or all zeros.
  bool is_stuck() const { return this->stuck_; }

 protected:
  /// Reads the header of the chip's latest read or write.
  bool read_last_command_(uint16_t &header);

  Ade9000Transport *transport_{nullptr};
  std::array<uint32_t, REJECTIONS> rejected_{};
  uint16_t last_header_{0};
  bool stray_write_{false};
  bool stuck_{false};
};

}  // namespace esphome::ade9000

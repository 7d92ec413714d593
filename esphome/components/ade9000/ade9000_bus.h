#pragma once

#include "ade9000_transport.h"

#include <array>
#include <cstddef>
#include <cstdint>

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
  /// Largest count of words in one burst.
  static constexpr size_t MAX_BURST_WORDS = 64;
  /// The most samples read_samples() takes from the waveform buffer: 64 sets of seven channels.
  static constexpr size_t MAX_SAMPLES = 448;

  void set_transport(Ade9000Transport *transport) { this->transport_ = transport; }

  /** Reads a register and checks the CRC appended by the chip.
   *
   * @param value receives the code, zero-extended from 16 bits where the register is that wide; untouched on failure.
   * @return false if the CRC does not match or the line is stuck; the frame is counted as rejected.
   */
  bool read(uint16_t address, uint32_t &value);

  /** Reads a register until two consecutive readings agree, four times at most.
   *
   * The CRC covers the value alone: a frame whose address was damaged on its way brings the value of another register
   * with a CRC that matches. Not for a register that changes by being read.
   *
   * @param tolerance by which two readings may differ, in codes.
   * @return false if two of them failed, or no two agreed; `value` is untouched then.
   */
  bool read_confirmed(uint16_t address, uint32_t &value, uint32_t tolerance = 0);

  /// Reads a 16-bit register while CONFIG1.BURST_EN keeps the CRC away: what came is for the caller to judge.
  uint16_t read_without_crc(uint16_t address);

  /// Writes a register. Writes carry no CRC: see write_checked().
  void write(uint16_t address, uint32_t value);

  /// Writes a register and reads the value back, three times at most. @return false if the chip did not take the value.
  bool write_checked(uint16_t address, uint32_t value);

  /** Reads consecutive registers of a burst region in one frame (CONFIG1.BURST_EN must be set).
   *
   * The chip appends no CRC to a burst and nothing is rejected: what came is for the caller to judge.
   *
   * @param count words to read, 1..MAX_BURST_WORDS.
   * @return whether the line moved: it did not where all is ones or zeros, as on a dead line or a dead supply.
   */
  bool read_burst(uint16_t address, uint32_t *words, size_t count);

  /** Reads consecutive 16-bit samples of the waveform buffer in one frame (WFB_CFG chooses the channels).
   *
   * No CRC, as for any burst, and nothing is rejected: zeros are what a dead line looks like. Read a register after it
   * to know that the chip was there. A frame of MAX_SAMPLES takes 1.5 ms at 5 MHz.
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
  Ade9000Transport *transport_{nullptr};
  std::array<uint32_t, REJECTIONS> rejected_{};
  bool stuck_{false};
};

}  // namespace esphome::ade9000

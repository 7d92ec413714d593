#pragma once

#include "register_file.h"

#include <cstddef>
#include <cstdint>

namespace esphome::ade9000_simulator {

/// Receives the accesses on the SPI port, after they happened.
class SpiListener {
 public:
  virtual ~SpiListener() = default;
  virtual void on_register_written(uint16_t address, uint32_t value) = 0;
  virtual void on_register_read(uint16_t address) = 0;
  /// Handles the progress of a burst: so many bytes have been shifted out, and the next register is read now.
  virtual void on_burst_progress(size_t bytes) = 0;
  /// Fills in the data of a read of the waveform buffer from `address` on.
  virtual void on_waveform_read(uint16_t address, uint8_t *data, size_t length) = 0;
};

/// Turns a chip-select frame into register reads and writes (UG-1098, Accessing On-Chip Data).
///
/// Assumptions, where the manual is silent: clocks after the CRC, after the data of a read without CRC, and past the
/// end of a burst region shift out zeros; bytes after a complete write are ignored.
class SpiPort {
 public:
  SpiPort(RegisterFile &registers, SpiListener &listener) : registers_(registers), listener_(listener) {}

  /// Replaces the bytes that were clocked in by the bytes that the chip shifts out.
  void exchange(uint8_t *data, size_t length);

 protected:
  void read_(uint16_t header, uint8_t *data, size_t length);
  void read_burst_(uint16_t address, uint8_t *data, size_t length);
  void write_(uint16_t header, const uint8_t *data, size_t length);
  void remember_(uint16_t header, uint32_t value);

  RegisterFile &registers_;
  SpiListener &listener_;
};

}  // namespace esphome::ade9000_simulator

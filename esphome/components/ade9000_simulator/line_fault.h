#pragma once

#include <cstdint>

namespace esphome::ade9000_simulator {

/// Faults of a frame between master and chip.
enum class LineFault : uint8_t {
  NONE,
  /// The chip is never selected: it sees nothing, and the pull-up shows ones.
  LOST,
  /// Chip select rises early: the chip sees the first bytes, and ones come back for the others.
  SHORTENED,
  /// Chip select bounces: the chip gets the frame twice, the master sees the second reply.
  DOUBLED,
  /// A bit on the way to the chip is inverted, of the header too.
  GARBLED_COMMAND,
  /// A bit on the way to the master is inverted.
  GARBLED_REPLY,
};
static constexpr int LINE_FAULTS = 6;

}  // namespace esphome::ade9000_simulator

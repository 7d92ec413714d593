#pragma once

#include <cstdint>

namespace esphome::ade9000_simulator {

/// What can happen to one frame between master and chip.
enum class LineFault : uint8_t {
  NONE,
  /// The chip is never selected: it sees nothing, and the pull-up shows ones.
  LOST,
  /// Chip select rises early: the chip sees the first bytes, ones come back for the rest.
  SHORTENED,
  /// Chip select bounces: the chip gets the frame twice, the master sees the second reply.
  DOUBLED,
  /// A bit of what the chip gets is inverted, the header's included.
  GARBLED_COMMAND,
  /// A bit of what the master gets is inverted.
  GARBLED_REPLY,
};
static constexpr int LINE_FAULTS = 6;

}  // namespace esphome::ade9000_simulator

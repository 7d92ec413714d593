#pragma once

#include "ade9000_bus.h"
#include "range_monitor.h"
#include "scaling.h"

namespace esphome::ade9000 {

/// Another component that uses the hub's chip, on the hub's bus and in the same main loop.
class Ade9000Companion {
 public:
  virtual ~Ade9000Companion() = default;

  /** Called when the chip has its settings, at the start or after a reset: the companion adds its own settings, and may
   * use the bus from now on.
   *
   * @return false if the chip did not take a setting: the hub sets it up again.
   */
  virtual bool on_chip_configured(Ade9000Bus &bus, const Scaling &scaling) = 0;
  /// Called when the chip is about to be reset or has lost its settings: the bus is not to be used until
  /// on_chip_configured().
  virtual void on_chip_lost() = 0;
  /// Called after each update that measured, with what is beyond the chip's range.
  virtual void on_range(const RangeMonitor & /*range*/) {}
};

}  // namespace esphome::ade9000

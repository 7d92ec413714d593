#pragma once

#include "firmware_tests/cpp/support/chip_bench.h"

#include "esphome/components/ade9000/ade9000_bus.h"
#include "esphome/components/ade9000/scaling.h"

#include <functional>

namespace esphome::ade9000 {

/// The driver's wire to a chip on the bench. A test may lay hands on what goes and what comes back.
class BenchWire : public Ade9000Transport {
 public:
  static constexpr double FRAME_OVERHEAD = 20e-6;
  static constexpr double SPI_CLOCK = 5e6;

  explicit BenchWire(ade9000_simulator::Bench &bench) : bench_(bench) {}
  void transfer(uint8_t *data, size_t length) override {
    if (this->before)
      this->before(length);
    this->bench_.wait(FRAME_OVERHEAD + length * 8 / SPI_CLOCK);
    if (this->garble)
      this->garble(data, length);
    this->bench_.chip.transfer(data, length, this->bench_.now);
    this->frames++;
    this->bytes += length;
    if (this->disturb)
      this->disturb(data, length);
  }
  /// Seconds that the frames so far have kept the wire.
  double seconds() const { return this->frames * FRAME_OVERHEAD + this->bytes * 8 / SPI_CLOCK; }

  size_t frames{0};
  size_t bytes{0};
  /// Called before each frame, with its length.
  std::function<void(size_t)> before;
  /// Gets each frame as the chip will, header included.
  std::function<void(uint8_t *, size_t)> garble;
  /// Gets each reply with its length, header included.
  std::function<void(uint8_t *, size_t)> disturb;

 protected:
  ade9000_simulator::Bench &bench_;
};

/// The bench's front end as the driver is told of it.
static constexpr Scaling BENCH_SCALING{1000.0, 0.01};

}  // namespace esphome::ade9000

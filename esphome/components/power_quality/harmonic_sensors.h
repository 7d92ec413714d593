#pragma once

#include "fft.h"
#include "esphome/components/ade9000/scaling.h"
#include "waveform_capture.h"
#include "esphome/components/sensor/sensor.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace esphome::power_quality {

/** Sensors of single harmonics, and the analysis that feeds them, one channel in each step.
 *
 * A step transforms 512 samples: some 25,000 multiplications and additions, 0.3 ms on an ESP32 at 240 MHz, which has a
 * floating-point unit. Without a sensor nothing is allocated.
 */
class HarmonicSensors {
 public:
  /// @param order 2..HIGHEST_HARMONIC; before setup().
  void add(WaveformChannel channel, uint8_t order, sensor::Sensor *sensor) {
    this->entries_.push_back({channel, order, sensor});
  }
  void setup();
  bool empty() const { return this->entries_.empty(); }
  size_t size() const { return this->entries_.size(); }

  /// Begins with the first channel. @param nominal_voltage V.
  void start(const ade9000::Scaling &scaling, double nominal_voltage);
  bool is_busy() const { return this->next_ < WAVEFORM_CHANNELS; }
  /// Analyses the next channel that has sensors, of a capture that is READY, and publishes them.
  void step(const WaveformCapture &capture);
  /// The chip is gone: nothing is known.
  void give_up();

 protected:
  struct Entry {
    WaveformChannel channel;
    uint8_t order;
    sensor::Sensor *sensor;
  };

  std::vector<Entry> entries_;
  std::unique_ptr<Fft> fft_;
  /// Codes of a fundamental, rms.
  float minimum_voltage_{0};
  float minimum_current_{0};
  size_t next_{WAVEFORM_CHANNELS};
};

}  // namespace esphome::power_quality

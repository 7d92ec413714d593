#pragma once

#include "frequency_check.h"

#include "esphome/core/defines.h"

#ifdef USE_ADE9000
#include "esphome/components/ade9000/ade9000.h"
#endif
#include "esphome/components/sensor/sensor.h"

#include <array>
#include <cstdint>

namespace esphome::frequency_guard {

/// Where the guard's samples come from.
class GridInput {
 public:
  virtual ~GridInput() = default;
  virtual void setup() = 0;
  /// Reads the next sample. @return false if there is no new sample.
  virtual bool read(GridSample &sample, int64_t now_ms) = 0;
};

/// Any frequency and voltage sensors; a sample is taken when a frequency is published.
///
/// A phase whose frequency falls silent has no measurement any more: both sensors then show unknown instead of the last
/// value for ever.
class SensorInput : public GridInput {
 public:
  /// @param frequency nullptr where the phase has none of its own. @param voltage nullptr where it is not measured.
  void add_phase(sensor::Sensor *frequency, sensor::Sensor *voltage);
  /// Sets after how many ms without a frequency a phase is silent.
  void set_silence(uint32_t silence_ms) { this->silence_ms_ = silence_ms; }
  void setup() override;
  bool read(GridSample &sample, int64_t now_ms) override;

 protected:
  /// A sensor, and when it was last published, ms.
  struct Source {
    sensor::Sensor *sensor{nullptr};
    int64_t published_ms{0};
    /// Whether the sensor was published since the last look.
    bool fresh{false};
  };
  struct Phase {
    Source frequency;
    Source voltage;
  };

  void listen_(Source &source);
  bool is_silent_(const Source &source, int64_t now_ms) const;
  /// Lets a sensor show unknown, unless it does already or goes on being published.
  void forget_(Source &source, int64_t now_ms);

  std::array<Phase, PHASES> phases_{};
  size_t count_{0};
  int64_t silence_ms_{1000};
  /// Publishing unknown itself.
  bool forgetting_{false};
};

#ifdef USE_ADE9000
/// The chip's period of each phase, read once a line cycle.
class ChipInput : public GridInput {
 public:
  explicit ChipInput(ade9000::Ade9000 *hub) : hub_(hub) {}
  void setup() override {}
  bool read(GridSample &sample, int64_t now_ms) override;

 protected:
  ade9000::Ade9000 *hub_;
  int64_t next_ms_{0};
};
#endif

}  // namespace esphome::frequency_guard

#pragma once

#include "energy_registers.h"
#include "measurement.h"
#include "snapshot.h"

#include "esphome/components/sensor/sensor.h"
#include "esphome/core/defines.h"
#ifdef USE_TEXT_SENSOR
#include "esphome/components/text_sensor/text_sensor.h"
#endif

#include <array>
#include <cstdint>
#include <string>

namespace esphome::ade9000 {

/// Diagnostic counters of the meter, since its start.
enum class Diagnostic : uint8_t {
  REJECTED_FRAMES,
  REJECTED_FRAMES_CRC,
  REJECTED_FRAMES_IMPLAUSIBLE,
  REJECTED_FRAMES_STUCK,
  CHIP_RESETS,
  CONFIGURATION_ERRORS,
  UNCOUNTED_SECONDS,
};
static constexpr size_t DIAGNOSTICS = 7;
using DiagnosticCounts = std::array<uint32_t, DIAGNOSTICS>;

/// Totals that are also published as whole numbers.
enum class ExactEnergy : uint8_t { IMPORT_ENERGY, EXPORT_ENERGY };
static constexpr size_t EXACT_ENERGIES = 2;

/// Publishes the sensors: powers and frequencies at every update, all other quantities once a second.
class Publisher {
 public:
  void set_sensor(Channel channel, Quantity quantity, sensor::Sensor *sensor) {
    this->sensors_[static_cast<size_t>(channel)][static_cast<size_t>(quantity)] = sensor;
  }
  void set_diagnostic_sensor(Diagnostic diagnostic, sensor::Sensor *sensor) {
    this->diagnostics_[static_cast<size_t>(diagnostic)] = sensor;
  }
#ifdef USE_TEXT_SENSOR
  void set_exact_energy_sensor(Channel channel, ExactEnergy energy, text_sensor::TextSensor *sensor) {
    this->exact_[static_cast<size_t>(channel)][static_cast<size_t>(energy)] = sensor;
  }
  void set_over_range_sensor(text_sensor::TextSensor *sensor) { this->over_range_ = sensor; }
#endif

  /// Returns the quantities that have a sensor and are published now.
  WantedQuantities wanted(bool slow) const;
  /// Whether anything of a quantity has a sensor.
  bool has(Quantity quantity) const;

  /// @param slow whether it is the turn of what is told once a second.
  void publish(const Snapshot &snapshot, bool slow);
  void publish_diagnostics(const DiagnosticCounts &counts);
  /// Totals in milliwatt-hours, which a 32-bit float could not hold.
  void publish_exact(const ActiveEnergy &energy);
  /// @param text of describe_range()
  void publish_over_range(const std::string &text);

 protected:
  std::array<std::array<sensor::Sensor *, QUANTITIES>, CHANNELS> sensors_{};
  std::array<sensor::Sensor *, DIAGNOSTICS> diagnostics_{};
#ifdef USE_TEXT_SENSOR
  std::array<std::array<text_sensor::TextSensor *, EXACT_ENERGIES>, CHANNELS> exact_{};
  text_sensor::TextSensor *over_range_{nullptr};
#endif
};

}  // namespace esphome::ade9000

#pragma once

#include "ade9000_bus.h"
#include "energy.h"
#include "scaling.h"
#include "snapshot.h"

#include "esphome/components/sensor/sensor.h"
#include "esphome/core/component.h"
#include "esphome/core/preferences.h"

#include <array>

namespace esphome::ade9000 {

/// Three-phase energy meter on an Analog Devices ADE9000.
class Ade9000 : public PollingComponent {
 public:
  void setup() override;
  void update() override;
  void on_shutdown() override;
  void dump_config() override;
  float get_setup_priority() const override { return setup_priority::DATA; }

  void set_transport(Ade9000Transport *transport) { this->bus_.set_transport(transport); }
  void set_scaling(double voltage_divider, double current_sensitivity) {
    this->scaling_ = {voltage_divider, current_sensitivity};
  }
  void set_nominal(float voltage, uint8_t line_frequency) {
    this->nominal_voltage_ = voltage;
    this->line_frequency_ = line_frequency;
  }
  void set_save_interval(uint32_t interval) { this->save_interval_ = interval; }
  void set_sensor(Channel channel, Quantity quantity, sensor::Sensor *sensor) {
    this->sensors_[static_cast<size_t>(channel)][static_cast<size_t>(quantity)] = sensor;
  }
  void set_rejected_frames_sensor(sensor::Sensor *sensor) { this->rejected_frames_sensor_ = sensor; }
  void set_chip_resets_sensor(sensor::Sensor *sensor) { this->chip_resets_sensor_ = sensor; }

 protected:
  enum class State : uint8_t { RESET, RESETTING, RUNNING };
  /// What is kept over a reboot. The layout is a stored format: a change needs a new preference key.
  struct StoredEnergy {
    std::array<int64_t, CHANNELS> import_nwh;
    std::array<int64_t, CHANNELS> export_nwh;
  };

  bool is_ade9000_();
  bool configure_();
  bool measure_(Snapshot &snapshot);
  bool read_phases_(std::array<PhaseValues, PHASES> &phases);
  bool read_energy_codes_(std::array<uint64_t, PHASES> &codes);
  bool read_energy_code_(uint16_t hi_address, uint64_t &code);
  bool count_energy_();
  void handle_chip_reset_();
  void handle_failure_();
  void publish_(const Snapshot &snapshot);
  void publish_channel_quantity_(const Snapshot &snapshot, Channel channel, Quantity quantity);
  void publish_diagnostics_();
  void save_energy_();

  Ade9000Bus bus_;
  Scaling scaling_{};
  float nominal_voltage_{230.0f};
  uint8_t line_frequency_{50};

  State state_{State::RESET};
  uint32_t reset_started_{0};
  uint32_t chip_resets_{0};
  uint8_t failures_{0};

  std::array<uint64_t, PHASES> energy_codes_{};
  std::array<EnergyRegister, CHANNELS> energy_;
  ESPPreferenceObject preference_;
  uint32_t save_interval_{300000};
  uint32_t last_save_{0};
  uint32_t last_slow_publish_{0};

  std::array<std::array<sensor::Sensor *, QUANTITIES>, CHANNELS> sensors_{};
  sensor::Sensor *rejected_frames_sensor_{nullptr};
  sensor::Sensor *chip_resets_sensor_{nullptr};
};

}  // namespace esphome::ade9000

#pragma once

#include "ade9000_bus.h"
#include "ade9000_companion.h"
#include "chip.h"
#include "energy_totals.h"
#include "energy_totals_store.h"
#include "publisher.h"
#include "measurement.h"
#include "range_monitor.h"
#include "scaling.h"
#include "snapshot.h"

#include "esphome/components/sensor/sensor.h"
#include "esphome/core/component.h"
#include "esphome/core/hal.h"
#include "esphome/core/helpers.h"

namespace esphome::ade9000 {

/// Three-phase energy meter on an Analog Devices ADE9000.
class Ade9000 : public PollingComponent, public Chip::ResetLine {
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
  /// Sets the power of a phase, in W, var and VA, below which neither power nor energy is told.
  void set_no_load_power(double power) { this->no_load_power_ = power; }
  /// Sets the number of this meter among the meters of the device, from 0.
  void set_number(uint8_t number) { this->number_ = number; }
  uint8_t get_number() const { return this->number_; }
  /// Sets the interval, ms, of the quantities that are not published at every update.
  void set_publish_interval(uint32_t interval) { this->publish_interval_ = interval; }
  void set_save_interval(uint32_t interval) { this->save_interval_ = interval; }
  /** Adds a register to the chip's configuration, or replaces the driver's value of a register; before setup().
   *
   * It is written after every reset and guarded like the others: wiring (ACCMODE), amplification (PGA_GAIN), gains.
   */
  void set_register(uint16_t address, uint32_t value) { this->chip_.settings().set(address, value); }
  void set_sensor(Channel channel, Quantity quantity, sensor::Sensor *sensor) {
    this->publisher_.set_sensor(channel, quantity, sensor);
  }
  void set_diagnostic_sensor(Diagnostic diagnostic, sensor::Sensor *sensor) {
    this->publisher_.set_diagnostic_sensor(diagnostic, sensor);
  }
#ifdef USE_TEXT_SENSOR
  void set_exact_energy_sensor(Channel channel, ExactEnergy energy, text_sensor::TextSensor *sensor) {
    this->publisher_.set_exact_energy_sensor(channel, energy, sensor);
  }
  void set_over_range_sensor(text_sensor::TextSensor *sensor) { this->publisher_.set_over_range_sensor(sensor); }
#endif

  /// Sets the pin that is connected to the chip's RESET (active low).
  void set_reset_pin(GPIOPin *pin) { this->reset_pin_ = pin; }
  void hold_reset(bool held) override { this->reset_pin_->digital_write(!held); }
  /// Sets another component that uses the chip; one component at most.
  void set_companion(Ade9000Companion *companion) { this->companion_ = companion; }
  /// Accepts the chip's configuration after a companion has written registers: else the change counts as an error of
  /// the chip.
  void accept_configuration() { this->chip_.accept_configuration(); }

  // For those who look at the readings, and correct them.
  /// Adds a callback for measured snapshots; called after the snapshot was published.
  template<typename F> void add_on_snapshot_callback(F &&callback) {
    this->snapshot_callback_.add(std::forward<F>(callback));
  }
  const Scaling &get_scaling() const { return this->scaling_; }
  /// Returns the phases whose frequency the chip measures.
  PhaseSet get_own_voltage_inputs() { return own_voltage_inputs(this->chip_.settings()); }
  /// Returns the active energy counted until the latest update.
  const ActiveEnergy &get_active_energy() const { return this->energy_totals_.active(); }
  /// Whether a voltage or current is beyond the chip's range, so that the readings are too low.
  bool is_over_range() const { return this->range_.is_any_over(); }
  /// Measures and publishes every quantity now, whatever its interval.
  void publish_all() {
    this->last_slow_publish_ = millis() - this->publish_interval_;
    this->update();
  }
  /// The bus, to read registers between two updates; nullptr while the chip can not be read.
  Ade9000Bus *get_running_bus() { return this->chip_.is_running() ? &this->bus_ : nullptr; }
  /** Changes a register of set_register() after setup(): at once where the chip runs, and at each of its starts.
   *
   * @return false if the running chip did not take it; then it is set up anew, with the value.
   */
  bool change_register(uint16_t address, uint32_t value);

 protected:
  void prepare_settings_();
  /// Steps the chip towards its running state. @return whether the chip can be read.
  bool prepare_chip_();
  void on_chip_event_(Chip::Event event);
  /// Lets the companion write its registers; sets the chip up again if the companion fails.
  void configure_companion_();
  void release_companion_();
  bool measure_(bool slow);
  bool count_energy_();
  /// Keeps the greatest peaks until their sensors are published.
  void hold_peaks_(bool slow);
  /// Returns the codes that a counter can have gained at most in a time.
  double greatest_gain_(double seconds) const;
  /// Counts what the chip gained while the microcontroller restarted, once the wall clock tells how long that took.
  void count_gap_();
  /// Gives up the gap of a restart: nobody can say how long it was.
  void forget_gap_();
  void write_energies_(Snapshot &snapshot) const;
  void handle_failure_(bool slow);
  void publish_(const Snapshot &snapshot, bool slow);
  DiagnosticCounts diagnostic_counts_() const;
  void save_energy_();
  /// Detects the loss of the last phase's voltage; true once for each loss.
  bool has_mains_gone_(const Snapshot &snapshot);

  Ade9000Bus bus_;
  Chip chip_{bus_};
  Scaling scaling_{};
  double no_load_power_{0};
  /// millis() at the latest count of energy, and at the first one after the chip was taken over.
  uint32_t last_count_{0};
  uint32_t resumed_at_{0};
  double uncounted_seconds_{0};
  float nominal_voltage_{230.0f};
  uint8_t line_frequency_{50};

  EnergyTotals energy_totals_;
  EnergyTotalsStore totals_store_;
  Publisher publisher_;
  RangeMonitor range_;
  /// V and A, since they were published last.
  double held_voltage_peak_{0};
  double held_current_peak_{0};
  Ade9000Companion *companion_{nullptr};
  GPIOPin *reset_pin_{nullptr};
  LazyCallbackManager<void(const Snapshot &)> snapshot_callback_;
  /// What an update works with: half of an ESP8266's stack, if it were there.
  Measurement measurement_;
  Snapshot snapshot_;

  uint32_t publish_interval_{1000};
  uint32_t save_interval_{300000};
  uint32_t last_save_{0};
  uint32_t last_slow_publish_{0};
  uint32_t chip_resets_{0};
  uint32_t configuration_errors_{0};
  uint8_t failures_{0};
  uint8_t number_{0};
  bool save_soon_{false};
  bool had_mains_{false};
};

}  // namespace esphome::ade9000

#pragma once

#ifdef USE_HOST

#include "esphome/components/ade9000/ade9000_transport.h"
#include "esphome/core/component.h"

#include "esphome/components/mains_signal/disturbed_signal.h"
#include "front_end.h"
#include "esphome/components/mains_signal/playback_clock.h"
#include "simulated_chip.h"
#include "simulator_settings.h"

#include <memory>
#include <string>

namespace esphome::ade9000_simulator {

/// Connects the driver to a simulated ADE9000 instead of a real one. Host only: runs on the machine's clock and may
/// allocate.
class Ade9000Simulator : public Component, public ade9000::Ade9000Transport {
 public:
  // From the configuration, before setup().
  void set_voltage_divider(double divider) { this->front_end_.voltage_divider = divider; }
  void set_current_sensitivity(double sensitivity) { this->front_end_.current_sensitivity = sensitivity; }
  void set_recording(const std::string &path) { this->settings_.recording = path; }
  void add_recording_column(const std::string &series, const std::string &column) {
    this->settings_.options.columns.push_back({series, column});
  }
  void add_recording_scale(const std::string &name, double factor) {
    this->settings_.options.scale.push_back({name, factor});
  }
  void set_initial_speed(double speed) { this->settings_.speed = speed; }
  void set_start(double position) { this->settings_.start = position; }

  void setup() override;
  void loop() override;
  void dump_config() override;
  /// Sets the simulated chip up before the driver.
  float get_setup_priority() const override { return setup_priority::BUS; }
  void transfer(uint8_t *data, size_t length) override;

  // While running, from automations.
  /// Sets the speed of the playback in simulated seconds per second, 0 (hold) to 1000.
  void set_speed(double speed);
  double get_speed() const { return this->clock_.speed(); }
  /// Jumps to a position in the signal, s; the signal in between is not metered.
  void seek(double position);
  /// Returns the position in the signal: seconds since the first sample of the recording, or since the local midnight
  /// of the day the house started.
  double get_position() const;
  /// Skips simulated time, s, with its energy metered; the driver must read before its counters go round.
  void skip(double seconds);
  /// Interrupts the chip's supply for `seconds`; the registers are lost.
  void brown_out(double seconds = 0.0);
  /// Inverts bit `bit` (after the header) of the next `frames` replies.
  void corrupt_next_frames(unsigned frames, size_t bit = 0);
  /// Lets the next frames suffer a fault, by the number of a LineFault; see SimulatedChip::fail_next_frames().
  void fail_next_frames(int fault, int frames, int position);
  /// Holds the line from the chip at one level, or releases the line.
  void set_miso(SimulatedChip::Miso miso);
  /// Inverts bits of a register, as a disturbance of the chip would.
  void upset_register(uint16_t address, uint32_t mask);
  /// Disturbs the mains from now on, for `seconds` of simulated time.
  void disturb(mains_signal::Disturbance disturbance, double seconds);
  /// Puts the transformer on current pins 0..2 onto a line 0..2, with a factor: -1 = the wrong way round, 0 = open.
  void rewire_current(int input, int phase, double gain);
  /// Puts a pair of voltage pins 0..2 onto a line 0..2, with a factor: -1 = the wires swapped, 0 = open.
  void rewire_voltage(int input, int phase, double gain);

 protected:
  /// Returns the time of a monotonic clock, s.
  double real_() const;
  mains_signal::Instant now_() const;
  /// Advances the chip to the present moment.
  mains_signal::Instant advance_();
  void load_model_();
  /// Logs the sentence, prints it to stderr and ends the program with status 2.
  [[noreturn]] void refuse_(const std::string &sentence) const;

  FrontEnd front_end_;
  SimulatorSettings settings_;
  std::string description_;
  std::unique_ptr<mains_signal::DisturbedSignal> model_;
  mains_signal::PlaybackClock clock_;
  /// Skipped time, s.
  double skipped_{0.0};
  /// Time at which the loop began, s.
  mains_signal::Instant loop_now_;
  std::unique_ptr<SimulatedChip> chip_;
};

}  // namespace esphome::ade9000_simulator

#endif  // USE_HOST

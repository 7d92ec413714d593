#pragma once

#include "accumulators.h"
#include "front_end.h"
#include "line_fault.h"
#include "line_monitor.h"
#include "esphome/components/mains_signal/playback_clock.h"
#include "register_file.h"
#include "result_registers.h"
#include "esphome/components/mains_signal/signal_model.h"
#include "settling.h"
#include "spi_port.h"
#include "temperature_sensor.h"
#include "waveform_buffer.h"

#include <cstddef>
#include <cstdint>

namespace esphome::ade9000_simulator {

/// Simulates an ADE9000: measures a signal model instead of the mains, and answers on the SPI port as the chip does.
///
/// Time: energy windows and settling run in simulated time, so that a meter played at 60 times the speed counts 60
/// times the energy; reset, checksum and temperature run in real time, so that the chip can be set up while the signal
/// is held. The line itself (half cycles, waveforms) turns in simulated time, and in real time while that is held. Far
/// above real time it is only looked at in stretches, see LONGEST_STRETCH.
///
/// Not simulated: zero-crossing times, pulse outputs, multipoint gain and the digital integrator; their registers hold
/// what is written, or their reset values.
class SimulatedChip : protected SpiListener {
 public:
  enum class Miso { DRIVEN, STUCK_HIGH, STUCK_LOW };

  /// Makes a chip that gets its supply at `power_on`. The model must outlive the chip.
  SimulatedChip(const mains_signal::SignalModel &model, const FrontEnd &front_end,
                const mains_signal::Instant &power_on);
  SimulatedChip(const SimulatedChip &) = delete;
  SimulatedChip &operator=(const SimulatedChip &) = delete;

  /// Transfers one chip-select frame at a moment: `data` goes in, and the reply takes its place.
  void transfer(uint8_t *data, size_t length, const mains_signal::Instant &now);
  /// Advances the chip to a moment; to be called often, for long stretches are followed less finely.
  void advance(const mains_signal::Instant &now);

  // What can go wrong with a chip.
  /// Interrupts the supply for `seconds` of real time; the chip starts anew, with RSTDONE set.
  void brown_out(const mains_signal::Instant &now, double seconds = 0.0);
  /// Inverts one bit in each of the next replies to a read; `bit` counts from the first bit after the header.
  void corrupt_next_frames(unsigned frames, size_t bit = 0);
  /// Lets the next frames, reads and writes alike, suffer `fault`; `position` is the bit inverted, or the bytes that
  /// arrive of a shortened frame (each modulo the frame's length).
  void fail_next_frames(LineFault fault, unsigned frames = 1, size_t position = 0);
  /// Sets the level that the master sees on MISO, whatever the chip drives.
  void set_miso(Miso miso) { this->miso_ = miso; }
  /// Inverts bits of a register behind the master's back, as a disturbance would.
  void upset_register(uint16_t address, uint32_t mask);
  /// Wires the pins anew, from now on.
  void rewire(const mains_signal::Instant &now, const FrontEnd &front_end);
  const FrontEnd &front_end() const { return this->front_end_; }
  /// Sets the temperature of the chip, degrees Celsius.
  void set_temperature(double temperature) { this->temperature_.set(temperature); }

 protected:
  void on_register_written(uint16_t address, uint32_t value) override;
  void on_register_read(uint16_t address) override;
  void on_burst_progress(size_t bytes) override;
  void on_waveform_read(uint16_t address, uint8_t *data, size_t length) override;

  /// Returns whether the chip has its supply, has left its reset, and has a signal to measure.
  bool answers_(const mains_signal::Instant &now) const;
  void start_reset_(double ready_at);
  void finish_reset_();
  bool running_() const;
  /// Opens the accumulators when RUN and EGY_PWR_EN first come together.
  void start_accumulation_();
  void integrate_(const mains_signal::Instant &now);
  void update_results_(const mains_signal::Instant &now);
  void update_checksum_(double real_now);
  /// Follows the line up to a moment.
  void follow_line_(const mains_signal::Instant &now);
  Waves waves_(const mains_signal::Signal &signal) const;
  ThreePhaseCodes measure_(const Waves &waves) const;
  Readings readings_of_(const Waves &waves) const;
  void restart_settling_();
  /// Settles the filters up to a moment.
  void settle_(const mains_signal::Instant &now);
  void refresh_calibration_();
  void exchange_(uint8_t *data, size_t length, const mains_signal::Instant &now);
  void disturb_(uint8_t *data, size_t length, bool is_read);

  const mains_signal::SignalModel &model_;
  FrontEnd front_end_;
  RegisterFile registers_;
  SpiPort port_{this->registers_, *this};
  Accumulators accumulators_;
  ResultRegisters results_;
  Settling settling_;
  /// Readings to which the filters settle.
  Readings target_;
  /// Real time at which `target_` was computed, s.
  double target_at_{-1.0};
  /// Samples taken since the burst that is shifted out began.
  int burst_samples_{0};
  LineMonitor line_;
  WaveformBuffer waveform_;
  TemperatureSensor temperature_;
  Calibration calibration_;
  /// Last moment the chip has lived through.
  /// Moment at which the result registers were renewed.
  mains_signal::Instant results_at_;
  bool results_known_{false};
  mains_signal::Instant now_;
  /// Real time at which the reset is over; the chip is silent before.
  double ready_at_{0.0};
  bool in_reset_{true};
  bool accumulating_{false};
  /// Chip time that the line has been followed to, s; whole turns of the line till then.
  double line_time_{0.0};
  double line_turns_{0.0};
  /// Time that has passed and is still to be followed, s.
  double line_pending_{0.0};
  /// Elapsed time from which samples accumulate (PWR_SETTLE).
  double settled_at_{0.0};
  /// Real time at which the next configuration checksum is due, and whether one was ever made.
  double checksum_at_{0.0};
  bool checksum_known_{false};
  unsigned corrupt_frames_{0};
  size_t corrupt_bit_{0};
  LineFault fault_{LineFault::NONE};
  unsigned fault_frames_{0};
  size_t fault_position_{0};
  Miso miso_{Miso::DRIVEN};
};

}  // namespace esphome::ade9000_simulator

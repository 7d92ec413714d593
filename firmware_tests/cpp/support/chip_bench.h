#pragma once

#include "esphome/components/ade9000_simulator/simulated_chip.h"

#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <vector>

namespace esphome::ade9000_simulator {

using mains_signal::Harmonic;
using mains_signal::Instant;
using mains_signal::PHASES;
using mains_signal::PhaseSignal;
using mains_signal::Signal;
using mains_signal::SignalModel;

using Bytes = std::vector<uint8_t>;

/// A signal the test writes down as a function of time.
class FunctionSignal : public SignalModel {
 public:
  explicit FunctionSignal(std::function<Signal(double)> function) : function_(std::move(function)) {}
  Signal at(double seconds) const override { return this->function_(seconds); }

 protected:
  std::function<Signal(double)> function_;
};

/// A balanced three-phase load at 50 Hz.
inline Signal balanced(double voltage, double current, double lag_degrees = 0.0) {
  const double lag = lag_degrees * std::numbers::pi / 180.0;
  Signal signal;
  for (PhaseSignal &phase : signal.phases) {
    phase.voltage = voltage;
    phase.fundamental_current = current;
    phase.active_power = voltage * current * std::cos(lag);
    phase.reactive_power = voltage * current * std::sin(lag);
  }
  return signal;
}

/// A chip on a bench: a signal in front, a master at its SPI port, and a hand on the clock.
///
/// Front end with round numbers: full scale (1 V peak at the pin) is 1000 * sqrt(1/2) V and 100 * sqrt(1/2) A, so
/// 50,000 W. Frames and addresses are written out here as the data sheet has them, apart from the simulator's tables.
class Bench {
 public:
  static constexpr double FULL_VOLTAGE = 707.10678118654752;
  static constexpr double FULL_CURRENT = 70.710678118654752;
  static constexpr double FULL_POWER = 50000.0;

  explicit Bench(std::function<Signal(double)> signal) : model(std::move(signal)) {}
  explicit Bench(const Signal &signal) : Bench([signal](double) { return signal; }) {}

  /// Lets real time, simulated time and position run together.
  void wait(double seconds) {
    this->now.real += seconds;
    this->now.elapsed += seconds;
    this->now.position += seconds;
    this->chip.advance(this->now);
  }
  /// Lets only real time run, as at playback speed 0.
  void hold(double seconds) {
    this->now.real += seconds;
    this->chip.advance(this->now);
  }

  Bytes exchange(Bytes frame) {
    this->chip.transfer(frame.data(), frame.size(), this->now);
    return frame;
  }
  Bytes read_frame(uint16_t address, size_t reply_bytes) {
    Bytes frame(2 + reply_bytes, 0);
    frame[0] = static_cast<uint8_t>(address >> 4);
    frame[1] = static_cast<uint8_t>((address & 0xF) << 4 | 0x08);
    Bytes reply = this->exchange(frame);
    return Bytes(reply.begin() + 2, reply.end());
  }
  static uint32_t word(const Bytes &bytes, size_t first = 0, size_t width = 4) {
    uint32_t value = 0;
    for (size_t i = 0; i < width; i++)
      value = value << 8 | bytes.at(first + i);
    return value;
  }
  uint32_t read32(uint16_t address) { return word(this->read_frame(address, 6)); }
  int32_t read_signed(uint16_t address) { return static_cast<int32_t>(this->read32(address)); }
  uint16_t read16(uint16_t address) { return static_cast<uint16_t>(word(this->read_frame(address, 4), 0, 2)); }
  /// `width` bytes of the value, whatever the register's own width is.
  void write(uint16_t address, uint32_t value, size_t width) {
    Bytes frame{static_cast<uint8_t>(address >> 4), static_cast<uint8_t>((address & 0xF) << 4)};
    for (size_t i = 0; i < width; i++)
      frame.push_back(static_cast<uint8_t>(value >> (8 * (width - 1 - i))));
    this->exchange(frame);
  }
  void write32(uint16_t address, uint32_t value) { this->write(address, value, 4); }
  void write16(uint16_t address, uint32_t value) { this->write(address, value, 2); }

  /// A 45-bit accumulator: 32 bits in the high register, 13 in the low one, two's complement.
  int64_t read45(uint16_t low_address) {
    const int64_t high = static_cast<int32_t>(this->read32(low_address + 1));
    return high * 8192 + this->read32(low_address);
  }
  /// Watt-hours of an accumulator's code: samples at 8 ksps, 20,694,066 a sample at full scale.
  static double watt_hours(int64_t code) {
    return static_cast<double>(code) / (8000.0 * 3600.0) * (FULL_POWER / 20694066.0);
  }

  /// Out of reset, measuring, accumulating in windows of 1.024 s without a no-load threshold or settling time.
  void start(uint16_t accumulation_mode = 0, uint16_t energy_time = 8191) {
    this->wait(0.2);
    this->write16(0x481, 3u << 8);  // CONFIG1.PWR_SETTLE = 0 ms
    this->write16(0x492, accumulation_mode);
    this->write16(0x4B2, energy_time);
    this->write16(0x480, 1);                  // RUN
    this->write16(0x4B0, (7u << 13) | 0x01);  // EP_CFG: no-load off, EGY_PWR_EN
  }

  FunctionSignal model;
  Instant now;
  SimulatedChip chip{this->model, FrontEnd{1000.0, 0.01}, this->now};
};

}  // namespace esphome::ade9000_simulator

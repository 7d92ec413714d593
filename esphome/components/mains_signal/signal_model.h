#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>

namespace esphome::mains_signal {

constexpr int PHASES = 3;

/// Nominal phase voltage of a European low-voltage grid, V (IEC 60038).
constexpr double NOMINAL_VOLTAGE = 230.0;
/// Nominal frequency, Hz.
constexpr double NOMINAL_FREQUENCY = 50.0;
/// Highest harmonic a signal can have (EN 50160 and IEC 61000-4-7 go to the 40th).
constexpr int HIGHEST_ORDER = 40;

/// One harmonic, relative to the fundamental of the same voltage or current.
struct Harmonic {
  /// 2..HIGHEST_ORDER.
  int order;
  /// rms of the harmonic per rms of the fundamental, 0 or more.
  double ratio;
  /// Radians of its own period by which the harmonic leads, at the moment the phase's fundamental voltage rises
  /// through zero.
  double angle;
};

/// The harmonics of one voltage or current, each order once at most.
///
/// No heap: signals are made and copied a million times a day of the house.
class Harmonics {
 public:
  Harmonics() {}
  Harmonics(std::initializer_list<Harmonic> harmonics) {
    for (const Harmonic &harmonic : harmonics)
      this->push_back(harmonic);
  }
  Harmonics(const Harmonics &other) { *this = other; }
  Harmonics &operator=(const Harmonics &other) {
    this->count_ = other.count_;
    std::copy(other.begin(), other.end(), this->begin());
    return *this;
  }

  Harmonic *begin() { return this->list_.data(); }
  Harmonic *end() { return this->list_.data() + this->count_; }
  const Harmonic *begin() const { return this->list_.data(); }
  const Harmonic *end() const { return this->list_.data() + this->count_; }
  bool empty() const { return this->count_ == 0; }
  size_t size() const { return this->count_; }
  const Harmonic &operator[](size_t index) const { return this->list_[index]; }
  /// Adds a harmonic; ignored beyond the number of orders.
  void push_back(const Harmonic &harmonic) {
    if (this->count_ < this->list_.size())
      this->list_[this->count_++] = harmonic;
  }

 protected:
  // What lies beyond the count is never looked at.
  std::array<Harmonic, HIGHEST_ORDER - 1> list_;
  size_t count_{0};
};

/// Computes the total distortion: the square root of the sum of the squared ratios.
double total_distortion(const Harmonics &harmonics);

/// Voltage and current of a phase at an instant. Voltage, powers and angle are those of the fundamental.
struct PhaseSignal {
  /// V rms of the fundamental, 0 or more.
  double voltage{0.0};
  /// Fundamental current, A rms, 0 or more.
  double fundamental_current{0.0};
  /// Current of harmonics that are not listed, A rms, 0 or more: spread over the odd orders as a rectifier draws them.
  double distortion_current{0.0};
  /// W of the fundamental, positive on import.
  double active_power{0.0};
  /// var of the fundamental, positive when the current lags the voltage (inductive import).
  double reactive_power{0.0};
  /// Radians by which the voltage leads its place in a healthy three-phase system.
  double voltage_angle{0.0};
  Harmonics voltage_harmonics;
  Harmonics current_harmonics;

  /// Computes the voltage with its harmonics, V rms.
  double rms_voltage() const;
  /// Computes the current with its harmonics, A rms.
  double current() const;
  /// Computes the active power of the fundamental and all harmonics, W.
  double total_active_power() const;
  /// Computes the angle by which the fundamental current lags the voltage, radians in -pi..pi; 0 without current.
  double lag() const;

  /// Makes the phase that carries a power at a voltage.
  ///
  /// A load cannot draw its power from a dead line: below 10 % of the nominal voltage it is taken as a constant
  /// impedance, so power fades with the square of the voltage and the current stays finite.
  static PhaseSignal from_power(double voltage, double active_power, double reactive_power,
                                double distortion_current = 0.0);
};

/// Signal of the grid at an instant.
struct Signal {
  /// Hz.
  double frequency{NOMINAL_FREQUENCY};
  std::array<PhaseSignal, PHASES> phases;
  /// A rms of L1's voltage's phase that flows back past the neutral, through the earth.
  double earth_current{0.0};
  /// Whether there is a measurement; without one the chip does not answer.
  bool measured{true};
};

/// Signal of the grid over time. Pure: the same second always gives the same signal.
class SignalModel {
 public:
  virtual ~SignalModel() = default;
  /// Returns the signal `seconds` after the model's own start; any finite number is allowed.
  virtual Signal at(double seconds) const = 0;
};

}  // namespace esphome::mains_signal

#pragma once

#include "signal_model.h"

#include <array>
#include <complex>

namespace esphome::mains_signal {

class CycleTable;

/// Wave of one channel as rms phasors by order, 1..HIGHEST_ORDER: the wave is
/// sum(sqrt(2) * |phasor| * sin(order * t + arg(phasor))), t being the angle of the line.
class Spectrum {
 public:
  Spectrum() { this->phasors_[1] = 0.0; }
  Spectrum(const Spectrum &other) { *this = other; }
  Spectrum &operator=(const Spectrum &other);

  /// Highest order that may be other than zero.
  int highest() const { return this->highest_; }
  std::complex<double> operator[](int order) const {
    return order <= this->highest_ ? this->phasors_[order] : std::complex<double>();
  }
  void set(int order, std::complex<double> phasor);
  void add(int order, std::complex<double> phasor) { this->set(order, (*this)[order] + phasor); }

  double fundamental() const { return std::abs(this->phasors_[1]); }
  /// Computes the rms of the harmonics, orders 2 and up.
  double distortion() const;
  double rms() const;
  /// Computes the instantaneous value at an angle of the line, radians.
  double sample(double line_angle) const;
  /// Finds the greatest magnitude over a cycle, in steps of 1/128 of a cycle.
  double peak() const;
  /// Delays the wave by an angle of the fundamental, radians, and multiplies the wave by a factor.
  Spectrum delayed(double angle, double factor = 1.0) const;
  Spectrum &operator+=(const Spectrum &other);
  /** Clips the wave beyond a magnitude as a converter does, up to HIGHEST_ORDER.
   *
   * What was cut asymmetrically would have a direct component, which is left out as a high-pass filter does.
   */
  Spectrum clipped(double limit) const;

 protected:
  double sample_(const CycleTable &turn, int point) const;

  // Most waves have few orders and are copied often: what lies above the highest is left alone.
  union {
    std::array<std::complex<double>, HIGHEST_ORDER + 1> phasors_;
  };
  int highest_{1};
};

/// Computes the active power: the mean of voltage times current, W from V and A.
double active_power(const Spectrum &voltage, const Spectrum &current);
/// Computes the reactive power, var, inductive positive: the mean of voltage times current, the current a quarter
/// period of each order earlier.
double reactive_power(const Spectrum &voltage, const Spectrum &current);

/// Makes the wave of the voltage of a signal's phase, V; angle 0 is the place of L1 in a healthy system, the others
/// follow by a third of a turn.
Spectrum voltage_spectrum(const PhaseSignal &phase, int index);
/// Makes the wave of the current of a signal's phase, A.
Spectrum current_spectrum(const PhaseSignal &phase, int index);

}  // namespace esphome::mains_signal

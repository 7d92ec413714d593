#include "spectrum.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace esphome::mains_signal {

namespace {

constexpr double FULL_TURN = 2.0 * std::numbers::pi;

/// A harmonic of the current of a rectifier with a filter capacitor, in shares of its whole distortion.
struct RectifierHarmonic {
  int order;
  double share;
};
/// Limits of IEC 61000-3-2 class D fall about like this; the squares add up to 1. Neighbours alternate in sign, so that
/// the current peaks where the voltage does.
constexpr RectifierHarmonic RECTIFIER[] = {{3, 0.84}, {5, 0.46},  {7, 0.24},
                                           {9, 0.12}, {11, 0.08}, {13, 0.06633249580710799}};

Spectrum make_spectrum(std::complex<double> fundamental, const Harmonics &harmonics, double voltage_angle) {
  Spectrum spectrum;
  spectrum.set(1, fundamental);
  const double size = std::abs(fundamental);
  for (const Harmonic &harmonic : harmonics)
    spectrum.add(harmonic.order, std::polar(size * harmonic.ratio, harmonic.order * voltage_angle + harmonic.angle));
  return spectrum;
}

double angle_of(const PhaseSignal &phase, int index) { return phase.voltage_angle - FULL_TURN * index / PHASES; }

}  // namespace

Spectrum &Spectrum::operator=(const Spectrum &other) {
  this->highest_ = other.highest_;
  std::copy_n(other.phasors_.begin() + 1, other.highest_, this->phasors_.begin() + 1);
  return *this;
}

void Spectrum::set(int order, std::complex<double> phasor) {
  for (; this->highest_ < order; this->highest_++)
    this->phasors_[this->highest_ + 1] = 0.0;
  this->phasors_[order] = phasor;
}

double Spectrum::distortion() const {
  double squares = 0.0;
  for (int order = 2; order <= this->highest_; order++)
    squares += std::norm(this->phasors_[order]);
  return std::sqrt(squares);
}

double Spectrum::rms() const { return std::hypot(this->fundamental(), this->distortion()); }

double Spectrum::sample(double line_angle) const {
  double sum = 0.0;
  for (int order = 1; order <= this->highest_; order++) {
    const auto &phasor = this->phasors_[order];
    if (phasor != 0.0)
      sum += phasor.real() * std::sin(order * line_angle) + phasor.imag() * std::cos(order * line_angle);
  }
  return std::numbers::sqrt2 * sum;
}

double Spectrum::peak() const {
  constexpr int POINTS = 128;
  double peak = 0.0;
  for (int i = 0; i < POINTS; i++)
    peak = std::max(peak, std::abs(this->sample(FULL_TURN * i / POINTS)));
  return peak;
}

Spectrum Spectrum::delayed(double angle, double factor) const {
  Spectrum result = *this;
  for (int order = 1; order <= this->highest_; order++)
    result.phasors_[order] *= angle == 0.0 ? std::complex<double>(factor) : std::polar(1.0, -order * angle) * factor;
  return result;
}

Spectrum &Spectrum::operator+=(const Spectrum &other) {
  for (int order = 1; order <= other.highest_; order++)
    this->add(order, other.phasors_[order]);
  return *this;
}

double active_power(const Spectrum &voltage, const Spectrum &current) {
  double sum = 0.0;
  for (int order = 1; order <= std::min(voltage.highest(), current.highest()); order++)
    sum += (voltage[order] * std::conj(current[order])).real();
  return sum;
}

double reactive_power(const Spectrum &voltage, const Spectrum &current) {
  double sum = 0.0;
  for (int order = 1; order <= std::min(voltage.highest(), current.highest()); order++)
    sum += (voltage[order] * std::conj(current[order])).imag();
  return sum;
}

Spectrum voltage_spectrum(const PhaseSignal &phase, int index) {
  const double angle = angle_of(phase, index);
  return make_spectrum(std::polar(phase.voltage, angle), phase.voltage_harmonics, angle);
}

Spectrum current_spectrum(const PhaseSignal &phase, int index) {
  const double angle = angle_of(phase, index);
  Spectrum spectrum =
      make_spectrum(std::polar(phase.fundamental_current, angle - phase.lag()), phase.current_harmonics, angle);
  if (phase.distortion_current != 0.0) {
    for (const RectifierHarmonic &harmonic : RECTIFIER) {
      const double sign = harmonic.order % 4 == 3 ? -1.0 : 1.0;
      spectrum.add(harmonic.order,
                   std::polar(phase.distortion_current * harmonic.share, harmonic.order * angle) * sign);
    }
  }
  return spectrum;
}

}  // namespace esphome::mains_signal

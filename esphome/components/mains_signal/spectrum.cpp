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

/// Of the limit of a wave, by which sums of its orders may miss it.
constexpr double ROUNDING = 1e-9;

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

/// The sine and cosine of evenly spaced points of a cycle.
class CycleTable {
 public:
  /// Enough that what a cut edge folds back into the orders of a spectrum is below 1e-3 of it.
  static constexpr int POINTS = 256;

  static const CycleTable &get() {
    static const CycleTable TABLE;
    return TABLE;
  }
  double sine(int point) const { return this->sines_[point & (POINTS - 1)]; }
  double cosine(int point) const { return this->sines_[(point + POINTS / 4) & (POINTS - 1)]; }

 protected:
  CycleTable() {
    for (int i = 0; i < POINTS; i++)
      this->sines_[i] = std::sin(FULL_TURN * i / POINTS);
  }

  std::array<double, POINTS> sines_;
};

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

double Spectrum::sample_(const CycleTable &turn, int point) const {
  double sum = 0.0;
  for (int order = 1; order <= this->highest_; order++) {
    const auto &phasor = this->phasors_[order];
    sum += phasor.real() * turn.sine(order * point) + phasor.imag() * turn.cosine(order * point);
  }
  return std::numbers::sqrt2 * sum;
}

double Spectrum::peak() const {
  const CycleTable &turn = CycleTable::get();
  double peak = 0.0;
  for (int i = 0; i < CycleTable::POINTS; i += 2)
    peak = std::max(peak, std::abs(this->sample_(turn, i)));
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

Spectrum Spectrum::clipped(double limit) const {
  double amplitudes = 0.0;
  bool is_symmetrical = true;
  for (int order = 1; order <= this->highest_; order++) {
    amplitudes += std::abs(this->phasors_[order]);
    is_symmetrical = is_symmetrical && (order % 2 == 1 || this->phasors_[order] == 0.0);
  }
  const double threshold = limit * (1.0 + ROUNDING);
  if (std::numbers::sqrt2 * amplitudes <= threshold)
    return *this;
  // Without even orders the second half of a cycle is the first one turned round, and has none afterwards.
  const int points = is_symmetrical ? CycleTable::POINTS / 2 : CycleTable::POINTS;
  const CycleTable &turn = CycleTable::get();
  std::array<double, CycleTable::POINTS> samples;
  bool is_cut = false;
  for (int i = 0; i < points; i++) {
    const double sample = this->sample_(turn, i);
    samples[i] = std::clamp(sample, -limit, limit);
    is_cut = is_cut || std::abs(sample) > threshold;
  }
  if (!is_cut)
    return *this;
  Spectrum result;
  for (int order = 1; order <= HIGHEST_ORDER; order += is_symmetrical ? 2 : 1) {
    double real = 0.0;
    double imaginary = 0.0;
    for (int i = 0; i < points; i++) {
      real += samples[i] * turn.sine(order * i);
      imaginary += samples[i] * turn.cosine(order * i);
    }
    result.set(order, std::complex<double>(real, imaginary) * (std::numbers::sqrt2 / points));
  }
  return result;
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

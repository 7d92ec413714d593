#include "settling.h"

#include <cmath>

namespace esphome::ade9000_simulator {

namespace {

/// 0.43 s / ln(100), s.
constexpr double TIME_CONSTANT = 0.0934;

void settle_power(double &value, double target, double share) { value += (target - value) * share; }

void settle_rms(double &value, double target, double share) {
  // A settled value stays as it is, to the last bit.
  if (value != target)
    value = std::sqrt(value * value + (target * target - value * value) * share);
}

void settle_phase(PhaseCodes &codes, const PhaseCodes &target, double share) {
  codes.voltage_raw = target.voltage_raw;
  codes.current_raw = target.current_raw;
  codes.va_per_rms = target.va_per_rms;
  settle_rms(codes.vrms, target.vrms, share);
  settle_rms(codes.irms, target.irms, share);
  settle_rms(codes.vfrms, target.vfrms, share);
  settle_rms(codes.ifrms, target.ifrms, share);
  settle_power(codes.watt, target.watt, share);
  settle_power(codes.var, target.var, share);
  settle_power(codes.fwatt, target.fwatt, share);
  settle_power(codes.fvar, target.fvar, share);
  codes.va = codes.vrms * codes.irms * codes.va_per_rms;
  codes.fva = codes.vfrms * codes.ifrms * codes.va_per_rms;
}

}  // namespace

void Settling::follow(const Readings &target, double seconds) {
  if (!this->known_) {
    this->readings_ = target;
    this->known_ = true;
    return;
  }
  const double share = seconds >= MEMORY ? 1.0 : 1.0 - std::exp(-seconds / TIME_CONSTANT);
  for (size_t phase = 0; phase < this->readings_.phases.size(); phase++)
    settle_phase(this->readings_.phases[phase], target.phases[phase], share);
  settle_rms(this->readings_.neutral_rms, target.neutral_rms, share);
  settle_rms(this->readings_.sum_rms, target.sum_rms, share);
}

}  // namespace esphome::ade9000_simulator

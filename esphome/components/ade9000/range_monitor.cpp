#include "range_monitor.h"

#include "ade9000_registers.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace esphome::ade9000 {

namespace {

/// Of full scale, from which on a sample has reached it: what is less was not cut, and is measured well.
constexpr double REACHED = 0.999;
/// Share by which the rms of a sine that just fits may differ from that of full scale: beyond, a wave whose crest
/// reaches the range is a cut sine, or a peaked wave that was cut or is about to be.
constexpr double SINE_TOLERANCE = 0.002;
constexpr double GAIN_ONE = 134217728.0;  // 2^27

/// Of full scale: a cut wave rings by up to 18 % behind the chip's filters. What is more, or has bits beyond those of
/// the phases, is the value of another register: an address that was damaged on its way brings one with its CRC.
constexpr double GREATEST_PEAK = 1.3;

uint32_t phases_of_peak(uint32_t code) {
  const uint32_t phases = code >> reg::PEAK_BITS;
  return phases <= 7 ? phases : 0;
}

/// Factor by which calibration multiplies the samples of an input.
double gain_of(const ChipSettings &settings, uint16_t first, size_t phase) {
  const auto address = static_cast<uint16_t>(first + phase * reg::PHASE_STRIDE);
  return 1 + static_cast<int32_t>(settings.get(address)) / GAIN_ONE;
}

bool is_cut(const RangeReading &reading, bool any_reached) {
  if (reading.peak >= REACHED)
    return std::abs(reading.rms / reading.full_scale - 1) > SINE_TOLERANCE;
  // The chip names the phase of the greatest sample alone: of the others the rms must say it.
  return any_reached && reading.rms > (1 + SINE_TOLERANCE) * reading.full_scale;
}

}  // namespace

RangeReadings range_readings(const Measurement &measurement, const Scaling &scaling, const ChipSettings &settings) {
  const struct {
    double PhaseValues::*rms;
    double full_scale;
    uint32_t peak;
    uint16_t gain_of_a;
    /// Bit of phase A in CHNL_DIS.
    int disabled_bit;
  } inputs[RANGE_QUANTITIES] = {
      {&PhaseValues::voltage, scaling.full_scale_voltage(), measurement.device.voltage_peak_code, reg::AVGAIN,
       reg::CHNL_DIS_VA_BIT},
      {&PhaseValues::current, scaling.full_scale_current(), measurement.device.current_peak_code, reg::AIGAIN, 0},
  };
  RangeReadings readings;
  for (size_t quantity = 0; quantity < RANGE_QUANTITIES; quantity++) {
    const auto &input = inputs[quantity];
    for (size_t phase = 0; phase < PHASES; phase++) {
      if (settings.get(reg::CHNL_DIS) >> (input.disabled_bit + phase) & 1)
        continue;
      const double gain = gain_of(settings, input.gain_of_a, phase);
      RangeReading &reading = readings[quantity][phase];
      reading.rms = measurement.phases[phase].*input.rms;
      reading.full_scale = input.full_scale * gain;
      const double peak = Scaling::peak_at_pin(input.peak) / gain;
      if ((phases_of_peak(input.peak) >> phase & 1) != 0 && peak <= GREATEST_PEAK)
        reading.peak = peak;
    }
  }
  return readings;
}

void RangeMonitor::restart(uint32_t now_ms) {
  this->started_at_ = now_ms;
  this->settling_ = true;
}

void RangeMonitor::add(const RangeReadings &readings, uint32_t now_ms) {
  this->settling_ = this->settling_ && now_ms - this->started_at_ < SETTLING;
  for (size_t quantity = 0; quantity < RANGE_QUANTITIES; quantity++) {
    const bool any_reached = std::any_of(readings[quantity].begin(), readings[quantity].end(),
                                         [](const RangeReading &reading) { return reading.peak >= REACHED; });
    for (size_t phase = 0; phase < PHASES; phase++) {
      const RangeReading &reading = readings[quantity][phase];
      Excursion &excursion = this->excursions_[quantity][phase];
      // What has begun goes on at the range itself.
      const bool seen =
          !this->settling_ && (is_cut(reading, any_reached) || (excursion.active && reading.peak >= REACHED));
      if (seen) {
        if (!excursion.active)
          excursion = {true, now_ms, 0, reading.full_scale};
        excursion.seen_at = now_ms;
      } else if (excursion.active && now_ms - excursion.seen_at >= HOLD) {
        excursion = {};
      }
      if (excursion.active)
        excursion.greatest = std::max(excursion.greatest, reading.rms);
    }
  }
}

bool RangeMonitor::is_any_over() const {
  return std::any_of(this->excursions_.begin(), this->excursions_.end(), [](const auto &phases) {
    return std::any_of(phases.begin(), phases.end(), [](const Excursion &excursion) { return excursion.active; });
  });
}

std::string describe_range(const RangeMonitor &monitor) {
  std::string text;
  for (RangeQuantity quantity : {RangeQuantity::CURRENT, RangeQuantity::VOLTAGE}) {
    for (size_t phase = 0; phase < PHASES; phase++) {
      if (!monitor.is_over(quantity, phase))
        continue;
      char part[64];
      std::snprintf(part, sizeof(part), "%s%s:L%d=%.4g/%.4g", text.empty() ? "" : ";",
                    quantity == RangeQuantity::VOLTAGE ? "voltage" : "current", static_cast<int>(phase) + 1,
                    monitor.greatest(quantity, phase), monitor.full_scale(quantity, phase));
      text += part;
    }
  }
  return text.empty() ? "none" : text;
}

}  // namespace esphome::ade9000

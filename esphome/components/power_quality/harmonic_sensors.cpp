#include "harmonic_sensors.h"

#include "harmonics.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace esphome::power_quality {

// Of the nominal voltage and of the full scale: below, what a transform finds is noise.
static constexpr double MINIMUM_VOLTAGE = 0.1;
static constexpr double MINIMUM_CURRENT = 1e-3;
// WAVEFORM_FULL_SCALE is a peak, the scaling's full scale an rms.
static constexpr double RMS_FULL_SCALE = WAVEFORM_FULL_SCALE / std::numbers::sqrt2;

static bool is_voltage(WaveformChannel channel) {
  return channel == WaveformChannel::VA || channel == WaveformChannel::VB || channel == WaveformChannel::VC;
}

void HarmonicSensors::setup() {
  if (!this->entries_.empty())
    this->fft_ = std::make_unique<Fft>();
}

void HarmonicSensors::start(const ade9000::Scaling &scaling, double nominal_voltage) {
  this->minimum_voltage_ = MINIMUM_VOLTAGE * nominal_voltage / scaling.full_scale_voltage() * RMS_FULL_SCALE;
  this->minimum_current_ = MINIMUM_CURRENT * RMS_FULL_SCALE;
  this->next_ = 0;
}

void HarmonicSensors::step(const WaveformCapture &capture) {
  const auto has_sensor = [this](WaveformChannel channel) {
    return std::any_of(this->entries_.begin(), this->entries_.end(),
                       [channel](const Entry &entry) { return entry.channel == channel; });
  };
  while (this->is_busy() && !has_sensor(static_cast<WaveformChannel>(this->next_)))
    this->next_++;
  if (!this->is_busy())
    return;
  const auto channel = static_cast<WaveformChannel>(this->next_++);
  for (size_t set = 0; set < WAVEFORM_SETS; set++)
    this->fft_->samples[set] = capture.sample(set, channel);
  const float minimum = is_voltage(channel) ? this->minimum_voltage_ : this->minimum_current_;
  const Harmonics harmonics = analyse_harmonics(*this->fft_, minimum);
  for (const Entry &entry : this->entries_) {
    if (entry.channel == channel)
      entry.sensor->publish_state(harmonics.percent[entry.order]);
  }
}

void HarmonicSensors::give_up() {
  this->next_ = WAVEFORM_CHANNELS;
  for (const Entry &entry : this->entries_)
    entry.sensor->publish_state(NAN);
}

}  // namespace esphome::power_quality

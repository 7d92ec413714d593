#pragma once

#include "waveform_capture.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace esphome::power_quality {

/// Waveform, and the events during its capture.
struct Oscillogram {
  /// Numbers of the first and the last event that began during the capture; 0 = none yet.
  uint32_t first_event{0};
  uint32_t last_event{0};
  /// Time of the first sample, on the clock of the events, us.
  int64_t start_us{0};
  /// Set after set, in the order of WaveformChannel.
  int16_t samples[WAVEFORM_SETS][WAVEFORM_CHANNELS];
};

/// The latest oscillograms; the oldest gives way. All memory is taken at setup.
class Oscillograms {
 public:
  static constexpr size_t SETS_PER_PAGE = 64;
  static constexpr size_t PAGES = WAVEFORM_SETS / SETS_PER_PAGE;

  void allocate(size_t count) { this->kept_.resize(count); }
  void add(uint32_t first_event, uint32_t last_event, int64_t start_us, const WaveformCapture &capture) {
    Oscillogram &oscillogram = this->kept_[this->next_];
    this->next_ = (this->next_ + 1) % this->kept_.size();
    oscillogram.first_event = first_event;
    oscillogram.last_event = last_event;
    oscillogram.start_us = start_us;
    for (size_t set = 0; set < WAVEFORM_SETS; set++) {
      for (size_t channel = 0; channel < WAVEFORM_CHANNELS; channel++)
        oscillogram.samples[set][channel] = capture.sample(set, static_cast<WaveformChannel>(channel));
    }
  }
  /// Finds the oscillogram of an event; nullptr if there is none.
  const Oscillogram *find(uint32_t event) const {
    for (const Oscillogram &oscillogram : this->kept_) {
      if (event != 0 && oscillogram.first_event <= event && event <= oscillogram.last_event)
        return &oscillogram;
    }
    return nullptr;
  }

 protected:
  std::vector<Oscillogram> kept_;
  size_t next_{0};
};

}  // namespace esphome::power_quality

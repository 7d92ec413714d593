#pragma once

#include "esphome/components/ade9000/ade9000_bus.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace esphome::power_quality {

/// Sets of samples in the coherent waveform buffer: 4 line cycles of 128 (data sheet "Waveform Buffer").
static constexpr size_t WAVEFORM_SETS = 512;

/// The channels of one set, in the order the chip bursts them.
enum class WaveformChannel : uint8_t { IA, VA, IB, VB, IC, VC, IN };
static constexpr size_t WAVEFORM_CHANNELS = 7;

/// Code of a resampled sample at 1 V peak at the pin, gain 1 (data sheet, full-scale codes).
static constexpr double WAVEFORM_FULL_SCALE = 18196.0;

/** Fills and reads the chip's coherent waveform buffer, a little in each step.
 *
 * start() arms a capture of four line cycles (80 ms at 50 Hz). When it is full, state() is FULL and the chip holds the
 * samples: either start() again, which costs nothing and loses nothing but the samples, or read() them. Each step()
 * makes one frame of 64 sets at most: 1.5 ms at 5 MHz. The samples take 7 kB of RAM.
 */
class WaveformCapture {
 public:
  enum class State : uint8_t {
    IDLE,
    /// The chip is sampling.
    CAPTURING,
    /// The chip is done and holds the samples.
    FULL,
    READING,
    /// All samples are here.
    READY,
    /// The chip refused a command, or a frame was damaged; start() begins anew.
    FAILED,
  };

  /// @param neutral whether the chip's neutral current is wanted too; without it that channel reads 0.
  explicit WaveformCapture(ade9000::Ade9000Bus &bus, bool neutral = true) : bus_(bus), neutral_(neutral) {}

  State state() const { return this->state_; }
  /// Arms a new capture, in any state. @param now_ms any clock of milliseconds that may wrap.
  void start(uint32_t now_ms);
  /// From FULL: reads the samples in the coming steps.
  void read();
  /// Advances the capture: at most three short frames and one frame of 64 sets.
  void step(uint32_t now_ms);

  /// Times at which the capture was armed and found full, ms; the samples lie between.
  uint32_t started_at() const { return this->started_at_; }
  uint32_t full_at() const { return this->full_at_; }

  /// A sample in codes, WAVEFORM_FULL_SCALE at full scale. @param set 0..WAVEFORM_SETS-1; only in READY.
  int16_t sample(size_t set, WaveformChannel channel) const {
    const auto index = static_cast<size_t>(channel);
    return index < this->channels_() ? this->samples_[set * this->channels_() + index] : int16_t{0};
  }

 protected:
  size_t channels_() const { return this->neutral_ ? WAVEFORM_CHANNELS : WAVEFORM_CHANNELS - 1; }
  uint16_t configuration_() const;
  void await_full_(uint32_t now_ms);
  void read_chunk_();

  ade9000::Ade9000Bus &bus_;
  bool neutral_;
  State state_{State::IDLE};
  uint32_t started_at_{0};
  uint32_t full_at_{0};
  size_t sets_read_{0};
  std::array<int16_t, WAVEFORM_SETS * WAVEFORM_CHANNELS> samples_;
};

}  // namespace esphome::power_quality

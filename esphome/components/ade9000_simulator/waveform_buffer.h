#pragma once

#include "line_monitor.h"
#include "phase_codes.h"
#include "register_file.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace esphome::ade9000_simulator {

/// Simulates the chip's waveform buffer (data sheet Rev B, Waveform Buffer; UG-1098): 2048 words, filled with samples
/// of all seven channels when WFB_CFG.WF_CAP_EN goes from 0 to 1.
///
/// Resampled: 512 sets of 16 bits, 128 a line cycle, then STATUS0.COH_WFB_FULL. Fixed rate: 256 sets of 24 bits shifted
/// up by 4, at 32 kHz (WF_SRC 0) or 8 kHz; each page of 16 sets that WFB_PG_IRQEN enables sets STATUS0.PAGE_FULL.
///
/// Not simulated: continuous filling and triggers (WF_MODE 1..3 act like 0), the loss of the resampler at high orders.
/// Assumptions: the line's period is taken from the selected register when the capture starts; a resampled word read
/// singly has the voltage in the upper half; the burst of fixed-rate sets carries the channels in the same order.
class WaveformBuffer {
 public:
  static constexpr int CHANNELS = 7;

  void reset() { *this = WaveformBuffer(); }
  /// Applies a write of WFB_CFG at a chip time.
  void on_configured(const RegisterFile &registers, double time);
  void follow(RegisterFile &registers, const LineStep &step, const Waves &waves);
  /// Skips time without sampling; the capture goes on afterwards.
  void skip(double seconds) { this->next_sample_ += seconds; }
  /// Writes the data of a read frame from an address of the buffer on.
  void read_out(const RegisterFile &registers, uint16_t address, uint8_t *data, size_t length) const;

 protected:
  static constexpr int RESAMPLED_SETS = 512;
  static constexpr int FIXED_SETS = 256;
  static constexpr int PAGES = 16;

  void take_sample_(const Waves &waves, double line_angle);
  void finish_set_(RegisterFile &registers);

  /// Samples of IA, VA, IB, VB, IC, VC and IN as the processor has them, before they are cut to the width of a word.
  std::array<std::array<int32_t, CHANNELS>, RESAMPLED_SETS> sets_{};
  bool enabled_{false};
  bool capturing_{false};
  bool fixed_rate_{false};
  /// Code of a sample at full scale.
  double full_scale_{0.0};
  int filled_{0};
  /// Chip time of the next sample, and the time from a sample to the next, s.
  double next_sample_{0.0};
  double interval_{0.0};
};

}  // namespace esphome::ade9000_simulator

#include "waveform_buffer.h"

#include "chip_addresses.h"
#include "front_end.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace esphome::ade9000_simulator {

using mains_signal::Spectrum;

namespace {

constexpr double FULL_TURN = 2.0 * std::numbers::pi;
constexpr int POINTS_PER_CYCLE = 128;
constexpr uint16_t BUFFER_END = 0xFFF;
/// Words from the start of one set to the next: with 16 bits a pair of channels shares a word, with 24 bits none does.
constexpr uint16_t RESAMPLED_STRIDE = 4;
constexpr uint16_t FIXED_STRIDE = 8;
constexpr uint32_t SINGLE_ADDRESS = 0xF;

/// WFB_CFG.WF_SRC.
struct FixedSource {
  double rate;
  double full_scale;
};
constexpr FixedSource FIXED_SOURCES[] = {
    {32000.0, SINC4_FULL_SCALE_CODE},
    {32000.0, SINC4_FULL_SCALE_CODE},  // reserved
    {8000.0, DECIMATED_FULL_SCALE_CODE},
    {8000.0, PCF_FULL_SCALE_CODE},
};

/// Range of channels that a burst carries, by WFB_CFG.BURST_CHAN.
struct ChannelRange {
  int first;
  int count;
};

ChannelRange burst_channels(uint32_t wfb_config) {
  const uint32_t selection = wfb_config & bits::WFB_CFG_BURST_CHAN;
  const bool neutral = (wfb_config & bits::WFB_CFG_IN_EN) != 0;
  if (selection >= 1 && selection <= 3)
    return {static_cast<int>(2 * (selection - 1)), 2};
  if (selection >= 8 && selection <= 13)
    return {static_cast<int>(selection - 8), 1};
  if (selection == 14)
    return {6, neutral ? 1 : 0};
  return {0, neutral ? 7 : 6};
}

/// Shifts out a value, most significant byte first, as far as there is room.
struct Writer {
  uint8_t *data;
  size_t room;

  void put(uint32_t value, int width) {
    for (int shift = 8 * (width - 1); shift >= 0 && this->room > 0; shift -= 8, this->room--)
      *this->data++ = static_cast<uint8_t>(value >> shift);
  }
};

}  // namespace

void WaveformBuffer::on_configured(const RegisterFile &registers, double time) {
  const uint32_t config = registers.read(address::WFB_CFG);
  const bool enabled = (config & bits::WFB_CFG_CAP_EN) != 0;
  if (!enabled)
    this->capturing_ = false;
  if (enabled && !this->enabled_) {
    const FixedSource &source = FIXED_SOURCES[(config >> 8) & 3];
    // ZX_LP_SEL.LP_SEL: APERIOD, BPERIOD, CPERIOD, COM_PERIOD lie side by side.
    const uint32_t selected = registers.read(address::ZX_LP_SEL) >> 3 & 3;
    const double line_period =
        (registers.read(static_cast<uint16_t>(address::APERIOD + selected)) + 1.0) / (SAMPLE_RATE * 65536.0);
    this->fixed_rate_ = (config & bits::WFB_CFG_CAP_SEL) != 0;
    this->full_scale_ = this->fixed_rate_ ? source.full_scale : RESAMPLED_FULL_SCALE_CODE;
    this->interval_ = this->fixed_rate_ ? 1.0 / source.rate : line_period / POINTS_PER_CYCLE;
    this->next_sample_ = time;
    this->filled_ = 0;
    this->capturing_ = true;
  }
  this->enabled_ = enabled;
}

void WaveformBuffer::follow(RegisterFile &registers, const LineStep &step, const Waves &waves) {
  while (this->capturing_ && this->next_sample_ < step.start + step.length) {
    const double turns = step.turns + step.frequency * (this->next_sample_ - step.start);
    this->take_sample_(waves, FULL_TURN * (turns - std::floor(turns)));
    this->next_sample_ += this->interval_;
    this->finish_set_(registers);
  }
}

void WaveformBuffer::take_sample_(const Waves &waves, double line_angle) {
  const Spectrum *channels[CHANNELS] = {&waves.current[0], &waves.voltage[0], &waves.current[1], &waves.voltage[1],
                                        &waves.current[2], &waves.voltage[2], &waves.neutral};
  // 16 and 24 bits; the codes at full scale leave headroom for the peaks of a distorted wave.
  const double limit = this->fixed_rate_ ? 0x1p27 - 1.0 : 0x1p15 - 1.0;
  for (int channel = 0; channel < CHANNELS; channel++) {
    const double code = channels[channel]->sample(line_angle) / std::numbers::sqrt2 * this->full_scale_;
    const auto value = static_cast<int32_t>(std::lround(std::clamp(code, -limit - 1.0, limit)));
    // At the fixed rate a word is 24 bits, shifted up by 4 and sign extended; full-scale codes count the shift in.
    this->sets_[this->filled_][channel] = this->fixed_rate_ ? value & ~0xF : value;
  }
}

void WaveformBuffer::finish_set_(RegisterFile &registers) {
  const int sets = this->fixed_rate_ ? FIXED_SETS : RESAMPLED_SETS;
  this->filled_++;
  if (this->fixed_rate_ && this->filled_ % (FIXED_SETS / PAGES) == 0) {
    const uint32_t page = this->filled_ / (FIXED_SETS / PAGES) - 1;
    registers.store(address::WFB_TRG_STAT, page << 12);
    if (registers.any(address::WFB_PG_IRQEN, 1u << page))
      registers.set_bits(address::STATUS0, bits::STATUS0_PAGE_FULL);
  }
  if (this->filled_ < sets)
    return;
  this->capturing_ = false;
  if (!this->fixed_rate_)
    registers.set_bits(address::STATUS0, bits::STATUS0_COH_WFB_FULL);
}

void WaveformBuffer::read_out(const RegisterFile &registers, uint16_t address, uint8_t *data, size_t length) const {
  const uint32_t config = registers.read(address::WFB_CFG);
  const uint16_t stride = this->fixed_rate_ ? FIXED_STRIDE : RESAMPLED_STRIDE;
  const auto last = static_cast<size_t>((BUFFER_END - address::WAVEFORM_BUFFER) / stride);
  const auto offset = static_cast<size_t>(address - address::WAVEFORM_BUFFER);
  size_t set = offset / stride;
  Writer writer{data, length};
  if ((config & bits::WFB_CFG_BURST_CHAN) == SINGLE_ADDRESS) {
    const size_t word = offset % stride;
    const auto channel = [&](size_t index) { return index < CHANNELS ? this->sets_[set][index] : 0; };
    if (this->fixed_rate_) {
      writer.put(static_cast<uint32_t>(channel(word)), 4);
    } else {
      writer.put(
          static_cast<uint32_t>(channel(2 * word + 1)) << 16 | (static_cast<uint32_t>(channel(2 * word)) & 0xFFFF), 4);
    }
  } else {
    const ChannelRange range = burst_channels(config);
    for (; set <= last && writer.room > 0 && range.count > 0; set++) {
      for (int channel = range.first; channel < range.first + range.count; channel++)
        writer.put(static_cast<uint32_t>(this->sets_[set][channel]), this->fixed_rate_ ? 4 : 2);
    }
  }
  std::fill(writer.data, writer.data + writer.room, 0);
}

}  // namespace esphome::ade9000_simulator

#include "waveform_capture.h"

namespace esphome::power_quality {

using ade9000::Ade9000Bus;

namespace {

// Register Map: the buffer and its configuration.
constexpr uint16_t STATUS0 = 0x402;
constexpr uint16_t WFB_CFG = 0x4A0;
constexpr uint16_t WFB_FIRST = 0x800;
/// Addresses from one resampled set to the next.
constexpr uint16_t SET_STRIDE = 4;
constexpr uint32_t STATUS0_COH_WFB_FULL = 1UL << 23;
// WFB_CFG: BURST_CHAN 0 = all channels, WF_CAP_SEL 0 = resampled.
constexpr uint16_t WFB_CFG_WF_CAP_EN = 1U << 4;
constexpr uint16_t WFB_CFG_WF_IN_EN = 1U << 12;

constexpr size_t SETS_PER_STEP = Ade9000Bus::MAX_SAMPLES / WAVEFORM_CHANNELS;
/// Four cycles at 40 Hz, the slowest line the chip believes in, take 100 ms.
constexpr uint32_t CAPTURE_TIMEOUT_MS = 300;

}  // namespace

uint16_t WaveformCapture::configuration_() const { return this->neutral_ ? WFB_CFG_WF_IN_EN : 0; }

void WaveformCapture::start(uint32_t now_ms) {
  // A capture starts when the bit rises.
  this->bus_.write(WFB_CFG, this->configuration_());
  this->bus_.write(STATUS0, STATUS0_COH_WFB_FULL);
  this->started_at_ = now_ms;
  this->state_ =
      this->bus_.write_checked(WFB_CFG, this->configuration_() | WFB_CFG_WF_CAP_EN) ? State::CAPTURING : State::FAILED;
}

void WaveformCapture::read() {
  if (this->state_ != State::FULL)
    return;
  this->sets_read_ = 0;
  this->state_ = this->bus_.write_checked(WFB_CFG, this->configuration_()) ? State::READING : State::FAILED;
}

void WaveformCapture::step(uint32_t now_ms) {
  if (this->state_ == State::CAPTURING) {
    this->await_full_(now_ms);
  } else if (this->state_ == State::READING) {
    this->read_chunk_();
  }
}

void WaveformCapture::await_full_(uint32_t now_ms) {
  uint32_t status;
  if (this->bus_.read(STATUS0, status) && (status & STATUS0_COH_WFB_FULL)) {
    this->full_at_ = now_ms;
    this->state_ = State::FULL;
  } else if (now_ms - this->started_at_ > CAPTURE_TIMEOUT_MS) {
    this->state_ = State::FAILED;
  }
}

void WaveformCapture::read_chunk_() {
  const size_t channels = this->channels_();
  const auto address = static_cast<uint16_t>(WFB_FIRST + this->sets_read_ * SET_STRIDE);
  this->bus_.read_samples(address, &this->samples_[this->sets_read_ * channels], SETS_PER_STEP * channels);
  // The chip must still be there, with the configuration the samples were taken with: a reset loses it.
  uint32_t configuration;
  if (!this->bus_.read(WFB_CFG, configuration) || configuration != this->configuration_()) {
    this->state_ = State::FAILED;
    return;
  }
  this->sets_read_ += SETS_PER_STEP;
  if (this->sets_read_ >= WAVEFORM_SETS)
    this->state_ = State::READY;
}

}  // namespace esphome::power_quality

#include "device_clock.h"

#include "esphome/core/hal.h"

namespace esphome::energy_journal {

uint64_t DeviceClock::uptime() { return millis_64() + this->skipped_; }

std::optional<uint32_t> DeviceClock::now() {
  const auto now = this->time_->utcnow();
  if (!now.is_valid())
    return std::nullopt;
  return static_cast<uint32_t>(now.timestamp + static_cast<int64_t>(this->skipped_ / 1000) + this->error_);
}

}  // namespace esphome::energy_journal

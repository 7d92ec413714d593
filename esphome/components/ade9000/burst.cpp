#include "burst.h"

#include <algorithm>
#include <cmath>

namespace esphome::ade9000 {

namespace {

/// Of a reading: between two bursts that agree. A bit that changes less is below the accuracy of the chip (0.2 %).
constexpr double TIGHT = 0.002;
/// Of full scale: the noise of a reading near zero (data sheet, dynamic range 10,000:1 for 0.1 % and 5000:1 for 0.2 %).
constexpr double TIGHT_FLOOR = 1e-5;
/// The same between two of three, where something changes or the ripple of a power register is caught in between.
constexpr double LOOSE = 0.01;
constexpr double LOOSE_FLOOR = 2e-4;

/// Of full scale, by which a power or the square of an rms value may settle from one burst to the next: 1.9 ms of a
/// filter of first order that reaches 99 % in 0.43 s. Bursts are 0.4 ms apart, if nothing interrupts.
constexpr double SETTLING = 0.02;
/// A step of the load moves current, apparent power, and active or reactive power of a phase.
constexpr size_t WORDS_OF_A_STEP = 3;

bool is_signed(uint16_t address) {
  return (address >= reg::BURST_AWATT && address < reg::BURST_AVA) ||
         (address >= reg::BURST_AVAR && address < reg::BURST_AFIRMS);
}

double full_scale(uint16_t address) {
  if (address >= reg::BURST_APF && address < reg::BURST_AFWATT)
    return reg::FIXED_5_27;
  const bool power = address >= reg::BURST_AWATT && address < reg::BURST_AFIRMS;
  return power ? reg::FULL_SCALE_POWER : reg::FULL_SCALE_RMS;
}

/// Results that may change by anything from one burst to the next: no sign of damage.
bool changes_at_once(uint16_t address) {
  return address >= reg::BURST_AIRMSONE || (address >= reg::BURST_APF && address < reg::BURST_AFWATT);
}

double value_of(uint16_t address, uint32_t word) {
  return is_signed(address) ? static_cast<double>(static_cast<int32_t>(word)) : static_cast<double>(word);
}

bool near(uint16_t address, uint32_t left, uint32_t right, double relative, double floor) {
  const double a = value_of(address, left);
  const double b = value_of(address, right);
  return std::abs(a - b) <= std::max(relative * std::min(std::abs(a), std::abs(b)), floor * full_scale(address));
}

bool agree(const Burst &left, const Burst &right, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (!near(reg::BURST_FIRST + i, left.word(i), right.word(i), TIGHT, TIGHT_FLOOR))
      return false;
  }
  return true;
}

/// The words of one register in three bursts, in the order of reading.
using Triple = std::array<uint32_t, 3>;

/// What the chip's filter settles: a power, or the square of an rms value; full scale is 1.
double filtered_value(uint16_t address, uint32_t word) {
  const double share = value_of(address, word) / full_scale(address);
  return is_signed(address) || full_scale(address) == reg::FULL_SCALE_POWER ? share : share * share;
}

/// Whether three readings go one way, no faster than the chip's filters let them.
bool settles(uint16_t address, const Triple &words) {
  if (changes_at_once(address))
    return false;
  const double first = filtered_value(address, words[1]) - filtered_value(address, words[0]);
  const double second = filtered_value(address, words[2]) - filtered_value(address, words[1]);
  return first * second >= 0 && std::abs(first) <= SETTLING && std::abs(second) <= SETTLING;
}

/// Whether so many words move as they do after a step of the load; damage to two bursts hardly ever hits so many.
bool is_settling(const Burst &first, const Burst &second, const Burst &third, size_t count) {
  size_t moving = 0;
  for (size_t i = 0; i < count; i++) {
    const uint16_t address = reg::BURST_FIRST + i;
    const Triple words = {first.word(i), second.word(i), third.word(i)};
    moving += settles(address, words) && !near(address, words[0], words[2], TIGHT, TIGHT_FLOOR);
  }
  return moving >= WORDS_OF_A_STEP;
}

/// Puts the median of three into `burst`; counts a burst that stood alone.
bool take_median(Ade9000Bus &bus, const Burst &second, const Burst &third, size_t count, Burst &burst) {
  bool outlier = false;
  burst.set_settling(is_settling(burst, second, third, count));
  for (size_t i = 0; i < count; i++) {
    const uint16_t address = reg::BURST_FIRST + i;
    Triple words = {burst.word(i), second.word(i), third.word(i)};
    const bool settling = burst.is_settling() && settles(address, words);
    std::sort(words.begin(), words.end(),
              [address](uint32_t a, uint32_t b) { return value_of(address, a) < value_of(address, b); });
    const auto are_near = [&](size_t left, size_t right) {
      return near(address, words[left], words[right], LOOSE, LOOSE_FLOOR);
    };
    if (!settling && !are_near(0, 1) && !are_near(1, 2)) {
      bus.reject_frame(Rejection::IMPLAUSIBLE);
      return false;
    }
    outlier |= !changes_at_once(address) && !settling && !are_near(0, 2);
    burst.word(i) = words[1];
  }
  if (outlier)
    bus.reject_frame(Rejection::IMPLAUSIBLE);
  return true;
}

}  // namespace

namespace {

/// Sets CONFIG1.BURST_EN and sees that it is set: without it the mirror reads as one register and zeros.
bool open_burst(Ade9000Bus &bus, uint16_t configuration) {
  constexpr int ATTEMPTS = 3;
  const uint16_t opened = configuration | reg::CONFIG1_BURST_EN;
  for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
    bus.write(reg::CONFIG1, opened);
    if (bus.read_without_crc(reg::CONFIG1) == opened)
      return true;
  }
  return false;
}

}  // namespace

bool read_burst(Ade9000Bus &bus, uint16_t last, uint16_t configuration, Burst &burst) {
  const size_t count = last - reg::BURST_FIRST + 1;
  Burst second, third;
  if (!open_burst(bus, configuration)) {
    bus.write(reg::CONFIG1, configuration);
    // A line that does not move is told by a register with a CRC.
    uint32_t version;
    if (bus.read(reg::VERSION, version))
      bus.reject_frame(Rejection::IMPLAUSIBLE);
    return false;
  }
  bool moved = bus.read_burst(reg::BURST_FIRST, burst.data(), count);
  const bool moved_again = bus.read_burst(reg::BURST_FIRST, second.data(), count);
  const bool agreed = agree(burst, second, count);
  if (moved && moved_again && !agreed)
    moved = bus.read_burst(reg::BURST_FIRST, third.data(), count);
  // Read back: with BURST_EN left set no reply has a CRC, and nothing could be read any more.
  if (!bus.write_checked(reg::CONFIG1, configuration))
    return false;
  if (moved != moved_again) {
    bus.reject_frame(Rejection::STUCK);
    return false;
  }
  // All zeros are what a dead supply is, and what a dead line is: a register with a CRC tells them apart.
  uint32_t version;
  if (!moved && !bus.read(reg::VERSION, version))
    return false;
  if (!agreed)
    return take_median(bus, second, third, count, burst);
  burst = second;
  burst.set_settling(false);
  return true;
}

}  // namespace esphome::ade9000

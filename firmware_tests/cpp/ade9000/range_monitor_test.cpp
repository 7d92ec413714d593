// What is beyond the chip's range: told once, never at full scale, and while it is told the readings are too low.

#include "firmware_tests/cpp/support/driver_bench.h"

#include "esphome/components/ade9000/energy_totals.h"
#include "esphome/components/ade9000/range_monitor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace esphome::ade9000 {
namespace {

using ade9000_simulator::balanced;
using ade9000_simulator::Bench;
using ade9000_simulator::Signal;

constexpr double UPDATE = 0.2;

/// A meter as the hub runs it: an update each 200 ms, from a chip that has settled.
class RangeMeter {
 public:
  explicit RangeMeter(std::function<Signal(double)> signal, ChipSettings settings = {})
      : settings_(settings), bench_(std::move(signal)), wire_(this->bench_) {
    this->bus_.set_transport(&this->wire_);
    this->bench_.start(0, 159);
    this->bench_.write16(0x493, 0xF000 | 7u << 2);  // CONFIG3: peaks of all phases
    for (const auto &setting : this->settings_)
      this->bus_.write(setting.address, setting.value);
    this->monitor.restart(this->now_());
    this->totals_.start();
    this->count_();
  }
  explicit RangeMeter(const Signal &signal, ChipSettings settings = {})
      : RangeMeter([signal](double) { return signal; }, settings) {}

  void run(double seconds) {
    for (int i = 0; i < seconds / UPDATE; i++) {
      this->bench_.wait(UPDATE);
      this->count_();
      ASSERT_TRUE(measure(this->bus_, BENCH_SCALING, this->settings_, {}, this->measurement));
      const bool was_over = this->monitor.is_any_over();
      this->monitor.add(range_readings(this->measurement, BENCH_SCALING, this->settings_), this->now_());
      this->told += !was_over && this->monitor.is_any_over();
    }
  }

  /// Watt-hours that a phase has drawn since the start.
  double counted(Channel channel) const { return this->totals_.active().get_import(channel) * 1e-9; }
  double hours() const { return (this->counted_at_ - this->began_at_) / 3600; }

  RangeMonitor monitor;
  Measurement measurement;
  /// Count of beginnings.
  int told{0};

 protected:
  void count_() {
    EnergyCodes codes;
    ASSERT_TRUE(read_energy_codes(this->bus_, codes));
    ASSERT_TRUE(this->totals_.count(codes, BENCH_SCALING));
    this->counted_at_ = this->bench_.now.elapsed;
    if (this->began_at_ == 0)
      this->began_at_ = this->counted_at_;
  }
  uint32_t now_() const { return static_cast<uint32_t>(this->bench_.now.real * 1000); }

  ChipSettings settings_;
  Bench bench_;
  BenchWire wire_;
  Ade9000Bus bus_;
  EnergyTotals totals_;
  double began_at_{0};
  double counted_at_{0};
};

/// A rectifier's current: of `amperes` rms, with a crest of some 2.3.
Signal peaked(double amperes) {
  Signal signal = balanced(230, amperes / 1.2);
  for (auto &phase : signal.phases)
    phase.current_harmonics = {{3, 0.6, std::numbers::pi}, {5, 0.3, 0.0}};
  return signal;
}

TEST(RangeMonitor, FullScaleSineFits) {
  for (const double share : {1.0, 0.999, 0.9}) {
    RangeMeter meter(balanced(share * Bench::FULL_VOLTAGE, share * Bench::FULL_CURRENT));
    meter.run(2);
    EXPECT_EQ(meter.told, 0) << share;
    EXPECT_EQ(describe_range(meter.monitor), "none");
  }
}

TEST(RangeMonitor, EverySineBeyondIsTold) {
  for (const double share : {1.005, 1.1, 4.0}) {
    RangeMeter current(balanced(230, share * Bench::FULL_CURRENT));
    current.run(1.4);
    EXPECT_EQ(current.told, 1) << share;
    for (size_t phase = 0; phase < PHASES; phase++) {
      EXPECT_TRUE(current.monitor.is_over(RangeQuantity::CURRENT, phase)) << share;
      EXPECT_FALSE(current.monitor.is_over(RangeQuantity::VOLTAGE, phase)) << share;
      EXPECT_LT(current.measurement.phases[phase].current, share * Bench::FULL_CURRENT) << "what is told is too low";
      EXPECT_LT(current.measurement.phases[phase].active_power, 230 * share * Bench::FULL_CURRENT);
    }
    RangeMeter voltage(balanced(share * Bench::FULL_VOLTAGE, 1));
    voltage.run(1.4);
    EXPECT_TRUE(voltage.monitor.is_over(RangeQuantity::VOLTAGE, 0)) << share;
    EXPECT_FALSE(voltage.monitor.is_over(RangeQuantity::CURRENT, 0)) << share;
  }
}

TEST(RangeMonitor, PeakedCurrentIsCutLongBeforeItsRms) {
  double crest = 0;
  {
    RangeMeter small(peaked(10));
    small.run(2);
    crest = small.measurement.device.current_peak / small.measurement.phases[0].current;
  }
  ASSERT_GT(crest, 2.0);
  const double limit = Bench::FULL_CURRENT * std::numbers::sqrt2 / crest;
  RangeMeter below(peaked(0.97 * limit));
  below.run(3);
  EXPECT_EQ(below.told, 0);
  RangeMeter above(peaked(1.1 * limit));
  above.run(3);
  EXPECT_EQ(above.told, 1);
  EXPECT_LT(above.measurement.phases[0].current, 0.7 * Bench::FULL_CURRENT);
  EXPECT_LT(above.measurement.phases[0].current, 1.1 * limit);
}

TEST(RangeMonitor, OneExcursionIsToldOnceAndEndsAfterTheHold) {
  // A motor starts for 60 ms, three times in two seconds; a single phase.
  RangeMeter meter([](double position) {
    Signal signal = balanced(230, 10);
    const bool starts = position > 3 && position < 5 && std::fmod(position, 0.7) < 0.06;
    signal.phases[1].fundamental_current = starts ? 120 : 10;
    return signal;
  });
  meter.run(2.6);
  EXPECT_EQ(meter.told, 0);
  meter.run(2.6);
  EXPECT_EQ(meter.told, 1);
  EXPECT_TRUE(meter.monitor.is_over(RangeQuantity::CURRENT, 1));
  EXPECT_FALSE(meter.monitor.is_over(RangeQuantity::CURRENT, 0));
  EXPECT_FALSE(meter.monitor.is_over(RangeQuantity::CURRENT, 2));
  meter.run(2.4);
  EXPECT_FALSE(meter.monitor.is_any_over());
  EXPECT_EQ(meter.told, 1);
  EXPECT_NEAR(meter.measurement.phases[1].current, 10, 0.05) << "the rms has settled when the mark goes";
}

TEST(RangeMonitor, EnergyIsTooLowWhileItIsMarked) {
  // Of a sine cut at half of its amplitude 4/pi * (pi/6 + sqrt(3)/4) / 2 is left of the fundamental, which a sine of
  // voltage makes power of.
  const double left = 2 / std::numbers::pi * (std::numbers::pi / 6 + std::sqrt(3.0) / 4);
  Signal signal = balanced(230, 5);
  signal.phases[2].fundamental_current = 2 * Bench::FULL_CURRENT;
  RangeMeter meter(signal);
  meter.run(6);
  EXPECT_TRUE(meter.monitor.is_over(RangeQuantity::CURRENT, 2));
  const double true_energy = 230 * 2 * Bench::FULL_CURRENT * meter.hours();
  EXPECT_NEAR(meter.counted(Channel::L3), left * true_energy, 0.01 * true_energy);
  EXPECT_NEAR(meter.counted(Channel::L1), 230 * 5 * meter.hours(), 0.01 * 230 * 5 * meter.hours());
}

TEST(RangeMonitor, FollowsTheGainOfACalibration) {
  const auto with_gain = [](double gain) {
    ChipSettings settings;
    settings.set(0x020, static_cast<uint32_t>(static_cast<int32_t>(std::lround((gain - 1) * 134217728))));  // BIGAIN
    return settings;
  };
  Signal signal = balanced(230, 1);
  // What is cut at the pin shows as less than full scale behind this gain, and what is more than full scale was not
  // cut behind the other.
  signal.phases[1].fundamental_current = 1.1 * Bench::FULL_CURRENT;
  RangeMeter reduced(signal, with_gain(0.85));
  reduced.run(3);
  EXPECT_TRUE(reduced.monitor.is_over(RangeQuantity::CURRENT, 1));
  EXPECT_NEAR(reduced.monitor.full_scale(RangeQuantity::CURRENT, 1), 0.85 * Bench::FULL_CURRENT, 1e-3);
  signal.phases[1].fundamental_current = 0.95 * Bench::FULL_CURRENT;
  RangeMeter increased(signal, with_gain(1.2));
  increased.run(3);
  EXPECT_EQ(increased.told, 0);
}

TEST(RangeMonitor, LeavesOutInputsThatAreOff) {
  ChipSettings settings;
  settings.set(0x4BA, 1u << 1 | 1u << 5);  // CHNL_DIS: IB, VB
  Signal signal = balanced(230, 1);
  signal.phases[1].fundamental_current = 3 * Bench::FULL_CURRENT;
  RangeMeter meter(signal, settings);
  meter.run(3);
  EXPECT_EQ(meter.told, 0);
}

TEST(RangeMonitor, DescribesWhatIsOver) {
  Signal signal = balanced(230, 1);
  signal.phases[0].voltage = 2 * Bench::FULL_VOLTAGE;
  signal.phases[2].fundamental_current = 1.5 * Bench::FULL_CURRENT;
  RangeMeter meter(signal);
  meter.run(3);
  const std::string text = describe_range(meter.monitor);
  // rms of a sine cut at 1/1.5 and at 1/2 of its amplitude, from its definition.
  const auto cut = [](double a) {
    const double edge = std::asin(1 / a);
    return std::sqrt(4 / std::numbers::pi *
                     (a * a * (edge / 2 - std::sin(2 * edge) / 4) + std::numbers::pi / 2 - edge));
  };
  double amperes = 0, volts = 0, current_range = 0, voltage_range = 0;
  ASSERT_EQ(std::sscanf(text.c_str(), "current:L3=%lf/%lf;voltage:L1=%lf/%lf", &amperes, &current_range, &volts,
                        &voltage_range),
            4)
      << text;
  EXPECT_NEAR(amperes, cut(1.5) * Bench::FULL_CURRENT, 0.3);
  EXPECT_NEAR(current_range, Bench::FULL_CURRENT, 0.01);
  EXPECT_NEAR(volts, cut(2) * Bench::FULL_VOLTAGE, 3);
  EXPECT_NEAR(voltage_range, Bench::FULL_VOLTAGE, 0.1);
}

TEST(RangeMonitor, AnotherRegistersValueIsNoPeak) {
  const auto peak_of = [](uint32_t code) {
    Measurement measurement{};
    measurement.device.current_peak_code = code;
    return range_readings(measurement, BENCH_SCALING, ChipSettings{})[1][0].peak;
  };
  constexpr uint32_t FULL_SCALE = 74532013 / 32;
  EXPECT_NEAR(peak_of(1u << 24 | FULL_SCALE), 1.0, 1e-6);
  EXPECT_NEAR(peak_of(7u << 24 | (0x01000000 - FULL_SCALE)), 1.0, 1e-6) << "signed (p. 59)";
  EXPECT_EQ(peak_of(2u << 24 | FULL_SCALE), 0.0) << "of B alone";
  EXPECT_EQ(peak_of(FULL_SCALE), 0.0) << "of no phase";
  EXPECT_EQ(peak_of(9u << 24 | FULL_SCALE), 0.0);
  EXPECT_EQ(peak_of(1u << 24 | FULL_SCALE * 3 / 2), 0.0);
}

TEST(RangeMonitor, FillingFiltersTellNothing) {
  RangeMonitor monitor;
  RangeReadings readings{};
  readings[1][0] = {0.3, 1, 1.0};
  // A clock that wraps meanwhile.
  monitor.restart(0xFFFFFFF0);
  monitor.add(readings, 0xFFFFFFF0 + RangeMonitor::SETTLING - 1);
  EXPECT_FALSE(monitor.is_any_over());
  monitor.add(readings, 0xFFFFFFF0 + RangeMonitor::SETTLING);
  EXPECT_TRUE(monitor.is_any_over());
}

}  // namespace
}  // namespace esphome::ade9000

// What is shown is what is counted: published powers against the chip's counters, from a fifth of a watt to full scale.

#include "firmware_tests/cpp/support/driver_bench.h"
#include "firmware_tests/cpp/support/run_length.h"

#include "esphome/components/ade9000/energy_totals.h"
#include "esphome/components/ade9000/measurement.h"

#include <gtest/gtest.h>

#include <cmath>

namespace esphome::ade9000 {
namespace {

using ade9000_simulator::Bench;
using ade9000_simulator::PhaseSignal;
using ade9000_simulator::Signal;

/// The starting current of a class 0.2 S meter of 5 A (IEC 62053-22), at 230 V.
constexpr double NO_LOAD_POWER = 0.005 * 230;
constexpr double UPDATE = 0.2;
constexpr double SECONDS = 10;

/// A meter that counts from NO_LOAD_POWER on, and adds up what it publishes.
class CountingMeter {
 public:
  explicit CountingMeter(const Signal &signal) : bench_(signal), wire_(this->bench_) {
    this->bus_.set_transport(&this->wire_);
    this->bench_.start(0, 159);
    for (uint16_t level : {0x41C, 0x41D, 0x41E})
      this->bus_.write(level, BENCH_SCALING.no_load_level(NO_LOAD_POWER));
    this->bench_.write16(0x4B0, 1);  // EP_CFG: the no-load check is on
    this->bench_.wait(1.0);
    this->totals_.start();
    this->wanted_.set();
    this->count_();
  }

  void run() {
    const double began = this->counted_at_;
    for (int i = 0; i < SECONDS / UPDATE; i++) {
      this->bench_.wait(UPDATE);
      this->count_();
      Measurement measurement;
      ASSERT_TRUE(measure(this->bus_, BENCH_SCALING, ChipSettings{}, this->wanted_, measurement));
      this->snapshot =
          make_snapshot(measurement.phases, measurement.device,
                        {.minimum_voltage = 115, .minimum_apparent_power = 1, .no_load_power = NO_LOAD_POWER});
    }
    this->hours_ = (this->counted_at_ - began) / 3600;
  }
  /// Watt-hours (var-hours, volt-ampere-hours) of the steady power that was published.
  double published(Channel channel, Quantity quantity) const {
    return this->snapshot.at(channel, quantity) * this->hours_;
  }
  double counted(Channel channel) const {
    return (this->totals_.active().get_import(channel) - this->totals_.active().get_export(channel)) * 1e-9;
  }
  double counted_reactive(Channel channel) const {
    const ReactiveEnergy &energy = this->totals_.reactive();
    return (energy.get_quadrant(channel, 0) + energy.get_quadrant(channel, 1) - energy.get_quadrant(channel, 2) -
            energy.get_quadrant(channel, 3)) *
           1e-9;
  }
  double counted_apparent(Channel channel) const { return this->totals_.reactive().get_apparent(channel) * 1e-9; }

  Snapshot snapshot;

 protected:
  void count_() {
    EnergyCodes codes;
    ASSERT_TRUE(read_energy_codes(this->bus_, codes));
    ASSERT_TRUE(this->totals_.count(codes, BENCH_SCALING));
    this->counted_at_ = this->bench_.now.elapsed;
  }

  Bench bench_;
  BenchWire wire_;
  Ade9000Bus bus_;
  EnergyTotals totals_;
  WantedQuantities wanted_;
  double counted_at_{0};
  double hours_{0};
};

/// A different load on each phase: all of `watts`, half of it with a lag, and as much fed back.
Signal loads(double watts) {
  Signal signal;
  const double active[] = {watts, watts / 2, -watts};
  const double reactive[] = {0, watts * 0.8, watts * 0.3};
  for (int i = 0; i < ade9000_simulator::PHASES; i++) {
    PhaseSignal &phase = signal.phases[i];
    phase.voltage = 230;
    phase.active_power = active[i];
    phase.reactive_power = reactive[i];
    phase.fundamental_current = std::hypot(active[i], reactive[i]) / 230;
  }
  return signal;
}

TEST(NoLoad, PublishedPowerAddsUpToTheCounterAtEveryLoad) {
  const double full_scale = 230 * Bench::FULL_CURRENT / 1.1;
  int idle = 0, counting = 0;
  const double factor = rounds(1.6, 1.1);
  for (double watts = 0.2; watts < full_scale; watts *= factor) {
    CountingMeter meter(loads(watts));
    meter.run();
    for (Channel channel : {Channel::L1, Channel::L2, Channel::L3, Channel::TOTAL}) {
      // Windows of 20 ms are counted whole; a code of power is 2.4 mW.
      const auto tolerance = [](double published) { return std::abs(published) * 2e-3 + 0.005 * SECONDS / 3600; };
      const double active = meter.published(channel, Quantity::ACTIVE_POWER);
      EXPECT_NEAR(meter.counted(channel), active, tolerance(active)) << watts << " W";
      const double reactive = meter.published(channel, Quantity::REACTIVE_POWER);
      EXPECT_NEAR(meter.counted_reactive(channel), reactive, tolerance(reactive)) << watts << " W";
      const double apparent = meter.published(channel, Quantity::APPARENT_POWER);
      EXPECT_NEAR(meter.counted_apparent(channel), apparent, tolerance(apparent)) << watts << " W";
    }
    const bool counts = watts >= NO_LOAD_POWER;
    EXPECT_EQ(meter.snapshot.at(Channel::L1, Quantity::ACTIVE_POWER) != 0, counts) << watts << " W";
    EXPECT_EQ(meter.counted(Channel::L1) > 0, counts) << watts << " W";
    (counts ? counting : idle)++;
  }
  EXPECT_GT(idle, 3);
  EXPECT_GT(counting, 18);
}

TEST(NoLoad, LevelIsThatOfTheReferenceManual) {
  // UG-1098, "No-Load Detection": full-scale code * 64 / dynamic range; the default 0xFFFF is 1024 codes.
  const Scaling scaling{1000.4, 0.0066965};
  const double full_scale = 707.39 * 105.594;
  EXPECT_NEAR(scaling.no_load_level(full_scale / 20000), 20694066.0 * 64 / 20000, 2);
  EXPECT_NEAR(scaling.no_load_level(3.696), 0xFFFF, 20);
}

}  // namespace
}  // namespace esphome::ade9000

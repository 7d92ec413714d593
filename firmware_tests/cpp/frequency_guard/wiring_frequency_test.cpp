// The grid falls to 49.0 Hz: the meter and the guard see it in every wiring, whatever inputs the wiring leaves free.

#include "firmware_tests/cpp/support/driver_bench.h"

#include "esphome/components/ade9000/measurement.h"
#include "esphome/components/frequency_guard/chip_sample.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <string>

namespace esphome::frequency_guard {
namespace {

using ade9000_simulator::Bench;
using ade9000_simulator::FrontEnd;
using ade9000_simulator::Signal;
using ade9000_simulator::VoltageInput;

constexpr double STEP_AT = 5.0;

struct WiredMeter {
  const char *name;
  double nominal_voltage;
  uint16_t accmode;
  uint16_t disabled;
  /// Where the three voltage inputs are connected; gain 0 = nowhere.
  std::array<VoltageInput, 3> voltages;
  /// Volts of each conductor, and degrees by which it leads the place of its phase in a healthy system.
  std::array<double, 3> conductors;
  std::array<double, 3> leads;
};

constexpr VoltageInput FREE{0, 0.0};
// The register values are those of the meter's wirings (data sheet Rev B: ACCMODE.VCONSEL, CHNL_DIS).
const WiredMeter WIRINGS[] = {
    {"wye", 230, 0x00, 0x00, {{{0}, {1}, {2}}}, {230, 230, 230}, {0, 0, 0}},
    {"delta", 400, 0x10, 0x22, {{{0, 1.0, 1}, FREE, {2, 1.0, 1}}}, {230.94, 230.94, 230.94}, {0, 0, 0}},
    // Neutral in the middle between L1 and L2; the high leg is square to both.
    {"delta with neutral", 120, 0x00, 0x00, {{{0}, {1}, {2}}}, {120, 120, 208}, {0, -60, -30}},
    {"split phase", 120, 0x00, 0x44, {{{0}, {1}, FREE}}, {120, 120, 0}, {0, -60, 0}},
    {"single phase", 230, 0x00, 0x66, {{{0}, FREE, FREE}}, {230, 0, 0}, {0, 0, 0}},
};

Signal signal_of(const WiredMeter &meter, double frequency) {
  Signal signal;
  signal.frequency = frequency;
  for (size_t i = 0; i < 3; i++) {
    signal.phases[i].voltage = meter.conductors[i];
    signal.phases[i].voltage_angle = meter.leads[i] * std::numbers::pi / 180;
  }
  return signal;
}

class EveryWiring : public ::testing::TestWithParam<WiredMeter> {
 protected:
  void SetUp() override {
    this->bus.set_transport(&this->wire);
    FrontEnd front_end{1000.0, 0.01};
    front_end.voltages = GetParam().voltages;
    this->bench.chip.rewire(this->bench.now, front_end);
    this->bench.start(GetParam().accmode);
    this->bench.write16(0x4BA, GetParam().disabled);
    this->settings.set(ade9000::reg::ACCMODE, GetParam().accmode);
    this->settings.set(ade9000::reg::CHNL_DIS, GetParam().disabled);
  }
  double total_frequency() {
    ade9000::Measurement measurement;
    EXPECT_TRUE(ade9000::measure(this->bus, ade9000::BENCH_SCALING, this->settings, {}, measurement));
    return ade9000::make_snapshot(measurement.phases, measurement.device,
                                  {.minimum_voltage = GetParam().nominal_voltage / 2, .minimum_apparent_power = 1})
        .at(ade9000::Channel::TOTAL, ade9000::Quantity::FREQUENCY);
  }
  Bench bench{[](double seconds) { return signal_of(GetParam(), seconds < STEP_AT ? 50.0 : 49.0); }};
  ade9000::BenchWire wire{bench};
  ade9000::Ade9000Bus bus;
  ade9000::ChipSettings settings;
};

TEST_P(EveryWiring, TheMeterPublishesTheFrequencyOfTheGrid) {
  this->bench.wait(1.0);
  EXPECT_NEAR(this->total_frequency(), 50.0, 1e-3);
  this->bench.wait(5.0);
  EXPECT_NEAR(this->total_frequency(), 49.0, 1e-3);
}

TEST_P(EveryWiring, TheGuardBelievesTheFrequencyOfTheGrid) {
  FrequencyLimits limits;
  limits.nominal_voltage = GetParam().nominal_voltage;
  // The high leg of a delta is no fault of the grid.
  limits.maximum_voltage = 2.0;
  FrequencyCheck check(limits, 50.0);
  CheckedFrequency checked{};
  while (this->bench.now.elapsed < STEP_AT + 2.0) {
    this->bench.wait(0.1);
    GridSample sample;
    sample.time_ms = static_cast<int64_t>(this->bench.now.elapsed * 1000);
    ASSERT_TRUE(
        read_chip_sample(this->bus, ade9000::BENCH_SCALING, ade9000::own_voltage_inputs(this->settings), sample));
    checked = check.check(sample);
    EXPECT_NE(checked.trust, Trust::INVALID) << "at " << this->bench.now.elapsed << " s";
  }
  EXPECT_EQ(checked.trust, Trust::BELIEVED);
  EXPECT_NEAR(checked.hertz, 49.0, 1e-3);
}

INSTANTIATE_TEST_SUITE_P(Wirings, EveryWiring, ::testing::ValuesIn(WIRINGS), [](const auto &each) {
  std::string name = each.param.name;
  std::erase(name, ' ');
  return name;
});

}  // namespace
}  // namespace esphome::frequency_guard

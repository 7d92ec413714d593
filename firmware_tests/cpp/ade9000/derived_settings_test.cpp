// What follows from the wiring for the chip's settings, tried on the simulated chip.

#include "firmware_tests/cpp/support/driver_bench.h"

#include "esphome/components/ade9000/chip.h"
#include "esphome/components/ade9000/derived_settings.h"
#include "esphome/components/power_quality/harmonics.h"
#include "esphome/components/power_quality/waveform_capture.h"

#include <gtest/gtest.h>

#include <numbers>

namespace esphome::ade9000 {
namespace {

using ade9000_simulator::Bench;
using ade9000_simulator::Signal;
using power_quality::WaveformCapture;
using power_quality::WaveformChannel;

constexpr uint16_t CONFIG0 = 0x060, DIP_LVL = 0x410, RUN = 0x480, ACCMODE = 0x492, CHNL_DIS = 0x4BA, EP_CFG = 0x4B0;

struct WiringCase {
  const char *name;
  uint32_t accmode, disabled;
  /// Volts and radians by which a phase is away from its place in a three-phase system.
  std::array<double, 3> volts, angles;
};
constexpr double THIRD = 2 * std::numbers::pi / 3;
// Split phase: L2 is half a turn behind L1.
const WiringCase WIRINGS[] = {
    {"wye", 0x00, 0x00, {230, 230, 230}, {0, 0, 0}},
    {"wye without L1", 0x00, 0x00, {0, 230, 230}, {0, 0, 0}},
    {"wye without L3", 0x00, 0x00, {230, 230, 0}, {0, 0, 0}},
    {"delta", 0x10, 0x22, {230, 0, 230}, {0, 0, 0}},
    {"split phase", 0x00, 0x44, {120, 120, 0}, {0, THIRD - std::numbers::pi, 0}},
    {"single phase", 0x00, 0x66, {230, 0, 0}, {0, 0, 0}},
};

TEST(DerivedSettings, TheWaveformBufferFollowsTheLineInEveryWiring) {
  for (const WiringCase &wiring : WIRINGS) {
    Signal signal = ade9000_simulator::balanced(230.0, 5.0);
    signal.frequency = 48.5;
    for (size_t phase = 0; phase < 3; phase++) {
      signal.phases[phase].voltage = wiring.volts[phase];
      signal.phases[phase].voltage_angle = wiring.angles[phase];
    }
    Bench bench(signal);
    BenchWire wire(bench);
    Ade9000Bus bus;
    bus.set_transport(&wire);
    bench.wait(0.2);
    ChipSettings settings;
    settings.set(ACCMODE, wiring.accmode);
    settings.set(CHNL_DIS, wiring.disabled);
    add_derived_settings(settings);
    settings.set(RUN, 1);
    settings.set(EP_CFG, 1);
    ASSERT_EQ(settings.write_to(bus), nullptr);
    bench.wait(1.0);
    WaveformCapture capture(bus);
    const auto now_ms = [&] { return static_cast<uint32_t>(bench.now.real * 1000); };
    capture.start(now_ms());
    for (int i = 0; i < 300 && capture.state() != WaveformCapture::State::READY; i++) {
      bench.wait(0.002);
      capture.step(now_ms());
      if (capture.state() == WaveformCapture::State::FULL)
        capture.read();
    }
    ASSERT_EQ(capture.state(), WaveformCapture::State::READY) << wiring.name;
    const auto channel = wiring.volts[0] > 0 ? WaveformChannel::VA : WaveformChannel::VB;
    power_quality::Fft fft;
    for (size_t n = 0; n < power_quality::WAVEFORM_SETS; n++)
      fft.samples[n] = capture.sample(n, channel);
    const power_quality::Harmonics harmonics = power_quality::analyse_harmonics(fft, 10.0f);
    // Sampled at 50 Hz the wave would leak to every order.
    EXPECT_LT(harmonics.thd, 0.2) << wiring.name;
  }
}

TEST(DerivedSettings, AnUpsetDipLevelIsRepaired) {
  Bench bench(ade9000_simulator::balanced(230.0, 5.0));
  BenchWire wire(bench);
  Ade9000Bus bus;
  bus.set_transport(&wire);
  bench.wait(0.2);
  Chip chip(bus);
  add_derived_settings(chip.settings());
  chip.settings().set(0x061, 0);
  chip.settings().set(RUN, 1);
  chip.settings().set(EP_CFG, 1);
  chip.begin(0, 1);
  const auto step = [&] {
    bench.wait(0.2);
    return chip.step(static_cast<uint32_t>(bench.now.real * 1000));
  };
  for (int i = 0; i < 20 && !chip.is_running(); i++)
    step();
  ASSERT_TRUE(chip.is_running());
  bench.write32(DIP_LVL, 1234567);
  chip.accept_configuration();
  for (int i = 0; i < 10; i++)
    EXPECT_EQ(step(), Chip::Event::NONE);
  bench.chip.upset_register(DIP_LVL, 1u << 17);
  bool told = false;
  for (int i = 0; i < 5; i++)
    told |= step() == Chip::Event::REPAIRED;
  EXPECT_TRUE(told);
}

TEST(DerivedSettings, TheHalfCycleRmsIsTakenBeforeTheFilterButAfterAnIntegrator) {
  ChipSettings transformer;
  add_derived_settings(transformer);
  EXPECT_EQ(transformer.get(CONFIG0), 1u << 7) << "RMS_SRC_SEL";
  ChipSettings coil;
  coil.set(CONFIG0, 1u << 5);
  add_derived_settings(coil);
  EXPECT_EQ(coil.get(CONFIG0), 1u << 5) << "INTEN";
}

}  // namespace
}  // namespace esphome::ade9000

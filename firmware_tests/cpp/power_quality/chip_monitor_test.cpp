// The driver's event monitor and waveform capture on the simulated chip, byte by byte: the detector reports the events
// of the line.

#include "firmware_tests/cpp/support/chip_bench.h"

#include "esphome/components/power_quality/harmonics.h"
#include "esphome/components/power_quality/chip_monitor.h"
#include "esphome/components/power_quality/waveform_capture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace esphome::power_quality {

using ade9000::Ade9000Bus;
using ade9000::Ade9000Transport;
namespace {

using ade9000_simulator::balanced;
using ade9000_simulator::Bench;
using ade9000_simulator::Signal;

/// The driver's parts on a bench.
struct Meter : Bench, Ade9000Transport {
  template<typename S>
  explicit Meter(S signal, const PowerQualityLimits &limits = {}) : Bench(signal), detector(limits) {
    this->bus.set_transport(this);
    this->start();
    EXPECT_TRUE(this->watch.configure({1000.0, 0.01}));
    this->wait(0.1);
  }
  void transfer(uint8_t *data, size_t length) override {
    this->longest_frame = std::max(this->longest_frame, length);
    this->bytes += length;
    this->chip.transfer(data, length, this->now);
  }
  int64_t now_us() const { return std::llround(this->now.position * 1e6); }
  uint32_t now_ms() const { return static_cast<uint32_t>(this->now_us() / 1000); }
  void poll() {
    EXPECT_TRUE(this->watch.poll(this->now_us()));
    PowerQualityEvent event;
    while (this->detector.pop(event))
      this->events.push_back(event);
  }
  Ade9000Bus bus;
  EventDetector detector;
  ChipMonitor watch{bus, detector};
  WaveformCapture capture{bus};
  std::vector<PowerQualityEvent> events;
  size_t longest_frame{0};
  size_t bytes{0};
};

struct Disturbance {
  double from, to;
  int phase;
  double volts;
};

auto disturbed(const std::vector<Disturbance> &disturbances) {
  return [disturbances](double seconds) {
    Signal signal = balanced(230.0, 5.0);
    for (const Disturbance &disturbance : disturbances) {
      if (seconds >= disturbance.from && seconds < disturbance.to)
        signal.phases[disturbance.phase].voltage = disturbance.volts;
    }
    return signal;
  };
}

// No event of one cycle or longer is missed, whenever it begins, and though the loop stands still now and then.
TEST(PowerQualityChip, NoDipOfACycleOrLongerIsMissed) {
  std::mt19937 random(42);
  const auto uniform = [&](double low, double high) { return std::uniform_real_distribution<>(low, high)(random); };
  for (int round = 0; round < 12; round++) {
    std::vector<Disturbance> truth;
    double end = 1.0;
    for (int i = 0; i < 20; i++) {
      const double from = end + uniform(0.08, 0.3), to = from + (i % 2 ? 0.0201 : uniform(0.02, 0.3));
      truth.push_back({from, to, i % 3, uniform(0, 1) < 0.7 ? uniform(15, 190) : uniform(262, 300)});
      end = to;
    }
    Meter meter(disturbed(truth));
    double stalls = 0;
    while (meter.now.position < end + 0.5) {
      // 16 ms is ESPHome's loop; every now and then something takes 60 ms.
      const bool stalls_now = uniform(0, 1) < 0.05;
      meter.wait(stalls_now ? 0.06 : uniform(0.004, 0.016));
      stalls += stalls_now;
      meter.poll();
    }
    EXPECT_GT(stalls, 3);
    ASSERT_EQ(meter.events.size(), truth.size()) << round;
    std::sort(meter.events.begin(), meter.events.end(),
              [](const auto &a, const auto &b) { return a.start_us < b.start_us; });
    for (size_t i = 0; i < truth.size(); i++) {
      const PowerQualityEvent &event = meter.events[i];
      const bool swell = truth[i].volts > 230;
      EXPECT_EQ(event.kind, swell ? PowerQualityKind::SWELL : PowerQualityKind::DIP) << i;
      EXPECT_EQ(event.phase, truth[i].phase) << i;
      // Two polls, 60 ms at worst, and the cycle of the fast rms.
      EXPECT_NEAR(static_cast<double>(event.start_us), truth[i].from * 1e6, 80e3) << i;
      EXPECT_NEAR(static_cast<double>(event.duration_us), (truth[i].to - truth[i].from) * 1e6, 140e3) << i;
      if (truth[i].to - truth[i].from > 0.035) {
        EXPECT_NEAR(event.extreme, truth[i].volts, 1.0) << i;
      }
    }
  }
}

TEST(PowerQualityChip, OvercurrentPhaseLossAndSequence) {
  PowerQualityLimits limits;
  limits.overcurrent = 20;
  Meter meter(
      [](double seconds) {
        Signal signal = balanced(230.0, 5.0);
        if (seconds >= 1.0 && seconds < 1.1)
          signal.phases[1].fundamental_current = 35.0;
        if (seconds >= 2.0 && seconds < 3.0)
          signal.phases[2].voltage = 0.0;
        if (seconds >= 4.0 && seconds < 5.0) {
          signal.phases[1].voltage_angle = -2 * std::numbers::pi / 3;
          signal.phases[2].voltage_angle = 2 * std::numbers::pi / 3;
        }
        return signal;
      },
      limits);
  while (meter.now.position < 6.0) {
    meter.wait(0.008);
    meter.poll();
  }
  ASSERT_EQ(meter.events.size(), 3u);
  EXPECT_EQ(meter.events[0].kind, PowerQualityKind::OVERCURRENT);
  EXPECT_EQ(meter.events[0].phase, 1);
  EXPECT_NEAR(meter.events[0].extreme, 35.0, 0.05);
  EXPECT_EQ(meter.events[1].kind, PowerQualityKind::PHASE_LOSS);
  EXPECT_EQ(meter.events[1].phase, 2);
  EXPECT_NEAR(meter.events[1].start_us / 1e6, 2.0, 0.03);
  EXPECT_NEAR(meter.events[1].duration_us / 1e6, 1.0, 0.04);
  EXPECT_EQ(meter.events[2].kind, PowerQualityKind::WRONG_SEQUENCE);
  EXPECT_NEAR(meter.events[2].duration_us / 1e6, 1.0, 0.1);
}

TEST(PowerQualityChip, AStartTellsNoEvent) {
  for (const double first_poll : {0.005, 0.05, 0.3, 2.0}) {
    Meter meter(balanced(230.0, 5.0));
    meter.wait(first_poll);
    while (meter.now.position < 3.0) {
      meter.poll();
      meter.wait(0.008);
    }
    EXPECT_EQ(meter.detector.started(), 0u) << first_poll;
  }
}

TEST(PowerQualityChip, ADipAtTheStartIsToldOnceTheFiltersAreFull) {
  Meter meter(disturbed({{0.0, 2.0, 1, 150.0}}));
  while (meter.now.position < 3.0) {
    meter.poll();
    meter.wait(0.008);
  }
  ASSERT_EQ(meter.events.size(), 1u);
  EXPECT_EQ(meter.events[0].phase, 1);
  EXPECT_LT(meter.events[0].start_us, 1000000);
}

// The chip latches SEQERR as well where a phase does not cross zero (data sheet p. 37).
TEST(PowerQualityChip, AMissingPhaseIsNoWrongSequence) {
  std::mt19937 random(7);
  const auto uniform = [&](double low, double high) { return std::uniform_real_distribution<>(low, high)(random); };
  for (const double slowest : {0.006, 0.016, 0.06, 0.4}) {
    std::vector<Disturbance> losses;
    double end = 1.0;
    for (int i = 0; i < 20; i++) {
      const double from = end + uniform(0.03, 0.7);
      end = from + uniform(0.01, 1.2);
      losses.push_back({from, end, i % 3, i % 2 ? 0.0 : 0.3});
    }
    Meter meter(disturbed(losses));
    while (meter.now.position < end + 1.0) {
      meter.wait(uniform(0.004, slowest));
      meter.poll();
    }
    EXPECT_GT(meter.events.size(), 5u);
    for (const PowerQualityEvent &event : meter.events)
      EXPECT_NE(event.kind, PowerQualityKind::WRONG_SEQUENCE) << slowest << " at " << event.start_us;
  }
}

TEST(PowerQualityChip, AMeterOfFewerPhasesNeverTellsOfTheSequence) {
  for (const uint8_t phases : {0b001, 0b011, 0b111}) {
    PowerQualityLimits limits;
    limits.phases = phases;
    Meter meter(
        [](double) {
          Signal signal = balanced(230.0, 5.0);
          signal.phases[1].voltage_angle = std::numbers::pi / 3;  // split phase
          signal.phases[2].voltage = 0.0;
          return signal;
        },
        limits);
    while (meter.now.position < 3.0) {
      meter.wait(0.008);
      meter.poll();
    }
    std::array<PowerQualityEvent, EventDetector::MAX_ONGOING> ongoing;
    const size_t count = meter.detector.ongoing(ongoing);
    EXPECT_TRUE(meter.events.empty());
    EXPECT_EQ(count, phases == 0b111 ? 1u : 0u) << "the missing phase, where one is expected";
  }
}

// OIx keeps its value beyond the event (data sheet p. 68), and OI does not say of which phase it speaks.
TEST(PowerQualityChip, AnOvercurrentOfOnePhaseIsNoneOfAnother) {
  for (const double rhythm : {0.006, 0.15}) {
    PowerQualityLimits limits;
    limits.overcurrent = 20;
    Meter meter(
        [](double seconds) {
          Signal signal = balanced(230.0, 5.0);
          // Longer than a poll, rising after its beginning, and shorter than one.
          const int round = static_cast<int>(seconds);
          const double since = seconds - round, current = 30.0 + 5.0 * (round / 6 % 2);
          if (round >= 1 && since < (round % 2 ? 0.5 : 0.08))
            signal.phases[round % 3].fundamental_current = current + 10.0 * std::floor(since * 5);
          return signal;
        },
        limits);
    while (meter.now.position < 29.8) {
      meter.wait(rhythm);
      meter.poll();
    }
    ASSERT_EQ(meter.events.size(), 29u) << rhythm;
    for (size_t i = 0; i < meter.events.size(); i++) {
      EXPECT_EQ(meter.events[i].kind, PowerQualityKind::OVERCURRENT);
      EXPECT_EQ(meter.events[i].phase, (i + 1) % 3) << i << ", every " << rhythm << " s";
    }
  }
}

TEST(PowerQualityChip, AnOvercurrentBetweenTwoPollsIsToldThoughAsHighAsTheLast) {
  PowerQualityLimits limits;
  limits.overcurrent = 20;
  Meter meter(
      [](double seconds) {
        Signal signal = balanced(230.0, 5.0);
        if (seconds >= 1.0 && seconds - std::floor(seconds) < 0.08)
          signal.phases[2].fundamental_current = 40.0;
        return signal;
      },
      limits);
  meter.write16(0x493, 0x2000);  // CONFIG3.OC_EN: C alone, the neutral carries the same
  while (meter.now.position < 5.5) {
    meter.wait(0.25);
    meter.poll();
  }
  EXPECT_EQ(meter.events.size(), 5u);
}

TEST(PowerQualityChip, AnOvercurrentOfTheNeutralIsNoneOfAPhase) {
  PowerQualityLimits limits;
  limits.overcurrent = 20;
  Meter meter(
      [](double seconds) {
        Signal signal = balanced(230.0, 5.0);
        if (seconds >= 1.0 && seconds < 1.3)
          signal.phases[0].fundamental_current = 40.0;
        if (seconds >= 2.0 && seconds < 2.3) {
          for (auto &phase : signal.phases)
            phase.current_harmonics = {{3, 2.0, 0.0}};
        }
        return signal;
      },
      limits);
  while (meter.now.position < 3.0) {
    meter.wait(0.008);
    meter.poll();
  }
  EXPECT_EQ(meter.events.size(), 1u);
}

TEST(PowerQualityChip, ADamagedFrameMakesNoEvent) {
  Meter meter(balanced(230.0, 5.0));
  for (unsigned bit = 0; bit < 200; bit++) {
    meter.wait(0.008);
    meter.chip.corrupt_next_frames(1, bit);
    EXPECT_FALSE(meter.watch.poll(meter.now_us()));
    meter.wait(0.008);
    meter.poll();
  }
  EXPECT_TRUE(meter.events.empty());
  EXPECT_EQ(meter.detector.started(), 0u);
}

/// Runs the capture to an end. @return how many steps it took.
int run(Meter &meter) {
  int steps = 0;
  for (; steps < 300; steps++) {
    meter.wait(0.002);
    meter.capture.step(meter.now_ms());
    const auto state = meter.capture.state();
    if (state == WaveformCapture::State::FULL)
      meter.capture.read();
    if (state == WaveformCapture::State::READY || state == WaveformCapture::State::FAILED)
      break;
  }
  return steps;
}

TEST(WaveformCapture, BringsTheHarmonicsOfTheLine) {
  Signal signal = balanced(230.0, 10.0, 30.0);
  signal.frequency = 50.3;
  signal.phases[0].voltage_harmonics = {{3, 0.05, 0.4}, {40, 0.01, -1.0}};
  signal.phases[1].current_harmonics = {{5, 0.4, 2.0}, {2, 0.02, 0.0}};
  Meter meter(signal);
  meter.capture.start(meter.now_ms());
  run(meter);
  ASSERT_EQ(meter.capture.state(), WaveformCapture::State::READY);
  Fft fft;
  const auto analyse = [&](WaveformChannel channel) {
    for (size_t n = 0; n < WAVEFORM_SETS; n++)
      fft.samples[n] = meter.capture.sample(n, channel);
    return analyse_harmonics(fft, 10.0f);
  };
  const Harmonics va = analyse(WaveformChannel::VA), ia = analyse(WaveformChannel::IA),
                  ib = analyse(WaveformChannel::IB), vb = analyse(WaveformChannel::VB),
                  neutral = analyse(WaveformChannel::IN);
  for (size_t order = 2; order <= HIGHEST_HARMONIC; order++) {
    EXPECT_NEAR(va.percent[order], order == 3 ? 5.0 : order == 40 ? 1.0 : 0.0, 0.03) << order;
    EXPECT_NEAR(ib.percent[order], order == 5 ? 40.0 : order == 2 ? 2.0 : 0.0, 0.2) << order;
  }
  EXPECT_NEAR(va.fundamental / WAVEFORM_FULL_SCALE * std::numbers::sqrt2 * Bench::FULL_VOLTAGE, 230.0, 0.1);
  EXPECT_NEAR(std::remainder(va.angle - ia.angle - std::numbers::pi / 6, 2 * std::numbers::pi), 0.0, 2e-3);
  EXPECT_NEAR(std::remainder(va.angle - vb.angle - 2 * std::numbers::pi / 3, 2 * std::numbers::pi), 0.0, 2e-3);
  EXPECT_TRUE(std::isnan(neutral.thd)) << "balanced fundamentals leave the neutral only harmonics";
}

TEST(WaveformCapture, NoStepTakesLongerThanFiveMillisecondsAtFiveMegahertz) {
  Meter meter(balanced(230.0, 10.0));
  meter.capture.start(meter.now_ms());
  size_t most = 0;
  for (int i = 0; i < 200 && meter.capture.state() != WaveformCapture::State::READY; i++) {
    meter.wait(0.002);
    meter.bytes = 0;
    meter.capture.step(meter.now_ms());
    if (meter.capture.state() == WaveformCapture::State::FULL)
      meter.capture.read();
    most = std::max(most, meter.bytes);
  }
  ASSERT_EQ(meter.capture.state(), WaveformCapture::State::READY);
  EXPECT_LT(most * 8 / 5e6, 0.005);
}

TEST(WaveformCapture, EveryRearmIsAnotherStretchOfTheLine) {
  // The voltage grows each second: each capture must show its own.
  Meter meter([](double seconds) { return balanced(100.0 + 10.0 * std::floor(seconds), 5.0); });
  for (int round = 1; round <= 5; round++) {
    while (meter.now.position < round + 0.1)
      meter.wait(0.01);
    meter.capture.start(meter.now_ms());
    run(meter);
    ASSERT_EQ(meter.capture.state(), WaveformCapture::State::READY);
    double squares = 0;
    for (size_t n = 0; n < WAVEFORM_SETS; n++)
      squares += std::pow(meter.capture.sample(n, WaveformChannel::VC), 2) / WAVEFORM_SETS;
    EXPECT_NEAR(std::sqrt(squares) / WAVEFORM_FULL_SCALE * std::numbers::sqrt2 * Bench::FULL_VOLTAGE,
                100.0 + 10.0 * round, 0.1);
    EXPECT_NEAR(meter.capture.full_at() - meter.capture.started_at(), 80, 5);
  }
}

TEST(WaveformCapture, FailsWhereTheChipDoesNotAnswer) {
  using Miso = ade9000_simulator::SimulatedChip::Miso;
  for (const Miso miso : {Miso::STUCK_HIGH, Miso::STUCK_LOW}) {
    Meter meter(balanced(230.0, 10.0));
    meter.chip.set_miso(miso);
    meter.capture.start(meter.now_ms());
    EXPECT_EQ(meter.capture.state(), WaveformCapture::State::FAILED);
    meter.chip.set_miso(Miso::DRIVEN);
    meter.capture.start(meter.now_ms());
    while (meter.capture.state() != WaveformCapture::State::FULL) {
      meter.wait(0.002);
      meter.capture.step(meter.now_ms());
    }
    meter.chip.set_miso(miso);
    meter.capture.read();
    EXPECT_EQ(meter.capture.state(), WaveformCapture::State::FAILED);
  }
}

TEST(WaveformCapture, OfADeadLineIsZeros) {
  Meter meter(balanced(0.0, 0.0));
  meter.capture.start(meter.now_ms());
  run(meter);
  ASSERT_EQ(meter.capture.state(), WaveformCapture::State::READY);
  for (size_t set = 0; set < WAVEFORM_SETS; set++)
    EXPECT_EQ(meter.capture.sample(set, WaveformChannel::VB), 0);
}

TEST(WaveformCapture, AResetInTheMiddleIsNoWaveform) {
  Meter meter(balanced(230.0, 10.0));
  meter.capture.start(meter.now_ms());
  meter.wait(0.02);
  meter.chip.brown_out(meter.now);
  run(meter);
  EXPECT_EQ(meter.capture.state(), WaveformCapture::State::FAILED) << "while it samples";

  Meter other(balanced(230.0, 10.0));
  other.capture.start(other.now_ms());
  while (other.capture.state() != WaveformCapture::State::FULL) {
    other.wait(0.002);
    other.capture.step(other.now_ms());
  }
  other.capture.read();
  other.capture.step(other.now_ms());
  other.chip.brown_out(other.now);
  other.wait(0.1);
  run(other);
  EXPECT_EQ(other.capture.state(), WaveformCapture::State::FAILED) << "while it is read";
}

}  // namespace
}  // namespace esphome::power_quality

// Frames between microcontroller and chip are lost, shortened, doubled and garbled, writes and reads alike: whatever
// happens to them, the meter heals within two updates, goes on counting, and shows nothing false.

#include "firmware_tests/cpp/support/driver_bench.h"
#include "firmware_tests/cpp/support/run_length.h"

#include "esphome/components/ade9000/chip.h"
#include "esphome/components/ade9000/energy_totals.h"
#include "esphome/components/ade9000/measurement.h"
#include "esphome/components/power_quality/chip_monitor.h"
#include "esphome/components/power_quality/event_detector.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace esphome::ade9000 {
namespace {

using ade9000_simulator::balanced;
using ade9000_simulator::Bench;
using ade9000_simulator::LineFault;
using Event = Chip::Event;

constexpr double UPDATE = 0.2;
constexpr double VOLTAGE = 230.0;
constexpr double CURRENT = 10.0;
constexpr double POWER = VOLTAGE * CURRENT;
constexpr LineFault FAULTS[] = {LineFault::LOST, LineFault::SHORTENED, LineFault::DOUBLED, LineFault::GARBLED_COMMAND,
                                LineFault::GARBLED_REPLY};

/// What the hub does at an update, with everything that is measured.
struct Meter {
  Meter() {
    this->bus.set_transport(&this->wire);
    ChipSettings &settings = this->chip.settings();
    settings.set(0x493, 0xF000 | 7U << 2);  // CONFIG3
    settings.set(0x492, 0);                 // ACCMODE
    settings.set(0x4B2, 159);               // EGY_TIME: 20 ms
    settings.set(0x061, 0);                 // where the session goes
    settings.set(0x480, 1);                 // RUN
    settings.set(0x4B0, 1);                 // EP_CFG
    this->wanted.set();
    this->chip.begin(0, 77);
    for (int i = 0; i < 20; i++)
      this->update();
    this->resets = 0;
  }

  void update() {
    this->bench.wait(UPDATE);
    Event event = this->step();
    if (!this->chip.is_running() && event != Event::NONE && event != Event::UNREADABLE)
      event = this->step();
    this->is_measured = false;
    if (!this->chip.is_running() || event == Event::UNREADABLE)
      return;
    EnergyCodes codes;
    if (!read_energy_codes(this->bus, codes))
      return;
    this->totals.count(codes, BENCH_SCALING);
    if (!measure(this->bus, BENCH_SCALING, this->chip.settings(), this->wanted, this->measurement))
      return;
    this->is_measured = true;
  }

  Event step() {
    const Event event = this->chip.step(static_cast<uint32_t>(this->bench.now.real * 1000));
    switch (event) {
      case Event::STARTED:
        this->totals.start();
        this->resets++;
        break;
      case Event::CHANGED:
      case Event::FAILED: {
        EnergyCodes codes;
        if (read_energy_codes(this->bus, codes))
          this->totals.count(codes, BENCH_SCALING);
        break;
      }
      case Event::REPAIRED:
        this->chip.accept_configuration();
        break;
      default:
        break;
    }
    return event;
  }

  /// Whether what was measured is what is there.
  bool is_right() const {
    for (const PhaseValues &phase : this->measurement.phases) {
      if (std::abs(phase.voltage - VOLTAGE) > 0.5 || std::abs(phase.current - CURRENT) > 0.05 ||
          std::abs(phase.active_power - POWER) > 5.0 || std::abs(phase.frequency - 50.0) > 0.01)
        return false;
    }
    return true;
  }

  double imported_wh() const { return this->totals.active().get_import(Channel::L1) * 1e-9; }
  double exported_wh() const { return this->totals.active().get_export(Channel::L1) * 1e-9; }
  double true_wh() const { return POWER * this->bench.now.elapsed / 3600.0; }

  Bench bench{balanced(VOLTAGE, CURRENT)};
  BenchWire wire{bench};
  Ade9000Bus bus;
  Chip chip{bus};
  EnergyTotals totals;
  Measurement measurement;
  WantedQuantities wanted;
  bool is_measured{false};
  int resets{0};
};

/// What an update and a reset of the chip with its settling can hold.
constexpr double ONE_UPDATE_WH = POWER * UPDATE / 3600.0;
constexpr double ONE_RESET_WH = POWER * (2 * UPDATE + 0.2) / 3600.0;

TEST(LineFaults, EachFrameOfAnUpdateMaySufferEachFault) {
  Meter meter;
  // Frames of one update.
  size_t frames = 0;
  meter.wire.before = [&](size_t) { frames++; };
  meter.update();
  const size_t count = frames;
  ASSERT_GT(count, 40u);
  const size_t step = rounds<size_t>(11, 1);
  double offset = meter.imported_wh() - meter.true_wh();
  size_t tried = 0;
  for (const LineFault fault : FAULTS) {
    // The bits of the header are the worst: another register, a write instead of a read.
    for (size_t position = 0; position < (fault == LineFault::GARBLED_COMMAND ? 16u : 3u); position++) {
      for (size_t frame = position % step; frame < count; frame += step) {
        size_t number = 0;
        meter.wire.before = [&](size_t) {
          if (number++ == frame)
            meter.bench.chip.fail_next_frames(fault, 1, position);
        };
        const int resets = meter.resets;
        meter.update();
        meter.bench.chip.fail_next_frames(LineFault::NONE, 0);
        const auto where = ::testing::Message()
                           << "fault " << static_cast<int>(fault) << " of frame " << frame << ", position " << position;
        ASSERT_TRUE(!meter.is_measured || meter.is_right()) << "false reading, " << where;
        tried++;
        meter.wire.before = nullptr;
        meter.update();
        ASSERT_TRUE(!meter.is_measured || meter.is_right()) << "false reading afterwards, " << where;
        // The checksum that notices a stray write takes two updates; then two more until all is well.
        for (int i = 0; i < 4; i++)
          meter.update();
        ASSERT_TRUE(meter.is_measured) << where;
        ASSERT_TRUE(meter.is_right()) << where;
        const double now = meter.imported_wh() - meter.true_wh();
        const int new_resets = meter.resets - resets;
        ASSERT_LE(new_resets, 1) << where;
        ASSERT_NEAR(now, offset, ONE_UPDATE_WH + new_resets * ONE_RESET_WH) << where;
        ASSERT_LT(meter.exported_wh(), 1e-9) << where;
        if (new_resets > 0)
          offset = now;
      }
    }
  }
  std::printf("%zu single faults, %d resets of the chip\n", tried, meter.resets);
  // Only what stops the counting itself costs a reset: RUN or EP_CFG written by a damaged header.
  EXPECT_LE(meter.resets, static_cast<int>(tried / 50));
}

TEST(LineFaults, AtRandomForALongTimeLoseNoEnergy) {
  Meter meter;
  std::mt19937 random(20261130);
  std::uniform_real_distribution<double> chance(0.0, 1.0);
  size_t frames = 0, faults = 0, wrong = 0, measured = 0;
  meter.wire.before = [&](size_t length) {
    frames++;
    if (chance(random) < 0.005) {
      faults++;
      meter.bench.chip.fail_next_frames(FAULTS[random() % std::size(FAULTS)], 1, random() % (8 * length));
    }
  };
  const double start = meter.imported_wh() - meter.true_wh();
  const size_t updates = rounds<size_t>(600, 5 * 3600 * 2);
  for (size_t i = 0; i < updates; i++) {
    meter.update();
    if (meter.is_measured) {
      measured++;
      wrong += !meter.is_right();
    }
  }
  meter.wire.before = nullptr;
  for (int i = 0; i < 10; i++)
    meter.update();
  ASSERT_TRUE(meter.is_measured);
  EXPECT_TRUE(meter.is_right());
  EXPECT_EQ(wrong, 0u);
  EXPECT_GT(measured, updates * 8 / 10);
  const double error = meter.imported_wh() - meter.true_wh() - start;
  std::printf("%zu frames, %zu faults, %zu of %zu updates measured, %d resets, energy off by %.4f of %.1f Wh\n", frames,
              faults, measured, updates, meter.resets, error, meter.true_wh());
  EXPECT_NEAR(error, 0.0, ONE_UPDATE_WH + meter.resets * ONE_RESET_WH);
  EXPECT_LT(meter.exported_wh(), 1e-6);
}

TEST(LineFaults, TellNoEventOfTheSupplyThatWasNone) {
  Meter meter;
  power_quality::PowerQualityLimits limits;
  limits.nominal_voltage = VOLTAGE;
  limits.overcurrent = 20.0;
  power_quality::EventDetector detector(limits);
  power_quality::ChipMonitor monitor(meter.bus, detector);
  ASSERT_TRUE(monitor.configure(BENCH_SCALING));
  meter.chip.accept_configuration();
  std::mt19937 random(7);
  meter.wire.before = [&](size_t length) {
    if (random() % 200 == 0)
      meter.bench.chip.fail_next_frames(FAULTS[random() % std::size(FAULTS)], 1, random() % (8 * length));
  };
  size_t polls = 0;
  const size_t count = rounds<size_t>(2000, 100000);
  for (size_t i = 0; i < count; i++) {
    meter.bench.wait(0.01);
    polls += monitor.poll(static_cast<int64_t>(meter.bench.now.real * 1e6));
  }
  EXPECT_GT(polls, count * 8 / 10);
  power_quality::PowerQualityEvent event;
  EXPECT_FALSE(detector.pop(event)) << power_quality::power_quality_kind_name(event.kind);
}

}  // namespace
}  // namespace esphome::ade9000

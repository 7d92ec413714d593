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
#include <vector>

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
  explicit Meter(bool is_set_up = true) {
    this->bus.set_transport(&this->wire);
    ChipSettings &settings = this->chip.settings();
    settings.set(0x4B9, 0);                 // PGA_GAIN
    settings.set(0x481, 0);                 // CONFIG1
    settings.set(0x40F, 0x0022EA28);        // VLEVEL
    settings.set(0x493, 0xF000 | 7U << 2);  // CONFIG3
    settings.set(0x492, 0);                 // ACCMODE
    settings.set(0x4B2, 159);               // EGY_TIME: 20 ms
    settings.set(0x061, 0);                 // where the session goes
    settings.set(0x480, 1);                 // RUN
    settings.set(0x4B0, 1);                 // EP_CFG
    this->wanted.set();
    this->chip.begin(0, 77);
    if (!is_set_up)
      return;
    for (int i = 0; i < 20; i++)
      this->update();
    this->resets = 0;
  }

  /// All registers of the configuration that a write may have reached, but the session's.
  std::vector<uint32_t> configuration() {
    std::vector<uint32_t> values;
    for (uint16_t address = 0x000; address <= 0x073; address++) {
      if (address != 0x061)
        values.push_back(this->bench.read32(address));
    }
    for (uint16_t address = 0x405; address <= 0x425; address++) {
      if (address < 0x40A || address > 0x40D)                                  // OIA to OIN
        values.push_back(address == 0x423 ? 0 : this->bench.read32(address));  // LAST_DATA_32
    }
    for (uint16_t address : {0x480, 0x481, 0x490, 0x491, 0x492, 0x493, 0x494, 0x495, 0x496, 0x497, 0x498,
                             0x499, 0x49A, 0x4AF, 0x4B0, 0x4B1, 0x4B2, 0x4B5, 0x4B9, 0x4BA, 0x4E0})
      values.push_back(this->bench.read16(address));
    return values;
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
        this->resets += !this->is_stopped;
        this->restarts += this->is_stopped;
        this->is_stopped = false;
        break;
      case Event::CHANGED:
      case Event::STOPPED:
      case Event::FAILED: {
        this->is_stopped = event == Event::STOPPED;
        EnergyCodes codes;
        if (this->chip.has_right_energies() && read_energy_codes(this->bus, codes))
          this->totals.count(codes, BENCH_SCALING);
        break;
      }
      case Event::REPAIRED:
        this->repairs++;
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
  bool is_stopped{false};
  /// Of the chip, starts of one that was stopped, and repairs of its configuration.
  int resets{0};
  int restarts{0};
  int repairs{0};
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
  const double offset = meter.imported_wh() - meter.true_wh();
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
        meter.update();
        meter.bench.chip.fail_next_frames(LineFault::NONE, 0);
        const auto where = ::testing::Message()
                           << "fault " << static_cast<int>(fault) << " of frame " << frame << ", position " << position;
        ASSERT_TRUE(!meter.is_measured || meter.is_right()) << "false reading, " << where;
        tried++;
        meter.wire.before = nullptr;
        meter.update();
        ASSERT_TRUE(!meter.is_measured || meter.is_right()) << "false reading afterwards, " << where;
        meter.update();
        ASSERT_TRUE(meter.is_measured) << where;
        ASSERT_TRUE(meter.is_right()) << where;
        const double now = meter.imported_wh() - meter.true_wh();
        ASSERT_NEAR(now, offset, ONE_UPDATE_WH) << where;
        ASSERT_LT(meter.exported_wh(), 1e-9) << where;
      }
    }
  }
  std::printf("%zu single faults, %d resets of the chip, %d restarts\n", tried, meter.resets, meter.restarts);
  EXPECT_EQ(meter.resets + meter.restarts, 0);
}

// While the chip is set up nothing is counted yet, but what goes astray then must not stay.
TEST(LineFaults, EachFrameOfASetUpMaySufferEachFault) {
  const std::vector<uint32_t> right = Meter().configuration();
  size_t count = 1;
  const size_t step = rounds<size_t>(19, 1);
  size_t tried = 0;
  for (const LineFault fault : FAULTS) {
    for (size_t position = 0; position < (fault == LineFault::GARBLED_COMMAND ? 16u : 3u); position++) {
      for (size_t frame = position % step; frame < count; frame += step) {
        Meter meter(false);
        meter.wanted.reset();
        size_t number = 0;
        meter.wire.before = [&](size_t) {
          if (number++ == frame)
            meter.bench.chip.fail_next_frames(fault, 1, position);
        };
        while (!meter.is_measured)
          meter.update();
        count = std::max(count, number);
        meter.wire.before = nullptr;
        for (int i = 0; i < 6; i++)
          meter.update();
        const auto where = ::testing::Message()
                           << "fault " << static_cast<int>(fault) << " of frame " << frame << ", position " << position;
        ASSERT_TRUE(meter.is_measured) << where;
        ASSERT_TRUE(meter.is_right()) << where;
        ASSERT_EQ(meter.configuration(), right) << where;
        tried++;
      }
    }
  }
  std::printf("%zu single faults of a set-up of %zu frames\n", tried, count);
}

TEST(LineFaults, AChipThatIsStoppedCountsAgainWithinTwoUpdates) {
  Meter meter;
  const double start = meter.imported_wh() - meter.true_wh();
  meter.bench.write16(0x480, 0);  // RUN
  meter.update();
  meter.update();
  EXPECT_EQ(meter.bench.read16(0x480), 1);
  for (int i = 0; i < 50; i++)
    meter.update();
  EXPECT_TRUE(meter.is_right());
  EXPECT_NEAR(meter.imported_wh() - meter.true_wh() - start, 0.0, 2 * ONE_UPDATE_WH);
  EXPECT_LT(meter.exported_wh(), 1e-9);
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
  std::printf(
      "%zu frames, %zu faults, %zu of %zu updates measured, %d resets, %d restarts, energy off by %.4f of %.1f Wh\n",
      frames, faults, measured, updates, meter.resets, meter.restarts, error, meter.true_wh());
  EXPECT_NEAR(error, 0.0, ONE_UPDATE_WH + meter.resets * ONE_RESET_WH);
  EXPECT_LT(meter.exported_wh(), 1e-6);
}

// Worse than a single fault: one frame of a hundred has several of its bits inverted, on its way there, back, or both.
// A read may become a write of anything to any register then, a gain say: what the chip measures until that is repaired
// is wrong, and so is what it counts in one update.
TEST(LineFaults, OfManyBitsLoseNoEnergyEither) {
  Meter meter;
  std::mt19937 random(20261201);
  std::uniform_real_distribution<double> chance(0.0, 1.0);
  size_t frames = 0, faults = 0, wrong = 0, unexplained = 0, measured = 0;
  int ways = 0;
  const auto damage = [&](uint8_t *data, size_t length) {
    for (size_t bits = 1 + random() % 6; bits > 0; bits--) {
      const size_t bit = random() % (8 * length);
      data[bit / 8] ^= 0x80 >> (bit % 8);
    }
  };
  meter.wire.garble = [&](uint8_t *data, size_t length) {
    frames++;
    ways = chance(random) < 0.01 ? 1 + random() % 3 : 0;
    faults += ways != 0;
    if (ways & 1)
      damage(data, length);
  };
  meter.wire.disturb = [&](uint8_t *data, size_t length) {
    if (ways & 2)
      damage(data, length);
  };
  const double start = meter.imported_wh() - meter.true_wh();
  const size_t updates = rounds<size_t>(600, 5 * 3600 * 4);
  int known_repairs = 0;
  size_t repaired_at = 0, wrong_in_a_row = 0;
  for (size_t i = 0; i < updates; i++) {
    meter.update();
    measured += meter.is_measured;
    const bool is_wrong = meter.is_measured && !meter.is_right();
    wrong += is_wrong;
    // Two updates until it is noticed, and three until the registers have settled.
    const int repairs = meter.repairs + meter.resets + meter.restarts;
    if (repairs != known_repairs)
      repaired_at = i;
    known_repairs = repairs;
    if (!is_wrong || i - repaired_at <= 3) {
      wrong_in_a_row = 0;
    } else if (++wrong_in_a_row > 2) {
      unexplained++;
    }
  }
  meter.wire.garble = meter.wire.disturb = nullptr;
  for (int i = 0; i < 10; i++)
    meter.update();
  ASSERT_TRUE(meter.is_measured);
  EXPECT_TRUE(meter.is_right());
  EXPECT_EQ(unexplained, 0u);
  EXPECT_LE(wrong, 1 + updates / 1000);
  EXPECT_GT(measured, updates * 8 / 10);
  const double error = meter.imported_wh() - meter.true_wh() - start;
  std::printf(
      "%zu frames, %zu damaged, %zu of %zu updates measured, %zu wrong, %d resets, %d restarts, %d repairs, energy off "
      "by %.4f of %.1f Wh\n",
      frames, faults, measured, updates, wrong, meter.resets, meter.restarts, meter.repairs, error, meter.true_wh());
  EXPECT_NEAR(error, 0.0, ONE_UPDATE_WH * (1 + meter.restarts + meter.repairs) + meter.resets * ONE_RESET_WH);
  EXPECT_LE(meter.resets, static_cast<int>(1 + faults / 10000));
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

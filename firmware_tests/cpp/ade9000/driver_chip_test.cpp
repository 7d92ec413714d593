// The chip's life in the driver's view: start, take-over, loss, and changes of its own.

#include "firmware_tests/cpp/support/driver_bench.h"

#include "esphome/components/ade9000/chip.h"
#include "esphome/components/ade9000/energy_totals.h"

#include <gtest/gtest.h>

namespace esphome::ade9000 {
namespace {

using ade9000_simulator::balanced;
using ade9000_simulator::Bench;
using Event = Chip::Event;

constexpr uint32_t SESSION = 0xC0FFEE01;

/// A microcontroller with the driver in it: it may be replaced while the chip goes on.
struct Controller {
  explicit Controller(Bench &its_bench) : wire(its_bench), bench(its_bench) {
    this->bus.set_transport(&this->wire);
    this->chip.settings().set(0x492, 0);    // ACCMODE
    this->chip.settings().set(0x4B2, 159);  // EGY_TIME: 20 ms
    this->chip.settings().set(0x061, 0);    // where the session goes
    this->chip.settings().set(0x480, 1);    // RUN
    this->chip.settings().set(0x4B0, 1);    // EP_CFG
  }
  Event step() { return this->chip.step(static_cast<uint32_t>(this->bench.now.real * 1000)); }
  /// Updates of 200 ms until something happens, at most `updates`.
  Event run(int updates) {
    for (int i = 0; i < updates; i++) {
      this->bench.wait(0.2);
      const Event event = this->step();
      if (event != Event::NONE)
        return event;
    }
    return Event::NONE;
  }
  bool count() {
    EnergyCodes codes;
    return read_energy_codes(this->bus, codes) && this->totals.count(codes, BENCH_SCALING);
  }
  double imported_wh() const { return this->totals.active().get_import(Channel::L1) * 1e-9; }

  BenchWire wire;
  Bench &bench;
  Ade9000Bus bus;
  Chip chip{bus};
  EnergyTotals totals;
};

TEST(Chip, IsResetAndConfiguredAtTheFirstStart) {
  Bench bench(balanced(230, 10));
  Controller controller(bench);
  controller.chip.begin(0, SESSION);
  EXPECT_EQ(controller.run(4), Event::STARTED);
  EXPECT_EQ(bench.read32(0x061), SESSION);
  EXPECT_EQ(bench.read16(0x480), 1);
  EXPECT_EQ(controller.run(50), Event::NONE);
  EXPECT_TRUE(controller.chip.is_running());
}

TEST(Chip, IsFollowedThroughAResetOfItsOwn) {
  Bench bench(balanced(230, 10));
  Controller controller(bench);
  controller.chip.begin(0, SESSION);
  ASSERT_EQ(controller.run(4), Event::STARTED);
  bench.chip.brown_out(bench.now, 0.05);
  EXPECT_EQ(controller.run(5), Event::LOST);
  EXPECT_EQ(controller.step(), Event::STARTED);
  // Another counting, so another number: what was kept of the first must not meet the second.
  EXPECT_NE(controller.chip.session(), SESSION);
  EXPECT_EQ(controller.run(20), Event::NONE);
}

TEST(Chip, AnyRegisterThatChangesByItselfIsNoticed) {
  // A setting of the driver's, a gain nobody set, a phase compensation.
  for (uint16_t address : {0x492, 0x00B, 0x026}) {
    Bench bench(balanced(230, 10));
    Controller controller(bench);
    controller.chip.begin(0, SESSION);
    ASSERT_EQ(controller.run(4), Event::STARTED);
    ASSERT_EQ(controller.run(5), Event::NONE);
    bench.chip.upset_register(address, 0x10);
    EXPECT_EQ(controller.run(5), Event::REPAIRED) << std::hex << address;
    EXPECT_EQ(bench.read32(address) & 0x10, 0u);
    EXPECT_EQ(controller.run(20), Event::NONE);
    EXPECT_EQ(controller.chip.session(), SESSION) << "the counting went on";
  }
}

TEST(Chip, ThatSumsEnergiesInAnotherWayIsResetAndConfiguredAnew) {
  for (uint16_t flipped : {1 << 0, 1 << 4, 1 << 5}) {  // EP_CFG: EGY_PWR_EN, EGY_LD_ACCUM, RD_RST_EN
    Bench bench(balanced(230, 10));
    Controller controller(bench);
    controller.chip.begin(0, SESSION);
    ASSERT_EQ(controller.run(4), Event::STARTED);
    ASSERT_EQ(controller.run(5), Event::NONE);
    bench.chip.upset_register(0x4B0, flipped);
    EXPECT_EQ(controller.run(5), Event::CHANGED) << std::hex << flipped;
    EXPECT_FALSE(controller.chip.has_right_energies());
    EXPECT_EQ(controller.run(4), Event::STARTED);
    EXPECT_EQ(controller.run(20), Event::NONE);
  }
}

TEST(Chip, ThatWasStoppedIsStartedAnewWithoutAReset) {
  Bench bench(balanced(230, 10));
  Controller controller(bench);
  controller.chip.begin(0, SESSION);
  ASSERT_EQ(controller.run(4), Event::STARTED);
  ASSERT_EQ(controller.run(5), Event::NONE);
  bench.write16(0x480, 0);  // RUN
  // What hit RUN may have hit more.
  bench.chip.upset_register(0x00B, 0x10);
  ASSERT_EQ(controller.run(1), Event::STOPPED);
  EXPECT_TRUE(controller.chip.has_right_energies()) << "what it has counted is to be taken";
  EXPECT_FALSE(controller.chip.is_running());
  EXPECT_EQ(controller.step(), Event::STARTED);
  EXPECT_EQ(bench.read16(0x480), 1);
  EXPECT_EQ(bench.read32(0x00B), 0u);
  EXPECT_EQ(bench.read32(0x403) & 1U << 16, 0u) << "STATUS1.RSTDONE: no reset";
  EXPECT_NE(controller.chip.session(), SESSION) << "whether its counters went on nobody knows";
  EXPECT_EQ(controller.run(20), Event::NONE);
}

TEST(Chip, AWriteThatWentAstrayIsMadeGoodAtTheNextUpdate) {
  for (const bool is_checksum_known : {false, true}) {
    Bench bench(balanced(230, 10));
    Controller controller(bench);
    controller.chip.begin(0, SESSION);
    ASSERT_EQ(controller.run(4), Event::STARTED);
    if (is_checksum_known) {
      ASSERT_EQ(controller.run(5), Event::NONE);
    }
    // TEMP_CFG (0x4B6) becomes EGY_TIME, and the temperature's start is accepted as the right configuration.
    bench.chip.fail_next_frames(ade9000_simulator::LineFault::GARBLED_COMMAND, 1, 9);
    controller.bus.write(0x4B6, 0x0C);
    ASSERT_EQ(bench.read16(0x4B2), 0x0C);
    controller.chip.accept_configuration();
    EXPECT_EQ(controller.run(1), Event::REPAIRED);
    EXPECT_EQ(bench.read16(0x4B2), 159);
    EXPECT_EQ(controller.run(20), Event::NONE);
  }
}

TEST(Chip, WithItsCrcSwitchedOffIsHeardAgainAtOnce) {
  Bench bench(balanced(230, 10));
  Controller controller(bench);
  controller.chip.begin(0, SESSION);
  ASSERT_EQ(controller.run(4), Event::STARTED);
  ASSERT_EQ(controller.run(5), Event::NONE);
  bench.write16(0x481, 0x0800);  // CONFIG1.BURST_EN
  // Its checksum is still that of the moment before.
  EXPECT_EQ(controller.run(1), Event::REPAIRED);
  EXPECT_EQ(bench.read16(0x481), 0);
  EXPECT_EQ(controller.run(20), Event::NONE);
  EXPECT_EQ(controller.chip.session(), SESSION);
}

TEST(Chip, ThatReportsAnInternalErrorIsReset) {
  for (uint32_t error : {1UL << 28, 1UL << 29, 1UL << 31}) {  // STATUS1: ERROR0, ERROR1, ERROR3
    Bench bench(balanced(230, 10));
    Controller controller(bench);
    controller.chip.begin(0, SESSION);
    ASSERT_EQ(controller.run(4), Event::STARTED);
    bench.chip.upset_register(0x403, error);
    EXPECT_EQ(controller.run(2), Event::FAILED);
    EXPECT_EQ(controller.run(4), Event::STARTED);
    EXPECT_EQ(controller.run(20), Event::NONE);
  }
}

TEST(Chip, AnErrorThatItCorrectedItselfIsNone) {
  Bench bench(balanced(230, 10));
  Controller controller(bench);
  controller.chip.begin(0, SESSION);
  ASSERT_EQ(controller.run(4), Event::STARTED);
  bench.chip.upset_register(0x403, 1UL << 30);  // STATUS1: ERROR2
  EXPECT_EQ(controller.run(20), Event::NONE);
}

/// A RESET pin that a test looks at; a chip that hangs comes back by it alone.
struct Pin : Chip::ResetLine {
  explicit Pin(Controller &its_controller) : controller(its_controller) {}
  void hold_reset(bool held) override {
    this->pulses += held;
    if (held) {
      this->controller.wire.disturb = nullptr;
      this->controller.bench.chip.brown_out(this->controller.bench.now);
    }
  }
  Controller &controller;
  int pulses{0};
};

TEST(Chip, ThatStaysSilentIsResetBySoftwareAndThenByItsPin) {
  Bench bench(balanced(230, 10));
  Controller controller(bench);
  Pin pin(controller);
  controller.chip.set_reset_line(&pin);
  controller.chip.begin(0, SESSION);
  ASSERT_EQ(controller.run(4), Event::STARTED);
  ASSERT_EQ(controller.run(5), Event::NONE);
  controller.wire.disturb = [](uint8_t *data, size_t length) { std::fill(data, data + length, 0xFF); };
  // It may still be counting: for 10 s it is waited for.
  for (int i = 0; i < 50; i++)
    ASSERT_EQ(controller.run(1), Event::UNREADABLE) << i;
  Event event = controller.run(1);
  for (int i = 0; i < 5 && event == Event::UNREADABLE; i++)
    event = controller.run(1);
  EXPECT_EQ(event, Event::SILENT);
  EXPECT_EQ(pin.pulses, 0) << "by software first";
  bool started = false;
  for (int i = 0; i < 50 && !started; i++)
    started = controller.run(1) == Event::STARTED;
  EXPECT_TRUE(started);
  EXPECT_EQ(pin.pulses, 1);
  EXPECT_EQ(controller.run(20), Event::NONE);
}

TEST(Chip, ARegisterWrittenOnPurposeIsNoError) {
  Bench bench(balanced(230, 10));
  Controller controller(bench);
  controller.chip.begin(0, SESSION);
  ASSERT_EQ(controller.run(4), Event::STARTED);
  ASSERT_EQ(controller.run(5), Event::NONE);
  controller.bus.write(0x00B, 0x1000);  // AVGAIN
  controller.chip.accept_configuration();
  EXPECT_EQ(controller.run(20), Event::NONE);
}

TEST(Chip, AChecksumOfAMomentIsNotTakenForTheRightOne) {
  Bench bench(balanced(230, 10));
  Controller controller(bench);
  controller.chip.begin(0, SESSION);
  ASSERT_EQ(controller.run(4), Event::STARTED);
  ASSERT_EQ(controller.run(5), Event::NONE);
  controller.chip.accept_configuration();
  // A register that nobody sets has another value while the chip calculates.
  bench.chip.upset_register(0x00B, 0x20);
  bench.wait(0.011);
  bench.chip.upset_register(0x00B, 0x20);
  // And the driver looks again before the chip has calculated once more.
  ASSERT_EQ(controller.step(), Event::NONE);
  EXPECT_EQ(controller.run(20), Event::NONE);
  // What changes by itself is still noticed.
  bench.chip.upset_register(0x00B, 0x10);
  EXPECT_EQ(controller.run(5), Event::REPAIRED);
}

TEST(Chip, ThatDoesNotAnswerIsLookedForAgainAndAgain) {
  Bench bench(balanced(230, 10));
  Controller controller(bench);
  controller.wire.disturb = [](uint8_t *data, size_t length) { std::fill(data, data + length, 0xFF); };
  controller.chip.begin(0, SESSION);
  EXPECT_EQ(controller.run(50), Event::UNREADABLE);
  controller.wire.disturb = nullptr;
  bool started = false;
  for (int i = 0; i < 10 && !started; i++)
    started = controller.run(1) == Event::STARTED;
  EXPECT_TRUE(started);
}

TEST(Chip, ThatCountsIsNotResetForASingleFalseReplyAtARestart) {
  Bench bench(balanced(230, 10));
  {
    Controller before(bench);
    before.chip.begin(0, SESSION);
    ASSERT_EQ(before.run(4), Event::STARTED);
  }
  // Each frame of the look in turn brings another register: its address was damaged on the way.
  for (size_t frame = 0; frame < 12; frame++) {
    for (size_t bit = 0; bit < 12; bit++) {
      Controller after(bench);
      after.chip.begin(SESSION, 99);
      size_t number = 0;
      after.wire.before = [&](size_t) {
        if (number++ == frame)
          bench.chip.fail_next_frames(ade9000_simulator::LineFault::GARBLED_COMMAND, 1, bit);
      };
      Event event = after.step();
      for (int i = 0; i < 3 && event == Event::UNREADABLE; i++) {
        bench.wait(0.2);
        event = after.step();
      }
      ASSERT_EQ(event, Event::RESUMED) << "bit " << bit << " of frame " << frame;
    }
  }
}

TEST(Chip, ThatWasStoppedDuringARestartHandsItsEnergiesOver) {
  Bench bench(balanced(230, 10));
  {
    Controller before(bench);
    before.chip.begin(0, SESSION);
    ASSERT_EQ(before.run(4), Event::STARTED);
  }
  bench.write16(0x480, 0);  // RUN
  Controller after(bench);
  after.chip.begin(SESSION, 99);
  EXPECT_EQ(after.step(), Event::RESUMED);
  EXPECT_EQ(after.run(1), Event::STOPPED);
  EXPECT_EQ(after.step(), Event::STARTED);
  EXPECT_EQ(after.chip.session(), 99u);
  EXPECT_EQ(after.run(20), Event::NONE);
}

/// 2300 W on each phase: Wh after some seconds.
constexpr double watt_hours(double seconds) { return 2300.0 * seconds / 3600.0; }

TEST(Energy, ARestartOfTheMicrocontrollerAloneLosesNothing) {
  Bench bench(balanced(230, 10));
  StoredActiveEnergy kept;
  double at_the_save, counted_at_the_save;
  {
    Controller before(bench);
    before.chip.begin(0, SESSION);
    ASSERT_EQ(before.run(4), Event::STARTED);
    before.totals.start();
    ASSERT_TRUE(before.count());
    for (int i = 0; i < 50; i++) {
      bench.wait(0.2);
      ASSERT_EQ(before.step(), Event::NONE);
      ASSERT_TRUE(before.count());
    }
    at_the_save = bench.now.elapsed;
    counted_at_the_save = before.imported_wh();
    kept = *before.totals.store_active(before.chip.session());
    // What is counted after the save is not in the record: it must come from the chip.
    bench.wait(5.0);
    ASSERT_TRUE(before.count());
  }
  bench.wait(60.0);

  Controller after(bench);
  after.totals.restore(kept);
  after.chip.begin(after.totals.stored_session(), 77);
  ASSERT_EQ(after.step(), Event::RESUMED);
  after.totals.resume(after.chip.session());
  EXPECT_DOUBLE_EQ(after.imported_wh(), counted_at_the_save);
  ASSERT_TRUE(after.count());
  EXPECT_DOUBLE_EQ(after.imported_wh(), counted_at_the_save) << "how long the restart took is not known yet";
  ASSERT_TRUE(after.totals.has_gap());
  ASSERT_TRUE(after.totals.count_gap(BENCH_SCALING, BENCH_SCALING.energy_codes(50000, 70)));
  EXPECT_FALSE(after.totals.has_gap());
  // All but the window of 20 ms that is open, once.
  EXPECT_NEAR(after.imported_wh() - counted_at_the_save, watt_hours(bench.now.elapsed - at_the_save), watt_hours(0.05));
  ASSERT_TRUE(after.count());
  EXPECT_NEAR(after.imported_wh() - counted_at_the_save, watt_hours(bench.now.elapsed - at_the_save), watt_hours(0.05));
  EXPECT_EQ(after.run(20), Event::NONE);
}

TEST(Energy, ARestartOfUnknownLengthAddsNothing) {
  // 8 kW and 10 kVA: after 20 minutes the apparent counter has gone round once, the active one has not.
  Bench bench(balanced(230, 10000.0 / 230, 36.869897645844));
  Controller before(bench);
  before.chip.begin(0, SESSION);
  ASSERT_EQ(before.run(4), Event::STARTED);
  before.totals.start();
  ASSERT_TRUE(before.count());
  const StoredActiveEnergy kept = *before.totals.store_active(before.chip.session(), 1790000000);
  bench.wait(1200.0);
  Controller after(bench);
  after.totals.restore(kept);
  after.chip.begin(after.totals.stored_session(), 77);
  ASSERT_EQ(after.step(), Event::RESUMED);
  after.totals.resume(after.chip.session());
  ASSERT_TRUE(after.count());
  bench.wait(10.0);
  ASSERT_TRUE(after.count());
  const double since_the_restart = after.imported_wh();
  EXPECT_NEAR(since_the_restart, 8000.0 * 10 / 3600, 0.5) << "counting goes on beside the gap";
  EXPECT_FALSE(after.totals.count_gap(BENCH_SCALING, INFINITY));
  EXPECT_DOUBLE_EQ(after.imported_wh(), since_the_restart);
  EXPECT_EQ(after.totals.active().get_export(Channel::L1), 0);
}

TEST(Energy, AResetOfBothCountsNothingTwice) {
  Bench bench(balanced(230, 10));
  StoredActiveEnergy kept;
  {
    Controller before(bench);
    before.chip.begin(0, SESSION);
    ASSERT_EQ(before.run(4), Event::STARTED);
    before.totals.start();
    ASSERT_TRUE(before.count());
    bench.wait(30.0);
    ASSERT_TRUE(before.count());
    kept = *before.totals.store_active(before.chip.session());
    // The chip is reset and configured again, and then the microcontroller goes before it has kept anything of that.
    bench.chip.brown_out(bench.now, 0.05);
    ASSERT_EQ(before.run(5), Event::LOST);
    ASSERT_EQ(before.step(), Event::STARTED);
    bench.wait(40.0);
  }
  Controller after(bench);
  after.totals.restore(kept);
  const double restored = after.imported_wh();
  EXPECT_NEAR(restored, watt_hours(30.0), watt_hours(0.1));
  after.chip.begin(after.totals.stored_session(), 77);
  ASSERT_EQ(after.run(10), Event::STARTED);
  after.totals.start();
  ASSERT_TRUE(after.count());
  EXPECT_DOUBLE_EQ(after.imported_wh(), restored);
  bench.wait(10.0);
  ASSERT_TRUE(after.count());
  EXPECT_NEAR(after.imported_wh() - restored, watt_hours(10.0), watt_hours(0.1));
}

TEST(Energy, AGapLongEnoughToWrapIsNotGuessedAt) {
  // 40 kW of the 50 kW that the front end can: ambiguous after 133 s, and told apart up to 266 s.
  Bench bench(balanced(566, 70.67));
  Controller controller(bench);
  controller.chip.begin(0, SESSION);
  ASSERT_EQ(controller.run(4), Event::STARTED);
  controller.totals.start();
  ASSERT_TRUE(controller.count());
  bench.wait(100.0);
  ASSERT_TRUE(controller.count());
  const double before = controller.imported_wh();
  EXPECT_NEAR(before, 40000.0 * 100 / 3600, 5);
  bench.wait(200.0);
  EXPECT_FALSE(controller.count());
  EXPECT_DOUBLE_EQ(controller.imported_wh(), before);
  bench.wait(10.0);
  ASSERT_TRUE(controller.count());
  EXPECT_NEAR(controller.imported_wh() - before, 40000.0 * 10 / 3600, 5);
}

}  // namespace
}  // namespace esphome::ade9000

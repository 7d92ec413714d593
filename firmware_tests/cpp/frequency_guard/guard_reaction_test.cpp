// From the frequency step in the signal to the relay's edge: chip, wire, driver, guard and plan together, in the
// signal's own time.

#include "firmware_tests/cpp/support/driver_bench.h"
#include "firmware_tests/cpp/support/run_length.h"

#include "esphome/components/frequency_guard/chip_sample.h"
#include "esphome/components/frequency_guard/guard.h"
#include "esphome/components/frequency_guard/relay_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace esphome::frequency_guard {
namespace {

using ade9000_simulator::balanced;
using ade9000_simulator::Bench;
using ade9000_simulator::Signal;

/// ESPHome's main loop runs that often, s; the guard reads the chip at the first turn a line cycle after the last.
constexpr double LOOP = 0.016;
constexpr int64_t CYCLE_MS = 20;

/// A step of the grid's frequency, and where in the signal it is.
struct Step {
  double at;
  double hertz;
};

/// A meter whose relay sheds first, in a grid that is at 50 Hz until a step.
class Meter {
 public:
  explicit Meter(const Step &step)
      : bench_([step](double seconds) {
          Signal signal = balanced(230.0, 5.0);
          signal.frequency = seconds < step.at ? 50.0 : step.hertz;
          return signal;
        }),
        wire_(this->bench_),
        guard_(settings()),
        plan_(PlanSettings{}, 1) {
    this->bus_.set_transport(&this->wire_);
    this->bench_.start();
    RelaySettings relay;
    relay.load_class = LoadClass::SHED_1;
    this->plan_.add(relay, true, this->now_ms());
  }

  /// Runs the firmware's loop until the relay is off, or until a time of the signal, s.
  double run_until_off(double until) {
    while (this->bench_.now.position < until) {
      const double turn = this->bench_.now.position + LOOP;
      this->turn_();
      if (!this->plan_.decision(0).on)
        return this->bench_.now.position;
      if (turn > this->bench_.now.position)
        this->bench_.wait(turn - this->bench_.now.position);
    }
    return NAN;
  }
  GuardState state() const { return this->guard_.state(); }
  double position() const { return this->bench_.now.position; }

 protected:
  static GuardSettings settings() {
    GuardSettings settings;
    settings.profile = *find_guard_profile("continental_europe");
    // What is measured here is the reaction, not the ten seconds after a start.
    settings.start_ms = 300;
    return settings;
  }
  int64_t now_ms() const { return std::llround(this->bench_.now.position * 1000.0); }
  void turn_() {
    const int64_t now_ms = this->now_ms();
    GridSample sample{now_ms, {}};
    if (now_ms >= this->next_ms_ && read_chip_sample(this->bus_, ade9000::BENCH_SCALING, 0b111, sample)) {
      this->next_ms_ = now_ms + CYCLE_MS;
      this->guard_.sample(sample);
    } else {
      this->guard_.tick(now_ms);
    }
    this->plan_.update({this->guard_.state(), this->guard_.held_state(), this->guard_.may_restore()}, now_ms);
  }

  Bench bench_;
  ade9000::BenchWire wire_;
  ade9000::Ade9000Bus bus_;
  FrequencyGuard guard_;
  RelayPlan plan_;
  int64_t next_ms_{0};
};

/// Seconds from the step to the relay's edge, the quickest and the slowest of many random moments of the step.
struct Reactions {
  double quickest{1e9};
  double slowest{0.0};
};

Reactions measure(double hertz, int count) {
  std::mt19937 random(static_cast<uint32_t>(hertz * 100));
  // Anywhere in a line cycle, and in the firmware's own rhythm.
  std::uniform_real_distribution<double> moment(0.0, 0.16);
  Reactions reactions;
  for (int i = 0; i < count; i++) {
    const Step step{1.2 + moment(random), hertz};
    Meter meter(step);
    const double off = meter.run_until_off(step.at + 3.0);
    EXPECT_FALSE(std::isnan(off)) << "step to " << hertz << " Hz at " << step.at << " s";
    reactions.quickest = std::min(reactions.quickest, off - step.at);
    reactions.slowest = std::max(reactions.slowest, off - step.at);
  }
  printf("to %.2f Hz: %.0f to %.0f ms after the step\n", hertz, reactions.quickest * 1e3, reactions.slowest * 1e3);
  return reactions;
}

/// EU 2016/1388 Art. 19: a relay operates within 150 ms of the set point.
constexpr double REACTION = 0.150;

TEST(Reaction, OfTheFirstStageIsItsDelayAndAtMost150Milliseconds) {
  const Reactions reactions = measure(49.7, rounds(25, 1000));
  EXPECT_GE(reactions.quickest, 1.0);
  EXPECT_LE(reactions.slowest, 1.0 + REACTION);
}

TEST(Reaction, OfTheSecondStageIsItsDelayAndAtMost150Milliseconds) {
  const Reactions reactions = measure(49.5, rounds(25, 1000));
  EXPECT_GE(reactions.quickest, 0.5);
  EXPECT_LE(reactions.slowest, 0.5 + REACTION);
}

TEST(Reaction, OfTheThirdStageIsItsDelayAndAtMost150Milliseconds) {
  const Reactions reactions = measure(49.1, rounds(25, 1000));
  EXPECT_GE(reactions.quickest, 0.2);
  EXPECT_LE(reactions.slowest, 0.2 + REACTION);
}

TEST(Reaction, ToASagThatIsNoneIsNone) {
  Meter meter({1.2, 49.95});
  EXPECT_TRUE(std::isnan(meter.run_until_off(12.0)));
  EXPECT_EQ(meter.state(), GuardState::NORMAL);
}

}  // namespace
}  // namespace esphome::frequency_guard

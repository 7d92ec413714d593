#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

/// Events of the supply, found in half-cycle values. Pure rules: no chip, no framework, time is an argument.
namespace esphome::power_quality {

/// Kinds of events (EN 50160, IEC 61000-4-30).
enum class PowerQualityKind : uint8_t {
  /// A phase below the dip threshold, but not lost.
  DIP,
  SWELL,
  /// All connected phases below the interruption threshold at the same time.
  INTERRUPTION,
  /// A phase below the interruption threshold while another one is not.
  PHASE_LOSS,
  OVERCURRENT,
  /// The phases turn L1-L3-L2; belongs to no phase.
  WRONG_SEQUENCE,
};

/// "dip", "swell", "interruption", "phase_loss", "overcurrent" or "wrong_sequence".
const char *power_quality_kind_name(PowerQualityKind kind);

/// Phase of an event that concerns the three together.
static constexpr uint8_t NO_PHASE = 0xFF;

struct PowerQualityEvent {
  /// Counts from 1 over all events, in the order in which they began; a reclassified event keeps it.
  uint32_t number;
  PowerQualityKind kind;
  /// 0..2 = L1..L3, or NO_PHASE.
  uint8_t phase;
  /// The chip's latched flags tell of it, no half cycle was seen inside: times are bounds, the extreme is the chip's.
  bool estimated;
  /// Microseconds on the clock of the half cycles.
  int64_t start_us;
  int64_t duration_us;
  /// Lowest voltage of a dip, interruption or lost phase, highest of a swell, V; highest current, A; 0 for the
  /// sequence.
  float extreme;
};

/// Thresholds; ratios are of the nominal voltage.
struct PowerQualityLimits {
  /// V, phase to neutral, > 0.
  double nominal_voltage{230.0};
  /// EN 50160:2010 3.3 and 3.19: dip below 90 %, swell above 110 %, interruption below 5 %.
  double dip{0.90};
  double swell{1.10};
  double interruption{0.05};
  /// IEC 61000-4-30 5.4.2.1: typically 2 %. An event is over when the voltage is back by this much more.
  double hysteresis{0.02};
  /// A rms of a half cycle above which a current is too high; 0 = not watched.
  double overcurrent{0.0};
  /// Bit 0..2 = L1..L3: phases that are connected at all.
  uint8_t phases{0b111};
  /// The sequence is right again after this long without a complaint of the chip, which repeats it every cycle.
  int64_t sequence_hold_us{500000};
};

/// Half-cycle rms values of one moment (Urms(1/2) of IEC 61000-4-30), V and A; NaN = not measured.
struct HalfCycle {
  int64_t time_us;
  std::array<float, 3> voltage;
  std::array<float, 3> current;
};

/// What the chip has latched since it was asked last (STATUS1, DIPx, SWELLx, OIx).
struct LatchedFlags {
  /// Bit 0..2 = L1..L3.
  uint8_t dips{0};
  uint8_t swells{0};
  uint8_t overcurrents{0};
  bool wrong_sequence{false};
  /// V, V and A; only where the bit is set.
  std::array<float, 3> lowest{};
  std::array<float, 3> highest{};
  std::array<float, 3> currents{};
};

/** Finds events in a stream of half cycles, and keeps the finished ones until they are taken.
 *
 * What begins below one threshold and falls below the next is one event and is named by the worst it reached. Half
 * cycles that never arrived are made up for by the chip's latched flags. A value that was not measured changes nothing.
 */
class EventDetector {
 public:
  /// Finished events that wait to be taken; when there are more, the oldest are lost and counted.
  static constexpr size_t QUEUE_SIZE = 32;

  EventDetector() = default;
  explicit EventDetector(const PowerQualityLimits &limits) : limits_(limits) {}
  void set_limits(const PowerQualityLimits &limits) { this->limits_ = limits; }
  const PowerQualityLimits &limits() const { return this->limits_; }

  /// Times must not go back.
  void add(const HalfCycle &half_cycle);
  /// The flags latched up to this time; call after add() of the half cycles up to it.
  void add(const LatchedFlags &flags, int64_t time_us);

  /// Takes the oldest finished event. @return false if there is none.
  bool pop(PowerQualityEvent &event);
  size_t waiting() const { return this->count_; }
  /// Finished events that were never taken.
  uint32_t lost() const { return this->lost_; }

  /// The events that go on now, with their duration up to the last half cycle. @return how many.
  static constexpr size_t MAX_ONGOING = 10;
  size_t ongoing(std::array<PowerQualityEvent, MAX_ONGOING> &events) const;
  /// Starts of events so far: it changes when a new one begins.
  uint32_t started() const { return this->started_; }

 protected:
  /// One thing that is watched, and the event that goes on in it.
  struct Watch {
    bool active{false};
    /// An event ended since the flags were asked for last: they tell of that one.
    bool seen{false};
    PowerQualityEvent event{};
  };

  bool connected_(size_t phase) const { return (this->limits_.phases >> phase) & 1; }
  void watch_(Watch &watch, PowerQualityKind kind, uint8_t phase, bool begins, bool ends, float value, bool lower,
              int64_t time_us);
  void begin_(Watch &watch, PowerQualityKind kind, uint8_t phase, float value, int64_t time_us);
  void end_(Watch &watch, int64_t time_us);
  void classify_(const HalfCycle &half_cycle);
  void add_missed_(Watch &watch, PowerQualityKind kind, uint8_t phase, float value, int64_t time_us);
  void push_(const PowerQualityEvent &event);

  PowerQualityLimits limits_{};
  std::array<Watch, 3> low_;
  std::array<Watch, 3> high_;
  std::array<Watch, 3> current_;
  Watch sequence_;
  int64_t last_complaint_us_{0};
  int64_t now_us_{0};
  int64_t flags_us_{0};
  uint32_t started_{0};
  uint32_t lost_{0};
  std::array<PowerQualityEvent, QUEUE_SIZE> queue_;
  size_t first_{0};
  size_t count_{0};
};

}  // namespace esphome::power_quality

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

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
  /// A voltage or current beyond the chip's range: what is measured meanwhile is too low.
  VOLTAGE_OVER_RANGE,
  CURRENT_OVER_RANGE,
};

/// "dip", "swell", "interruption", "phase_loss", "overcurrent", "wrong_sequence" or, of either quantity, "over_range".
const char *power_quality_kind_name(PowerQualityKind kind);

/// Phase of an event that concerns all phases together.
static constexpr uint8_t NO_PHASE = 0xFF;

struct PowerQualityEvent {
  /// Counts from 1 over all events, in the order in which they began; a reclassified event keeps it.
  uint32_t number;
  PowerQualityKind kind;
  /// 0..2 = L1..L3, or NO_PHASE.
  uint8_t phase;
  /// Found in the chip's latched flags alone: the times are bounds, the extreme is the chip's.
  bool estimated;
  /// Microseconds on the clock of the half cycles.
  int64_t start_us;
  /// Below zero, in the journal alone: going on, minus what it has lasted so far.
  int64_t duration_us;
  /// Lowest voltage of a dip, interruption or lost phase, highest of a swell, V; highest current, A; 0 for the
  /// sequence. Of what is over range the highest rms measured, V or A, which is too low.
  float extreme;

  bool is_going_on() const { return this->duration_us < 0; }
  /// Returns an event that has lasted so far, as the journal keeps it until its end.
  PowerQualityEvent going_on() const {
    PowerQualityEvent event = *this;
    event.duration_us = -this->duration_us;
    return event;
  }
  /// Returns the event as ended by a restart of the device: it lasted at least as long as is known.
  PowerQualityEvent ended_by_restart() const {
    PowerQualityEvent event = *this;
    event.duration_us = -this->duration_us;
    event.estimated = true;
    return event;
  }
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
  /// Half-cycle rms current above which a current is too high, A; 0 = not monitored.
  double overcurrent{0.0};
  /// Bit 0..2 = L1..L3: phases that are connected at all.
  uint8_t phases{0b111};
  /// Whether the chip sees the zero crossings of three voltages: otherwise its sequence errors mean nothing.
  bool sequence{true};
  /// Below this ratio a phase is missing for the sequence (as for a frequency relay, EU 2016/1388 Art. 19).
  double sequence_voltage{0.5};
  /// Errors must go on for so long, us: at the loss of a phase the chip finds errors before the rms has fallen.
  int64_t sequence_confirmation_us{60000};
  /// Time without a sequence error after which the sequence is right again, us; the chip repeats the error each cycle.
  int64_t sequence_hold_us{500000};
};

/// Half-cycle rms values of one moment (Urms(1/2) of IEC 61000-4-30), V and A; NaN = not measured.
struct HalfCycle {
  int64_t time_us;
  std::array<float, 3> voltage;
  std::array<float, 3> current;
};

/// Flags latched by the chip since the last reading (STATUS1, DIPx, SWELLx, OIx).
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

/// What is beyond the chip's range at an update.
struct OverRange {
  /// Bit 0..2 = L1..L3.
  uint8_t voltages{0};
  uint8_t currents{0};
  /// Highest rms measured of it, V and A; only where the bit is set.
  std::array<float, 3> voltage{};
  std::array<float, 3> current{};
  /// Time for which the bits stay set once it is over, us.
  int64_t hold_us{0};
};

/** Finds events of the supply in a stream of half cycles, and queues the finished events.
 *
 * A voltage that begins below one threshold and falls below the next is one event, named by the worst threshold. Half
 * cycles that were not read are made up for by the chip's latched flags. A value that was not measured changes nothing.
 */
class EventDetector {
 public:
  /// Capacity of the queue of finished events; beyond, the oldest events are lost and counted.
  static constexpr size_t QUEUE_SIZE = 32;

  EventDetector() = default;
  explicit EventDetector(const PowerQualityLimits &limits) : limits_(limits) {}
  void set_limits(const PowerQualityLimits &limits) { this->limits_ = limits; }
  const PowerQualityLimits &limits() const { return this->limits_; }

  /// Adds the values of one half cycle; times must not go back.
  void add(const HalfCycle &half_cycle);
  /// Adds the flags latched up to a time, after all half cycles up to that time.
  void add(const LatchedFlags &flags, int64_t time_us);
  /// Adds what is over range at an update.
  void add(const OverRange &range, int64_t time_us);

  /// Removes the oldest finished event from the queue. @return false if the queue is empty.
  bool pop(PowerQualityEvent &event);
  size_t waiting() const { return this->count_; }
  /// Count of finished events that were lost because the queue was full.
  uint32_t lost() const { return this->lost_; }

  /// Lists the events that are going on, with their duration up to the last half cycle. @return the count of events.
  static constexpr size_t MAX_ONGOING = 16;
  size_t ongoing(std::array<PowerQualityEvent, MAX_ONGOING> &events) const;
  /// Count of events that have begun since the start of the firmware.
  uint32_t started() const { return this->started_; }

 protected:
  /// Kind and phase of an event.
  struct Subject {
    PowerQualityKind kind;
    /// 0..2 = L1..L3, or NO_PHASE.
    uint8_t phase;
  };
  /// Side of the healthy values on which a threshold lies.
  enum class Side : uint8_t { LOWER, UPPER };
  /// Threshold of an event: beyond `begin` an event begins, back at `end` the event is over. V or A.
  struct Threshold {
    Side side;
    double begin;
    double end;

    bool is_crossed(float value) const { return this->side == Side::LOWER ? value < this->begin : value > this->begin; }
    bool is_left(float value) const { return this->side == Side::LOWER ? value >= this->end : value <= this->end; }
  };
  /// State of one threshold of one phase: the event that is going on, if any.
  struct Tracker {
    bool active{false};
    /// An event ended since the flags were read last: the chip's latch belongs to that event.
    bool ended_since_flags{false};
    PowerQualityEvent event{};

    /// Keeps the value as the extreme of the event, if the value lies further out.
    void extend(Side side, float value);
  };

  bool connected_(size_t phase) const { return (this->limits_.phases >> phase) & 1; }
  /// Begins, extends or ends the event of a tracker by a new value, V or A.
  void compare_(Tracker &tracker, const Subject &subject, const Threshold &threshold, float value, int64_t time_us);
  void begin_(Tracker &tracker, const Subject &subject, float value, int64_t time_us);
  void end_(Tracker &tracker, int64_t time_us);
  /// Renames dips under the interruption threshold to interruption or loss of a phase.
  void classify_(const HalfCycle &half_cycle);
  /// Begins, extends or keeps off a wrong sequence by a sequence error of the chip.
  void add_sequence_error_(int64_t time_us);
  /// Adds an event which the chip has latched, unless half cycles showed the event already.
  void add_latched_(Tracker &tracker, const Subject &subject, Side side, float value, int64_t time_us);
  /// Begins, extends or ends an event of what is over range, with the highest rms so far, V or A.
  void follow_range_(Tracker &tracker, const Subject &subject, bool over, float highest, const OverRange &range,
                     int64_t time_us);
  void push_(const PowerQualityEvent &event);

  PowerQualityLimits limits_{};
  std::array<Tracker, 3> dips_;
  std::array<Tracker, 3> swells_;
  std::array<Tracker, 3> overcurrents_;
  std::array<Tracker, 3> voltages_over_range_;
  std::array<Tracker, 3> currents_over_range_;
  Tracker sequence_;
  /// Whether the latest half cycles had three voltages whose sequence can be told.
  bool has_sequence_{false};
  /// First of the errors that go on, if any.
  std::optional<int64_t> first_sequence_error_us_;
  int64_t last_sequence_error_us_{0};
  int64_t now_us_{0};
  int64_t flags_us_{0};
  uint32_t started_{0};
  uint32_t lost_{0};
  std::array<PowerQualityEvent, QUEUE_SIZE> queue_;
  size_t first_{0};
  size_t count_{0};
};

}  // namespace esphome::power_quality

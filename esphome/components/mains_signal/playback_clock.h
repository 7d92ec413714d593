#pragma once

namespace esphome::mains_signal {

/// Moment on the three time scales of the simulation, each in seconds.
struct Instant {
  /// Time of the machine the simulation runs on; never goes back.
  double real{0.0};
  /// Simulated time gone by since the start; never goes back, stands still while held.
  double elapsed{0.0};
  /// Place in the signal model; follows `elapsed`, and jumps on a seek.
  double position{0.0};
};

/// Turns real time into simulated time. Speed and position change without a jump in the other.
class PlaybackClock {
 public:
  /// Simulated seconds per second.
  static constexpr double MAXIMUM_SPEED = 1000.0;

  /// Greatest position, s: more than thirty years.
  static constexpr double MAXIMUM_POSITION = 1e9;

  PlaybackClock() = default;
  PlaybackClock(double real_now, double position, double speed);

  Instant at(double real_now) const;
  double speed() const { return this->speed_; }
  /// Sets the speed, clamped to 0 (hold) .. MAXIMUM_SPEED; NaN is ignored.
  void set_speed(double real_now, double speed);
  /// Sets the position, clamped to 0 .. MAXIMUM_POSITION; NaN is ignored.
  void seek(double real_now, double position);
  /// Skips some seconds at once, on all scales; a negative number or NaN is ignored.
  void skip(double real_now, double seconds);

 protected:
  Instant anchor_;
  double speed_{1.0};
};

}  // namespace esphome::mains_signal

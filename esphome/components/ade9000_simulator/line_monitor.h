#pragma once

#include "peak_detector.h"
#include "phase_codes.h"
#include "power_quality_status.h"
#include "register_file.h"

#include <array>

namespace esphome::ade9000_simulator {

/// Short stretch of the signal, steady but for the turning of the line.
struct LineStep {
  /// Chip time at which the stretch begins, s, and its length, s.
  double start;
  double length;
  /// Whole turns of the line since power-up, at the start.
  double turns;
  /// Hz.
  double frequency;
};

/// Follows the line half cycle by half cycle: fast rms, 10/12-cycle rms, zero crossings, peaks and power quality.
///
/// The fast rms (xRMSONE) spans one line cycle and is renewed each half cycle (data sheet Rev B, "Fast RMS1/2";
/// IEC 61000-4-30, Urms(1/2)). Assumptions: the half cycles of a phase are those of its voltage, without voltage they
/// go on in step with the line; the neutral's are those of phase A.
class LineMonitor {
 public:
  void reset() { *this = LineMonitor(); }
  void follow(RegisterFile &registers, const LineStep &step, const Waves &waves);
  /// Stops the measurement with the signal processor; after a restart the fast rms fills from zero over a cycle.
  void stop();
  /// Skips time without measuring: open half cycles are dropped.
  void skip();
  /// Restarts the peak of a register that was read.
  void on_register_read(RegisterFile &registers, uint16_t address) {
    this->peaks_.on_register_read(registers, address);
  }

 protected:
  /// Weighted mean of squares.
  struct MeanSquare {
    double sum{0.0};
    double weight{0.0};

    void add(double square, double w) {
      this->sum += square * w;
      this->weight += w;
    }
    MeanSquare &operator+=(const MeanSquare &other);
    double rms() const;
  };
  /// rms of one channel, over the half cycle that is open, the one before, and the long window.
  struct Channel {
    MeanSquare open;
    MeanSquare previous;
    MeanSquare window;

    /// Closes the half cycle. @param empty the half cycle before holds nothing. @return rms over the last cycle.
    double close(bool empty);
    double close_window();
  };
  struct PhaseState {
    Channel voltage;
    Channel current;
    /// Half cycles since power-up by which the phase has turned.
    double half_cycle{0.0};
    double duration{0.0};
    int half_cycles_in_window{0};
    bool started{false};
  };

  void close_half_cycle_(RegisterFile &registers, const LineStep &step, const Waves &waves, int phase);
  void close_window_(RegisterFile &registers, int phase);

  std::array<PhaseState, mains_signal::PHASES> phases_;
  /// Phases without a measurement since the start of the signal processor.
  std::array<bool, mains_signal::PHASES> empty_{true, true, true};
  Channel neutral_;
  PowerQualityStatus status_;
  PeakDetector peaks_;
};

}  // namespace esphome::ade9000_simulator

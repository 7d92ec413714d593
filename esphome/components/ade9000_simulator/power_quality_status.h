#pragma once

#include "register_file.h"
#include "esphome/components/mains_signal/spectrum.h"

#include <array>

namespace esphome::ade9000_simulator {

/// Monitors the line as the chip does: dips, swells, overcurrent, phase sequence, missing zero crossings (data sheet
/// Rev B, Power Quality).
///
/// Assumptions: DIP_CYC and SWELL_CYC count half cycles (the data sheet; the technical reference says cycles), SEQ_CYC
/// counts line cycles; OILVL has the scale of DIP_LVL, the fast rms over 2^5; DIPx and SWELLx hold the lowest and the
/// highest fast rms of the event and keep it until the next; CONFIG3.OC_EN is bit 15 for A to bit 12 for the neutral.
class PowerQualityStatus {
 public:
  /// Judges the new fast rms values of a phase: dips, swells and overcurrents.
  void on_half_cycle(RegisterFile &registers, int phase);
  /// Notes that a phase's voltage has passed half a cycle, at a chip time, s, and whether its waves crossed zero.
  void on_crossing(RegisterFile &registers, int phase, double time, bool voltage, bool current);
  /// Checks the phase sequence, once a half cycle. A phase that does not cross zero is an error of the sequence too
  /// (data sheet Rev B, p. 37).
  void check_sequence(RegisterFile &registers,
                      const std::array<mains_signal::Spectrum, mains_signal::PHASES> &voltages);

 protected:
  /// State of a monitored level of a phase.
  struct LevelState {
    int half_cycles{0};
    int since_interrupt{0};
    bool active{false};
    /// Furthest fast rms of the event, in the level's scale.
    uint32_t furthest{0};
  };
  /// Registers of a monitored level.
  struct LevelRegisters {
    uint16_t level;
    uint16_t cycles;
    uint16_t result;
    uint32_t status;
    uint32_t event;
    bool below;
  };

  static void compare_(RegisterFile &registers, LevelState &state, const LevelRegisters &level_registers, int phase,
                       uint32_t value);
  void compare_current_(RegisterFile &registers, int channel, uint32_t value);

  std::array<LevelState, mains_signal::PHASES> dips_;
  std::array<LevelState, mains_signal::PHASES> swells_;
  /// A, B, C and the neutral.
  std::array<bool, mains_signal::PHASES + 1> overcurrent_{};
  std::array<double, mains_signal::PHASES> last_crossing_{};
  std::array<bool, mains_signal::PHASES> crossing_{};
  std::array<bool, mains_signal::PHASES> timed_out_{};
  int wrong_half_cycles_{0};
};

}  // namespace esphome::ade9000_simulator

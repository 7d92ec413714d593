#pragma once

#include "esphome/components/ade9000/snapshot.h"
#include "esphome/components/device_message/device_message.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace esphome::meter_calibration {

/** Factor of a gain register: 1 + code / 2^27 (data sheet Rev B, xIGAIN and xVGAIN). */
double gain_of_code(int32_t code);
/// The inverse of gain_of_code(); gain 0.5 to 2.
int32_t code_of_gain(double gain);

/** Code of xPHCAL0 that takes away a lag of the current (data sheet Rev B, "Phase calibration").
 *
 * xPHCAL = 2^27 * (sin(phi - w) + sin(w)) / sin(2w - phi), w = 2 * pi * f / 8000.
 *
 * @param degrees by which the current is shown too late, MINIMUM_PHASE to MAXIMUM_PHASE.
 * @param frequency hertz.
 */
int32_t code_of_phase(double degrees, double frequency);
/// The inverse of code_of_phase().
double phase_of_code(int32_t code, double frequency);

/// Degrees. The chip reaches from -15 to 2.25 at 50 Hz (data sheet Rev B, "Phase calibration"); no transformer that is
/// on the right wire leads by more than 10.
static constexpr double MINIMUM_PHASE = -10.0;
static constexpr double MAXIMUM_PHASE = 2.25;
/// Limits of a gain: beyond, the ratio is wrong or another phase was measured, which no tolerance of a part explains.
static constexpr double MAXIMUM_GAIN = 1.25;
static constexpr double MINIMUM_GAIN = 0.8;

/// Greatest residual current that is nulled, of full scale: more is a load, or a transformer's fault.
static constexpr double MAXIMUM_RESIDUAL = 0.002;

/// Index of the neutral among the current inputs, behind the phases.
static constexpr size_t NEUTRAL = ade9000::PHASES;
static constexpr size_t CURRENT_INPUTS = ade9000::PHASES + 1;

/// Corrections of a phase, as codes of xVGAIN, xIGAIN and xPHCAL0.
struct PhaseCorrection {
  int32_t voltage_gain{0};
  int32_t current_gain{0};
  int32_t phase{0};

  bool operator==(const PhaseCorrection &) const = default;
};
/// Codes of xIRMSOS, and of NIRMSOS for the neutral: 0, or below where a residual current is nulled.
using CurrentOffsets = std::array<int32_t, CURRENT_INPUTS>;

/// Corrections of a meter.
struct Corrections {
  std::array<PhaseCorrection, ade9000::PHASES> phases{};
  CurrentOffsets offsets{};

  PhaseCorrection &operator[](size_t phase) { return this->phases[phase]; }
  const PhaseCorrection &operator[](size_t phase) const { return this->phases[phase]; }
  bool operator==(const Corrections &) const = default;
};

/** Offset that nulls an rms of so many codes, and the rms that an offset nulls.
 *
 * The chip shows sqrt(rms^2 + 2^15 * offset) (data sheet Rev B, "RMS offset compensation").
 */
int32_t offset_of_rms(double code);
double rms_of_offset(int32_t offset);

/// Readings of a phase for calibration: V, A, W, var, VA.
struct PhaseReading {
  double voltage{0};
  double current{0};
  double active_power{0};
  double reactive_power{0};
  double apparent_power{0};
};

/// The last readings of a phase: their mean, and whether they were steady.
class RecentReadings {
 public:
  /// Two seconds of updates every 200 ms.
  static constexpr size_t WANTED = 10;

  void add(const PhaseReading &reading);
  void clear() { this->count_ = 0; }
  bool is_full() const { return this->count_ >= WANTED; }
  PhaseReading mean() const;
  /// Greatest difference between two readings, over their mean; 0 without readings.
  double spread(double PhaseReading::*value) const;

 protected:
  std::array<PhaseReading, WANTED> readings_{};
  size_t count_{0};
};

/// Corrections of a phase as factors and degrees, as people write them.
struct PhaseFactors {
  double voltage_gain{1};
  double current_gain{1};
  double degrees{0};
};
using Factors = std::array<PhaseFactors, ade9000::PHASES>;

/// Outcome of a calibration step, with a message to the user (calibration_messages.h).
struct CalibrationOutcome {
  bool accepted;
  device_message::Message message;
};

/// Properties of a meter that calibration uses.
struct CalibrationSubject {
  /// Volts and amperes.
  double nominal_voltage;
  double full_scale_current;
  /// Hertz, nominal.
  double frequency;
  /// Whether a phase has a power of its own: not without a neutral.
  bool phase_power{true};
};

/** Corrections of a meter, set from a person's measurements; the last step can be undone.
 *
 * Corrections are registers of the chip, in front of everything it calculates: rms, powers and energies all follow.
 */
class CalibrationBook {
 public:
  CalibrationBook() = default;
  CalibrationBook(const CalibrationSubject &subject, const Corrections &base);

  const Corrections &now() const { return this->now_; }
  const Corrections &previous() const { return this->previous_; }
  void restore(const Corrections &now, const Corrections &previous);

  /** Calibrates the voltage gain of a phase to a true voltage, V.
   *
   * @param phase 0..2.
   * @param recent what the meter shows of this phase, with now() in force.
   */
  CalibrationOutcome voltage_is(size_t phase, double volts, const RecentReadings &recent);
  /// Calibrates the current gain of a phase to a true current, A.
  CalibrationOutcome current_is(size_t phase, double amperes, const RecentReadings &recent);
  /// Calibrates the phase correction to a true power factor, 0.5 to 1, of a load that draws a sine.
  CalibrationOutcome power_factor_is(size_t phase, double power_factor, const RecentReadings &recent);
  /** Nulls the current that an input shows with nothing connected.
   *
   * @param input 0..2, or NEUTRAL.
   */
  CalibrationOutcome null_residual_current(size_t input, const RecentReadings &recent);
  /// Undoes the last step; a second undo() redoes the step.
  CalibrationOutcome undo();
  /// Resets the corrections to those of the configuration.
  CalibrationOutcome reset();
  /// Takes over the corrections of another meter with the same transformers, all or none.
  CalibrationOutcome take_over(const Factors &factors);

  /// Formats the corrections as YAML for the configuration, one line a phase, and one of the residual currents if any
  /// is nulled; at most 255 characters.
  std::string to_yaml() const;

 protected:
  void change_(size_t phase, int32_t PhaseCorrection::*value, int32_t code);
  /// rms codes of a current, A.
  double current_code_(double amperes) const;

  CalibrationSubject subject_{230, 100, 50};
  Corrections base_{};
  Corrections now_{};
  Corrections previous_{};
};

}  // namespace esphome::meter_calibration

#include "calibration_book.h"

#include "calibration_messages.h"
#include "esphome/components/ade9000/ade9000_registers.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <utility>

namespace esphome::meter_calibration {

using ade9000::PHASES;
using device_message::Message;
using device_message::MessageKind;

namespace {

constexpr double ONE_2_27 = 134217728.0;
constexpr double SAMPLE_RATE = 8000.0;
constexpr double DEGREES = 180.0 / std::numbers::pi;

/// Of the nominal voltage: below it a phase is not connected.
constexpr double MINIMUM_VOLTAGE = 0.5;
/// Of full scale: below it a transformer's own error changes with the current, and noise counts.
constexpr double MINIMUM_CURRENT = 0.01;
/// Between the readings of two seconds: a multimeter that is read meanwhile could show any of them.
constexpr double VOLTAGE_SPREAD = 0.01;
constexpr double CURRENT_SPREAD = 0.02;
/// Apparent power beyond active and reactive: what harmonics add. A displacement can not be told from such a current.
constexpr double MAXIMUM_DISTORTION = 1.02;
/// Degrees of lag from which a current is rather that of another phase than late: half of the 60 degrees that a
/// transformer on another line, turned round, makes.
constexpr double ANOTHER_PHASE = 30;
/// Below it a small error of the power factor is a large one of the angle, and the load is no heater.
constexpr double MINIMUM_POWER_FACTOR = 0.5;

CalibrationOutcome refused(Message message) { return {false, std::move(message)}; }
CalibrationOutcome accepted(Message message) { return {true, std::move(message)}; }

int number_of(size_t phase) { return static_cast<int>(phase) + 1; }

double angular_step(double frequency) { return 2.0 * std::numbers::pi * frequency / SAMPLE_RATE; }

bool is_measured(const PhaseReading &reading) {
  return std::isfinite(reading.voltage) && std::isfinite(reading.current) && std::isfinite(reading.active_power) &&
         std::isfinite(reading.reactive_power) && std::isfinite(reading.apparent_power);
}

bool is_possible_gain(double gain) { return gain >= MINIMUM_GAIN && gain <= MAXIMUM_GAIN; }

/// Name of a phase as people know it: "L1".
std::string line_name(size_t phase) { return "L" + std::to_string(number_of(phase)); }
/// Name of a current input as people know it: "I1", or "IN" of the neutral.
std::string input_name(size_t input) { return input == NEUTRAL ? "IN" : "I" + std::to_string(number_of(input)); }

/// Between the readings of two seconds of a residual current, which is noise.
constexpr double RESIDUAL_SPREAD = 0.5;
/// Steps of 2^15 in which the chip takes an offset of the squared rms.
constexpr double OFFSET_STEP = 32768.0;

Message about(const MessageKind &kind, size_t phase) { return Message(kind).add("phase", line_name(phase)); }

Message about_input(const MessageKind &kind, size_t input) { return Message(kind).add("input", input_name(input)); }

CalibrationOutcome no_phase() { return refused(Message(NO_SUCH_PHASE)); }

CalibrationOutcome too_early(size_t phase) { return refused(about(NOT_MEASURED_YET, phase)); }

}  // namespace

double gain_of_code(int32_t code) { return 1.0 + code / ONE_2_27; }

int32_t code_of_gain(double gain) { return static_cast<int32_t>(std::lround((gain - 1.0) * ONE_2_27)); }

int32_t code_of_phase(double degrees, double frequency) {
  const double w = angular_step(frequency);
  const double phi = degrees / DEGREES;
  return static_cast<int32_t>(std::lround(ONE_2_27 * (std::sin(phi - w) + std::sin(w)) / std::sin(2.0 * w - phi)));
}

double phase_of_code(int32_t code, double frequency) {
  // c * sin(2w - phi) = sin(phi - w) + sin(w), ordered by phi: a * cos(phi) - b * sin(phi) = sin(w).
  const double w = angular_step(frequency);
  const double c = code / ONE_2_27;
  const double a = c * std::sin(2.0 * w) + std::sin(w);
  const double b = c * std::cos(2.0 * w) + std::cos(w);
  return (std::acos(std::clamp(std::sin(w) / std::hypot(a, b), -1.0, 1.0)) - std::atan2(b, a)) * DEGREES;
}

int32_t offset_of_rms(double code) { return -static_cast<int32_t>(std::lround(code * code / OFFSET_STEP)); }

double rms_of_offset(int32_t offset) { return std::sqrt(std::max(0.0, -offset * OFFSET_STEP)); }

void RecentReadings::add(const PhaseReading &reading) {
  if (this->count_ == WANTED) {
    std::move(this->readings_.begin() + 1, this->readings_.end(), this->readings_.begin());
    this->count_--;
  }
  this->readings_[this->count_++] = reading;
}

PhaseReading RecentReadings::mean() const {
  PhaseReading mean;
  for (double PhaseReading::*value : {&PhaseReading::voltage, &PhaseReading::current, &PhaseReading::active_power,
                                      &PhaseReading::reactive_power, &PhaseReading::apparent_power}) {
    for (size_t i = 0; i < this->count_; i++)
      mean.*value += this->readings_[i].*value / static_cast<double>(this->count_);
  }
  return mean;
}

double RecentReadings::spread(double PhaseReading::*value) const {
  if (this->count_ == 0)
    return 0;
  double least = this->readings_[0].*value;
  double most = least;
  for (size_t i = 1; i < this->count_; i++) {
    least = std::min(least, this->readings_[i].*value);
    most = std::max(most, this->readings_[i].*value);
  }
  return (most - least) / std::abs(this->mean().*value);
}

CalibrationBook::CalibrationBook(const CalibrationSubject &subject, const Corrections &base)
    : subject_(subject), base_(base), now_(base), previous_(base) {}

void CalibrationBook::restore(const Corrections &now, const Corrections &previous) {
  this->now_ = now;
  this->previous_ = previous;
}

void CalibrationBook::change_(size_t phase, int32_t PhaseCorrection::*value, int32_t code) {
  this->previous_ = this->now_;
  this->now_[phase].*value = code;
}

CalibrationOutcome CalibrationBook::voltage_is(size_t phase, double volts, const RecentReadings &recent) {
  if (phase >= PHASES)
    return no_phase();
  const double shown = recent.mean().voltage;
  if (!recent.is_full() || !std::isfinite(shown))
    return too_early(phase);
  if (shown < MINIMUM_VOLTAGE * this->subject_.nominal_voltage)
    return refused(
        about(VOLTAGE_TOO_LOW, phase).add("shown", shown, 1).add("input", "V" + std::to_string(number_of(phase))));
  if (!std::isfinite(volts) || volts <= 0)
    return refused(Message(REFERENCE_VOLTAGE_NOT_POSITIVE));
  if (recent.spread(&PhaseReading::voltage) > VOLTAGE_SPREAD)
    return refused(about(VOLTAGE_NOT_STEADY, phase));
  const double gain = gain_of_code(this->now_[phase].voltage_gain) * volts / shown;
  if (!is_possible_gain(gain))
    return refused(about(VOLTAGE_GAIN_IMPOSSIBLE, phase)
                       .add("shown", shown, 1)
                       .add("reference", volts, 1)
                       .add("correction", (gain - 1) * 100, 0, true));
  this->change_(phase, &PhaseCorrection::voltage_gain, code_of_gain(gain));
  return accepted(about(VOLTAGE_CALIBRATED, phase)
                      .add("shown", shown, 2)
                      .add("reference", volts, 2)
                      .add("correction", (gain - 1) * 100, 2, true));
}

CalibrationOutcome CalibrationBook::current_is(size_t phase, double amperes, const RecentReadings &recent) {
  if (phase >= PHASES)
    return no_phase();
  const double shown = recent.mean().current;
  if (!recent.is_full() || !std::isfinite(shown))
    return too_early(phase);
  const double minimum = MINIMUM_CURRENT * this->subject_.full_scale_current;
  if (shown < minimum)
    return refused(about(CURRENT_TOO_LOW, phase).add("shown", shown, 2).add("minimum", minimum, 1));
  if (!std::isfinite(amperes) || amperes <= 0)
    return refused(Message(REFERENCE_CURRENT_NOT_POSITIVE));
  if (recent.spread(&PhaseReading::current) > CURRENT_SPREAD)
    return refused(about(CURRENT_NOT_STEADY, phase));
  const double gain = gain_of_code(this->now_[phase].current_gain) * amperes / shown;
  if (!is_possible_gain(gain))
    return refused(about(CURRENT_GAIN_IMPOSSIBLE, phase)
                       .add("shown", shown, 2)
                       .add("reference", amperes, 2)
                       .add("correction", (gain - 1) * 100, 0, true));
  const double ratio = gain / gain_of_code(this->now_[phase].current_gain);
  this->change_(phase, &PhaseCorrection::current_gain, code_of_gain(gain));
  // The gain comes before the offset: the residual current grows with it.
  this->now_.offsets[phase] = offset_of_rms(rms_of_offset(this->now_.offsets[phase]) * ratio);
  return accepted(about(CURRENT_CALIBRATED, phase)
                      .add("shown", shown, 3)
                      .add("reference", amperes, 3)
                      .add("correction", (gain - 1) * 100, 2, true));
}

CalibrationOutcome CalibrationBook::power_factor_is(size_t phase, double power_factor, const RecentReadings &recent) {
  if (phase >= PHASES)
    return no_phase();
  if (!this->subject_.phase_power)
    return refused(Message(NO_PHASE_POWER));
  const PhaseReading shown = recent.mean();
  if (!recent.is_full() || !is_measured(shown))
    return too_early(phase);
  const double minimum = MINIMUM_CURRENT * this->subject_.full_scale_current;
  if (shown.voltage < MINIMUM_VOLTAGE * this->subject_.nominal_voltage || shown.current < minimum)
    return refused(about(LOAD_TOO_SMALL, phase)
                       .add("voltage", shown.voltage, 1)
                       .add("current", shown.current, 2)
                       .add("minimum", minimum, 1));
  if (!(power_factor >= MINIMUM_POWER_FACTOR && power_factor <= 1))
    return refused(Message(REFERENCE_POWER_FACTOR_IMPOSSIBLE).add("minimum", MINIMUM_POWER_FACTOR, 1));
  if (recent.spread(&PhaseReading::current) > CURRENT_SPREAD)
    return refused(about(LOAD_NOT_STEADY, phase));
  if (shown.active_power <= 0)
    return refused(about(PHASE_FEEDS_IN, phase).add("shown", shown.active_power, 0));
  if (shown.apparent_power > MAXIMUM_DISTORTION * std::hypot(shown.active_power, shown.reactive_power))
    return refused(about(CURRENT_DISTORTED, phase));
  const double lag = std::atan2(shown.reactive_power, shown.active_power) * DEGREES;
  const double true_lag = std::copysign(std::acos(power_factor) * DEGREES, lag);
  const double correction = phase_of_code(this->now_[phase].phase, this->subject_.frequency) + lag - true_lag;
  if (correction > MAXIMUM_PHASE && correction < ANOTHER_PHASE)
    return refused(about(CURRENT_TOO_LATE, phase).add("shown", correction, 1).add("maximum", MAXIMUM_PHASE, 2));
  if (correction < MINIMUM_PHASE || correction > MAXIMUM_PHASE)
    return refused(about(PHASE_ERROR_IMPOSSIBLE, phase)
                       .add("shown", correction, 1)
                       .add("minimum", MINIMUM_PHASE, 0)
                       .add("maximum", MAXIMUM_PHASE, 2, true));
  this->change_(phase, &PhaseCorrection::phase, code_of_phase(correction, this->subject_.frequency));
  return accepted(about(POWER_FACTOR_CALIBRATED, phase)
                      .add("shown", std::cos(lag / DEGREES), 4)
                      .add("reference", power_factor, 4)
                      .add("correction", correction, 3, true));
}

double CalibrationBook::current_code_(double amperes) const {
  return amperes / this->subject_.full_scale_current * ade9000::reg::FULL_SCALE_RMS;
}

CalibrationOutcome CalibrationBook::null_residual_current(size_t input, const RecentReadings &recent) {
  if (input >= CURRENT_INPUTS)
    return refused(Message(NO_SUCH_INPUT));
  const double shown = recent.mean().current;
  if (!recent.is_full() || !std::isfinite(shown))
    return refused(about_input(INPUT_NOT_MEASURED_YET, input));
  if (shown <= 0)
    return refused(about_input(NOTHING_TO_NULL, input));
  // What is nulled already is measured too.
  const double code = std::hypot(this->current_code_(shown), rms_of_offset(this->now_.offsets[input]));
  const double residual = code / this->current_code_(1);
  const double greatest = MAXIMUM_RESIDUAL * this->subject_.full_scale_current;
  if (residual > greatest)
    return refused(about_input(RESIDUAL_TOO_LARGE, input).add("shown", residual, 3).add("maximum", greatest, 3));
  if (recent.spread(&PhaseReading::current) > RESIDUAL_SPREAD)
    return refused(about_input(RESIDUAL_NOT_STEADY, input));
  this->previous_ = this->now_;
  this->now_.offsets[input] = offset_of_rms(code);
  return accepted(about_input(RESIDUAL_NULLED, input).add("residual", residual, 3));
}

CalibrationOutcome CalibrationBook::undo() {
  if (this->now_ == this->previous_)
    return refused(Message(NOTHING_TO_UNDO));
  std::swap(this->now_, this->previous_);
  return accepted(Message(CALIBRATION_UNDONE));
}

CalibrationOutcome CalibrationBook::reset() {
  if (this->now_ == this->base_)
    return refused(Message(NOTHING_TO_RESET));
  this->previous_ = this->now_;
  this->now_ = this->base_;
  return accepted(Message(CALIBRATION_RESET));
}

CalibrationOutcome CalibrationBook::take_over(const Factors &factors) {
  // A residual current is of this meter's own.
  Corrections corrections = this->now_;
  for (size_t i = 0; i < PHASES; i++) {
    const PhaseFactors &phase = factors[i];
    if (!is_possible_gain(phase.voltage_gain) || !is_possible_gain(phase.current_gain) ||
        !(phase.degrees >= MINIMUM_PHASE && phase.degrees <= MAXIMUM_PHASE))
      return refused(about(CORRECTION_IMPOSSIBLE, i));
    corrections.phases[i] = {code_of_gain(phase.voltage_gain), code_of_gain(phase.current_gain),
                             code_of_phase(phase.degrees, this->subject_.frequency)};
  }
  this->previous_ = this->now_;
  this->now_ = corrections;
  return accepted(Message(CALIBRATION_TAKEN_OVER));
}

std::string CalibrationBook::to_yaml() const {
  std::string yaml;
  for (size_t i = 0; i < PHASES; i++) {
    const PhaseCorrection &correction = this->now_[i];
    char line[96];
    snprintf(line, sizeof(line), "%sl%d: {voltage_gain: %.6f, current_gain: %.6f, phase: %.3f}", i == 0 ? "" : "\n",
             number_of(i), gain_of_code(correction.voltage_gain), gain_of_code(correction.current_gain),
             phase_of_code(correction.phase, this->subject_.frequency));
    yaml += line;
  }
  if (this->now_.offsets == CurrentOffsets{})
    return yaml;
  std::string residuals;
  for (const int32_t offset : this->now_.offsets) {
    char amperes[24];
    snprintf(amperes, sizeof(amperes), "%s%.3g", residuals.empty() ? "" : ", ",
             rms_of_offset(offset) / this->current_code_(1));
    residuals += amperes;
  }
  return yaml + "\nresidual_currents: [" + residuals + "]";
}

}  // namespace esphome::meter_calibration

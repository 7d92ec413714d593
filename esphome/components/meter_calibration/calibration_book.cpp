#include "calibration_book.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <numbers>

namespace esphome::meter_calibration {

using ade9000::PHASES;

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

__attribute__((format(printf, 1, 2))) std::string sentence(const char *format, ...) {
  char buffer[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(buffer, sizeof(buffer), format, arguments);
  va_end(arguments);
  return buffer;
}

CalibrationOutcome refused(std::string message) { return {false, std::move(message)}; }
CalibrationOutcome accepted(std::string message) { return {true, std::move(message)}; }

int number_of(size_t phase) { return static_cast<int>(phase) + 1; }

double angular_step(double frequency) { return 2.0 * std::numbers::pi * frequency / SAMPLE_RATE; }

bool is_possible_gain(double gain) { return gain >= MINIMUM_GAIN && gain <= MAXIMUM_GAIN; }

CalibrationOutcome no_phase() { return refused("There is no such phase: use 1, 2 or 3."); }

CalibrationOutcome too_early(size_t phase) {
  return refused(sentence("L%d has not been measured for two seconds yet: try again in a moment.", number_of(phase)));
}

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
  if (!recent.is_full())
    return too_early(phase);
  const double shown = recent.mean().voltage;
  if (!(shown >= MINIMUM_VOLTAGE * this->subject_.nominal_voltage))
    return refused(
        sentence("L%d has only %.1f V, too little to compare: connect voltage input V%d to the live phase "
                 "first.",
                 number_of(phase), shown, number_of(phase)));
  if (!std::isfinite(volts) || volts <= 0)
    return refused("The true voltage must be more than 0 V: enter what your multimeter shows.");
  if (recent.spread(&PhaseReading::voltage) > VOLTAGE_SPREAD)
    return refused(
        sentence("The voltage of L%d is not steady: wait until no large load switches, then read the "
                 "multimeter and try again.",
                 number_of(phase)));
  const double gain = gain_of_code(this->now_[phase].voltage_gain) * volts / shown;
  if (!is_possible_gain(gain))
    return refused(
        sentence("The meter shows %.1f V on L%d; %.1f V would make the correction %+.0f %%, no tolerance of "
                 "a part. Check voltage_divider or voltage_input, and that you measured L%d.",
                 shown, number_of(phase), volts, (gain - 1) * 100, number_of(phase)));
  this->change_(phase, &PhaseCorrection::voltage_gain, code_of_gain(gain));
  return accepted(sentence("Voltage L%d: %.2f V becomes %.2f V, correction now %+.2f %%.", number_of(phase), shown,
                           volts, (gain - 1) * 100));
}

CalibrationOutcome CalibrationBook::current_is(size_t phase, double amperes, const RecentReadings &recent) {
  if (phase >= PHASES)
    return no_phase();
  if (!recent.is_full())
    return too_early(phase);
  const double shown = recent.mean().current;
  const double minimum = MINIMUM_CURRENT * this->subject_.full_scale_current;
  if (!(shown >= minimum))
    return refused(
        sentence("L%d carries only %.2f A, too little to compare: switch on a heater that draws at least "
                 "%.1f A.",
                 number_of(phase), shown, minimum));
  if (!std::isfinite(amperes) || amperes <= 0)
    return refused("The true current must be more than 0 A: enter what your clamp meter shows.");
  if (recent.spread(&PhaseReading::current) > CURRENT_SPREAD)
    return refused(sentence("The current of L%d is not steady: switch everything off but a heater, then try again.",
                            number_of(phase)));
  const double gain = gain_of_code(this->now_[phase].current_gain) * amperes / shown;
  if (!is_possible_gain(gain))
    return refused(
        sentence("The meter shows %.2f A on L%d; %.2f A would make the correction %+.0f %%, no tolerance of "
                 "a part. Check current_sensitivity or current_input, and that the transformer is closed "
                 "and on L%d.",
                 shown, number_of(phase), amperes, (gain - 1) * 100, number_of(phase)));
  this->change_(phase, &PhaseCorrection::current_gain, code_of_gain(gain));
  return accepted(sentence("Current L%d: %.3f A becomes %.3f A, correction now %+.2f %%.", number_of(phase), shown,
                           amperes, (gain - 1) * 100));
}

CalibrationOutcome CalibrationBook::power_factor_is(size_t phase, double power_factor, const RecentReadings &recent) {
  if (phase >= PHASES)
    return no_phase();
  if (!this->subject_.phase_power)
    return refused("Without a neutral a phase has no power factor of its own: calibrate voltage and current only.");
  if (!recent.is_full())
    return too_early(phase);
  const PhaseReading shown = recent.mean();
  const double minimum = MINIMUM_CURRENT * this->subject_.full_scale_current;
  if (!(shown.voltage >= MINIMUM_VOLTAGE * this->subject_.nominal_voltage) || !(shown.current >= minimum))
    return refused(
        sentence("L%d has %.1f V and %.2f A, too little to compare: switch on a heater that draws at least "
                 "%.1f A.",
                 number_of(phase), shown.voltage, shown.current, minimum));
  if (!(power_factor >= MINIMUM_POWER_FACTOR && power_factor <= 1))
    return refused(
        sentence("The true power factor must lie between %.1f and 1: a heater has 1.", MINIMUM_POWER_FACTOR));
  if (recent.spread(&PhaseReading::current) > CURRENT_SPREAD)
    return refused(sentence("The load of L%d is not steady: switch everything off but a heater, then try again.",
                            number_of(phase)));
  if (shown.active_power <= 0)
    return refused(
        sentence("L%d shows %.0f W: it feeds back, or its transformer is the wrong way round. Switch off "
                 "what feeds in, or check the wiring first.",
                 number_of(phase), shown.active_power));
  if (shown.apparent_power > MAXIMUM_DISTORTION * std::hypot(shown.active_power, shown.reactive_power))
    return refused(
        sentence("The current of L%d is no sine, so its power factor says little about the transformer: "
                 "switch everything off but a heater.",
                 number_of(phase)));
  const double lag = std::atan2(shown.reactive_power, shown.active_power) * DEGREES;
  const double true_lag = std::copysign(std::acos(power_factor) * DEGREES, lag);
  const double correction = phase_of_code(this->now_[phase].phase, this->subject_.frequency) + lag - true_lag;
  if (correction > MAXIMUM_PHASE && correction < ANOTHER_PHASE)
    return refused(sentence(
        "The current of L%d is shown %.1f degrees late; the chip can take away %.2f at most. Switch everything "
        "off but a heater and try again; if it stays, make the burden smaller, or take resistors or another "
        "transformer for the voltage.",
        number_of(phase), correction, MAXIMUM_PHASE));
  if (correction < MINIMUM_PHASE || correction > MAXIMUM_PHASE)
    return refused(
        sentence("The current of L%d is shown %.1f degrees from where it should be, no error of a "
                 "transformer (%.0f to %+.2f). Check the wiring: it may be on another phase.",
                 number_of(phase), correction, MINIMUM_PHASE, MAXIMUM_PHASE));
  this->change_(phase, &PhaseCorrection::phase, code_of_phase(correction, this->subject_.frequency));
  return accepted(sentence("Power factor L%d: %.4f becomes %.4f, phase correction now %+.3f degrees.", number_of(phase),
                           std::cos(lag / DEGREES), power_factor, correction));
}

CalibrationOutcome CalibrationBook::undo() {
  if (this->now_ == this->previous_)
    return refused("There is nothing to undo.");
  std::swap(this->now_, this->previous_);
  return accepted("The last calibration step is undone. Undo again to bring it back.");
}

CalibrationOutcome CalibrationBook::reset() {
  if (this->now_ == this->base_)
    return refused("The calibration is already that of the configuration.");
  this->previous_ = this->now_;
  this->now_ = this->base_;
  return accepted("The calibration is back to that of the configuration. Undo brings it back.");
}

std::string CalibrationBook::to_yaml() const {
  std::string yaml;
  for (size_t i = 0; i < PHASES; i++) {
    const PhaseCorrection &correction = this->now_[i];
    yaml += sentence("%sl%d: {voltage_gain: %.6f, current_gain: %.6f, phase: %.4f}", i == 0 ? "" : "\n", number_of(i),
                     gain_of_code(correction.voltage_gain), gain_of_code(correction.current_gain),
                     phase_of_code(correction.phase, this->subject_.frequency));
  }
  return yaml;
}

}  // namespace esphome::meter_calibration

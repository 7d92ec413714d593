#pragma once

#include "esphome/components/device_message/device_message.h"

namespace esphome::meter_calibration {

using device_message::MessageKind;

// Refusals: what to do, so that the step can be done.
inline constexpr MessageKind NO_SUCH_PHASE{"no_such_phase", "There is no such phase: use 1, 2 or 3."};
inline constexpr MessageKind NOT_MEASURED_YET{
    "not_measured_yet", "{phase} has not been measured for two seconds yet: try again in a moment."};
inline constexpr MessageKind VOLTAGE_TOO_LOW{
    "voltage_too_low",
    "{phase} has only {shown} V, too little to compare: connect voltage input {input} to the live phase first."};
inline constexpr MessageKind REFERENCE_VOLTAGE_NOT_POSITIVE{
    "reference_voltage_not_positive", "The true voltage must be more than 0 V: enter what your multimeter shows."};
inline constexpr MessageKind VOLTAGE_NOT_STEADY{
    "voltage_not_steady",
    "The voltage of {phase} is not steady: wait until no large load switches, then read the multimeter and try "
    "again."};
inline constexpr MessageKind VOLTAGE_GAIN_IMPOSSIBLE{
    "voltage_gain_impossible",
    "The meter shows {shown} V on {phase}; {reference} V would make the correction {correction} %, no tolerance of a "
    "part. Check voltage_divider or voltage_input, and that you measured {phase}."};
inline constexpr MessageKind CURRENT_TOO_LOW{
    "current_too_low",
    "{phase} carries only {shown} A, too little to compare: switch on a heater that draws at least {minimum} A."};
inline constexpr MessageKind REFERENCE_CURRENT_NOT_POSITIVE{
    "reference_current_not_positive", "The true current must be more than 0 A: enter what your clamp meter shows."};
inline constexpr MessageKind CURRENT_NOT_STEADY{
    "current_not_steady", "The current of {phase} is not steady: switch everything off but a heater, then try again."};
inline constexpr MessageKind CURRENT_GAIN_IMPOSSIBLE{
    "current_gain_impossible",
    "The meter shows {shown} A on {phase}; {reference} A would make the correction {correction} %, no tolerance of a "
    "part. Check current_sensitivity or current_input, and that the transformer is closed and on {phase}."};
inline constexpr MessageKind NO_PHASE_POWER{
    "no_phase_power", "Without a neutral a phase has no power factor of its own: calibrate voltage and current only."};
inline constexpr MessageKind LOAD_TOO_SMALL{
    "load_too_small",
    "{phase} has {voltage} V and {current} A, too little to compare: switch on a heater that draws at least {minimum} "
    "A."};
inline constexpr MessageKind REFERENCE_POWER_FACTOR_IMPOSSIBLE{
    "reference_power_factor_impossible", "The true power factor must lie between {minimum} and 1: a heater has 1."};
inline constexpr MessageKind LOAD_NOT_STEADY{
    "load_not_steady", "The load of {phase} is not steady: switch everything off but a heater, then try again."};
inline constexpr MessageKind PHASE_FEEDS_IN{
    "phase_feeds_in",
    "{phase} shows {shown} W: it feeds back, or its transformer is the wrong way round. Switch off what feeds in, or "
    "check the wiring first."};
inline constexpr MessageKind CURRENT_DISTORTED{
    "current_distorted",
    "The current of {phase} is no sine, so its power factor says little about the transformer: switch everything off "
    "but a heater."};
inline constexpr MessageKind CURRENT_TOO_LATE{
    "current_too_late",
    "The current of {phase} is shown {shown}° late; the chip can take away {maximum}° at most. Switch everything "
    "off but a heater and try again; if it stays, make the burden smaller, or take resistors or another transformer "
    "for the voltage."};
inline constexpr MessageKind PHASE_ERROR_IMPOSSIBLE{
    "phase_error_impossible",
    "The current of {phase} is shown {shown}° from where it should be, no error of a transformer ({minimum}° to "
    "{maximum}°). Check the wiring: it may be on another phase."};
inline constexpr MessageKind NO_SUCH_INPUT{"no_such_input",
                                           "There is no such current input: use 1, 2, 3, or 4 for the neutral."};
inline constexpr MessageKind INPUT_NOT_MEASURED_YET{
    "input_not_measured_yet", "{input} has not been measured for two seconds yet: try again in a moment."};
inline constexpr MessageKind NOTHING_TO_NULL{"nothing_to_null", "There is nothing to null: {input} shows no current."};
inline constexpr MessageKind RESIDUAL_TOO_LARGE{
    "residual_too_large",
    "{shown} A at {input} is no residual current ({maximum} A at most): take the load off, or the transformer off its "
    "cable, then try again. If it stays, check the burden and the wires of the transformer."};
inline constexpr MessageKind RESIDUAL_NOT_STEADY{
    "residual_not_steady", "The current at {input} is not steady: take the load off, then try again."};
inline constexpr MessageKind NOTHING_TO_UNDO{"nothing_to_undo", "There is nothing to undo."};
inline constexpr MessageKind NOTHING_TO_RESET{"nothing_to_reset",
                                              "The calibration is already that of the configuration."};
inline constexpr MessageKind CORRECTION_IMPOSSIBLE{
    "correction_impossible",
    "The correction of {phase} is no tolerance of a part: calibrate this meter with a reference instead."};

// What was done.
inline constexpr MessageKind VOLTAGE_CALIBRATED{
    "voltage_calibrated", "Voltage {phase}: {shown} V becomes {reference} V, correction now {correction} %."};
inline constexpr MessageKind CURRENT_CALIBRATED{
    "current_calibrated", "Current {phase}: {shown} A becomes {reference} A, correction now {correction} %."};
inline constexpr MessageKind POWER_FACTOR_CALIBRATED{
    "power_factor_calibrated",
    "Power factor {phase}: {shown} becomes {reference}, phase correction now {correction}°."};
inline constexpr MessageKind RESIDUAL_NULLED{"residual_nulled",
                                             "Current at {input}: a residual of {residual} A is nulled."};
inline constexpr MessageKind CALIBRATION_UNDONE{"calibration_undone",
                                                "The last calibration step is undone. Undo again to bring it back."};
inline constexpr MessageKind CALIBRATION_RESET{
    "calibration_reset", "The calibration is back to that of the configuration. Undo brings it back."};
inline constexpr MessageKind CALIBRATION_TAKEN_OVER{
    "calibration_taken_over", "The calibration of another meter is taken over. Undo brings the one before back."};

// Told by the meter after a start.
inline constexpr MessageKind CALIBRATION_DROPPED{
    "calibration_dropped",
    "The front end or the corrections in the configuration were changed: the calibration made before is no longer "
    "used. Calibrate again."};

}  // namespace esphome::meter_calibration

"""Kinds of messages that the firmware sends, and the values that each names."""

from collections.abc import Mapping
from typing import Final

INPUTS: Final = "inputs"
"""Value of the inputs or lines that are meant, sent without its name."""

WIRING: Final[Mapping[str, tuple[str, ...]]] = {
    "no_voltage": (INPUTS,),
    "lost_tap": (INPUTS,),
    "same_line": (),
    "high_leg_misplaced": (),
    "not_split_phase": (),
    "not_two_legs": (),
    "not_three_phase": (),
    "reversed_voltage": (INPUTS,),
    "exchanged_voltages": (INPUTS,),
    "reversed_sequence": (INPUTS,),
    "unclear_sequence": (),
    "exchanged_currents": (INPUTS,),
    "misplaced_current": (INPUTS,),
    "reversed_current": (INPUTS,),
    "exchanged_or_reversed_currents": (INPUTS,),
    "unclear_currents": (),
    "right": (),
    "incomplete": (),
    "uncertain_current": (INPUTS,),
    "no_current": (INPUTS,),
    "switch_on_heater": (INPUTS,),
    "switch_on_three_phase_heater": (),
    "not_checked": (),
    "no_measurement": (),
}
"""Findings of the wiring check."""

CALIBRATION_REFUSALS: Final[Mapping[str, tuple[str, ...]]] = {
    "no_such_phase": (),
    "not_measured_yet": ("phase",),
    "voltage_too_low": ("phase", "shown", "input"),
    "reference_voltage_not_positive": (),
    "voltage_not_steady": ("phase",),
    "voltage_gain_impossible": ("phase", "shown", "reference", "correction"),
    "current_too_low": ("phase", "shown", "minimum"),
    "reference_current_not_positive": (),
    "current_not_steady": ("phase",),
    "current_gain_impossible": ("phase", "shown", "reference", "correction"),
    "no_phase_power": (),
    "load_too_small": ("phase", "voltage", "current", "minimum"),
    "reference_power_factor_impossible": ("minimum",),
    "load_not_steady": ("phase",),
    "phase_feeds_in": ("phase", "shown"),
    "current_distorted": ("phase",),
    "current_too_late": ("phase", "shown", "maximum"),
    "phase_error_impossible": ("phase", "shown", "minimum", "maximum"),
    "no_such_input": (),
    "input_not_measured_yet": ("input",),
    "nothing_to_null": ("input",),
    "residual_too_large": ("input", "shown", "maximum"),
    "residual_not_steady": ("input",),
    "nothing_to_undo": (),
    "nothing_to_reset": (),
    "correction_impossible": ("phase",),
}
"""Refused calibration steps; each is an exception's translation key."""

CALIBRATION_RESULTS: Final[Mapping[str, tuple[str, ...]]] = {
    "voltage_calibrated": ("phase", "shown", "reference", "correction"),
    "current_calibrated": ("phase", "shown", "reference", "correction"),
    "power_factor_calibrated": ("phase", "shown", "reference", "correction"),
    "residual_nulled": ("input", "residual"),
    "calibration_undone": (),
    "calibration_reset": (),
    "calibration_taken_over": (),
    "calibration_dropped": (),
}
"""Accepted calibration steps, and the loss of a calibration."""

CLOCK: Final[Mapping[str, tuple[str, ...]]] = {"clock_not_set": ()}
"""States of the clock besides a time."""

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    **WIRING,
    **CALIBRATION_REFUSALS,
    **CALIBRATION_RESULTS,
    **CLOCK,
}
"""Names of the values of every kind of message, by code."""

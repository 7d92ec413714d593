"""Quantities of the data models derived from readings of the meter."""

from collections.abc import Mapping
from math import cos, hypot, radians, sqrt
from typing import Final

from ..catalog import Phase

PHASES: Final = tuple(phase.lower() for phase in Phase)

PAIRS: Final = (
    ("l12", "l1", "l2", "voltage_angle_l1_l2"),
    ("l23", "l2", "l3", "voltage_angle_l2_l3"),
    ("l31", "l3", "l1", "voltage_angle_l1_l3"),
)
"""Pairs of phases by the models' names, with the angle between the two voltages."""

IMPORTED_QUADRANTS: Final = ("reactive_energy_q1", "reactive_energy_q2")
EXPORTED_QUADRANTS: Final = ("reactive_energy_q3", "reactive_energy_q4")
"""IEC 62053-23: +R is measured in quadrants I and II, -R in III and IV."""


def derive(values: Mapping[str, float]) -> dict[str, float]:
    """Return the readings derived from `values`, by channel id."""
    found: dict[str, float] = {}
    for suffix in ("", *(f"_{phase}" for phase in PHASES)):
        p = values.get(f"fundamental_active_power{suffix}")
        q = values.get(f"fundamental_reactive_power{suffix}")
        if p is not None and q is not None and (s := hypot(p, q)) > 0:
            # cos φ of the fundamental; its sign is that of the active power.
            found[f"displacement_power_factor{suffix}"] = p / s
        for name, quadrants in (
            ("reactive_energy_import", IMPORTED_QUADRANTS),
            ("reactive_energy_export", EXPORTED_QUADRANTS),
        ):
            parts = [values.get(f"{quadrant}{suffix}") for quadrant in quadrants]
            known = [part for part in parts if part is not None]
            if len(known) == len(parts):
                found[f"{name}{suffix}"] = sum(known)
    for pair, first, second, angle_key in PAIRS:
        a, b = values.get(f"voltage_{first}"), values.get(f"voltage_{second}")
        angle = values.get(angle_key)
        if a is not None and b is not None and angle is not None:
            # Law of cosines: the two phasors and the one between their tips.
            squared = a * a + b * b - 2 * a * b * cos(radians(angle))
            found[f"phase_to_phase_voltage_{pair}"] = sqrt(max(squared, 0.0))
    for phase in PHASES:
        if (power := values.get(f"active_power_{phase}")) is not None:
            found[f"drawn_power_{phase}"] = max(power, 0.0)
            found[f"fed_power_{phase}"] = max(-power, 0.0)
    return found

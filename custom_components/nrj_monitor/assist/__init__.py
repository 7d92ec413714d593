"""Answers to what people ask about the supply: pure, from readings and a time.

Readings are given by channel id, in the channel's unit; None is no valid measurement.
Nothing here knows Home Assistant; `wording` says the answers in a language.
"""

from collections.abc import Mapping

from ..catalog import Phase

type Readings = Mapping[str, float | None]


def by_phase(readings: Readings, quantity: str) -> dict[Phase, float]:
    """Return the valid readings of a quantity on each phase."""
    found = {
        phase: readings.get(f"{quantity}_{phase.lower()}") for phase in tuple(Phase)
    }
    return {phase: value for phase, value in found.items() if value is not None}


def total(readings: Readings, quantity: str) -> float | None:
    """Return the reading of the whole meter; that of its phase where it has but one."""
    if (whole := readings.get(quantity)) is not None:
        return whole
    phases = by_phase(readings, quantity)
    return sum(phases.values()) if phases else None

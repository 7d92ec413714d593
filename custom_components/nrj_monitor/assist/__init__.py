"""Assist: queries about the supply, loads spoken to, and the aliases of entities.

Pure, without Home Assistant: `grid`, `phase_load` and `power` assess readings, and
`sentences` makes responses of the results. Readings are by channel id, in the channel's
unit; None is no valid measurement. Bound to Home Assistant: `queries`, `load_intents` and
`aliases`.
"""

from collections.abc import Mapping

from ..catalog import Phase

type Readings = Mapping[str, float | None]


def by_phase(readings: Readings, quantity: str) -> dict[Phase, float]:
    """Return the valid readings of a quantity by phase."""
    values = {
        phase: readings.get(f"{quantity}_{phase.lower()}") for phase in tuple(Phase)
    }
    return {phase: value for phase, value in values.items() if value is not None}


def total(readings: Readings, quantity: str) -> float | None:
    """Return a quantity's total reading, or the sum of the phases without a total."""
    if (whole := readings.get(quantity)) is not None:
        return whole
    phases = by_phase(readings, quantity)
    return sum(phases.values()) if phases else None

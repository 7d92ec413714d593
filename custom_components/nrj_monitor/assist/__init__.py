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
    """Return the total of a quantity, or the sum of its phases.

    Returns:
        None where a phase with readings of others has none of this quantity: one phase of
        three is not the house.
    """
    if (whole := readings.get(quantity)) is not None:
        return whole
    there = {
        phase
        for phase in Phase
        if any(id_.endswith(f"_{phase.lower()}") for id_ in readings)
    }
    known = by_phase(readings, quantity)
    return sum(known.values()) if known and known.keys() == there else None

"""Assessment of the phases' load: which phase is overloaded?"""

from dataclasses import dataclass
from typing import Any

from ..catalog import Phase
from . import Readings, by_phase

NEAR_LIMIT = 0.9
"""Part of the limit from which a phase has no room for another large load."""

MIN_VOLTAGE = 50.0
"""Volts below which no current is computed from the apparent power."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseLoad:
    """Load of the phases, A, and the rating of the main fuse, A, where known."""

    currents: dict[Phase, float]
    limit: float | None
    overloaded: tuple[Phase, ...]
    close: tuple[Phase, ...]
    heaviest: Phase | None

    def as_dict(self) -> dict[str, Any]:
        """Return the load as JSON data."""
        return {
            "current_a": {str(phase): value for phase, value in self.currents.items()},
            "main_fuse_a": self.limit,
            "main_fuse_known": self.limit is not None,
            "overloaded_phases": [str(phase) for phase in self.overloaded],
            "nearly_overloaded_phases": [str(phase) for phase in self.close],
            "heaviest_phase": self.heaviest and str(self.heaviest),
        }


def assess_phase_load(readings: Readings, limit: float | None) -> PhaseLoad:
    """Compare the currents, A, with the rating of the main fuse, A, where known.

    A current that is not measured follows from apparent power and voltage.
    """
    voltages = by_phase(readings, "voltage")
    currents = {
        phase: power / voltages[phase]
        for phase, power in by_phase(readings, "apparent_power").items()
        if voltages.get(phase, 0.0) >= MIN_VOLTAGE
    } | by_phase(readings, "current")
    currents = {phase: currents[phase] for phase in tuple(Phase) if phase in currents}
    overloaded: tuple[Phase, ...] = ()
    close: tuple[Phase, ...] = ()
    if limit is not None:
        overloaded = tuple(p for p, current in currents.items() if current > limit)
        close = tuple(
            p
            for p, current in currents.items()
            if NEAR_LIMIT * limit <= current <= limit
        )
    return PhaseLoad(
        currents=currents,
        limit=limit,
        overloaded=overloaded,
        close=close,
        heaviest=max(currents, key=lambda phase: currents[phase], default=None),
    )

"""Which phase is overloaded?"""

from dataclasses import dataclass
from typing import Any

from ..catalog import Phase
from . import Readings, by_phase

CLOSE = 0.9
"""Of the limit: from here on there is no room for another large load."""

VOLTAGE_TO_DIVIDE_BY = 50.0
"""V: below it a current cannot be told from the apparent power."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadAnswer:
    """How loaded the phases are, in A, against the main fuse's rating in A if known."""

    currents: dict[Phase, float]
    limit: float | None
    overloaded: tuple[Phase, ...]
    close: tuple[Phase, ...]
    heaviest: Phase | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "current_a": {str(phase): value for phase, value in self.currents.items()},
            "main_fuse_a": self.limit,
            "main_fuse_known": self.limit is not None,
            "overloaded_phases": [str(phase) for phase in self.overloaded],
            "nearly_overloaded_phases": [str(phase) for phase in self.close],
            "heaviest_phase": self.heaviest and str(self.heaviest),
        }


def judge_load(readings: Readings, limit: float | None) -> LoadAnswer:
    """Compare the currents with the rating of the main fuse, where it is known.

    Where a current is not measured it follows from apparent power and voltage.
    """
    voltages = by_phase(readings, "voltage")
    currents = {
        phase: power / voltages[phase]
        for phase, power in by_phase(readings, "apparent_power").items()
        if voltages.get(phase, 0.0) >= VOLTAGE_TO_DIVIDE_BY
    } | by_phase(readings, "current")
    currents = {phase: currents[phase] for phase in tuple(Phase) if phase in currents}
    overloaded: tuple[Phase, ...] = ()
    close: tuple[Phase, ...] = ()
    if limit is not None:
        overloaded = tuple(p for p, current in currents.items() if current > limit)
        close = tuple(
            p for p, current in currents.items() if CLOSE * limit <= current <= limit
        )
    return LoadAnswer(
        currents=currents,
        limit=limit,
        overloaded=overloaded,
        close=close,
        heaviest=max(currents, key=lambda phase: currents[phase], default=None),
    )

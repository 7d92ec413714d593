"""Totals of sources that tell of the phases alone."""

from collections.abc import Callable, Iterable, Mapping
from statistics import median
from typing import Final

from ..catalog import CHANNELS, Channel, Phase

DERIVED: Final[Mapping[str, Callable[[Iterable[float]], float]]] = {
    "active_power": sum,
    "reactive_power": sum,
    "frequency": median,
}
"""How a total follows from its phases. Apparent power and power factor do not."""


class DerivedTotals:
    """Adds the totals a source lacks to what it has."""

    def __init__(self, told: Iterable[Channel]) -> None:
        """Take what the source tells by itself."""
        known = set(told)
        self._phases: dict[Channel, list[Channel]] = {}
        for quantity in DERIVED:
            parts = [
                part
                for p in Phase
                if (part := CHANNELS[f"{quantity}_{p.lower()}"]) in known
            ]
            if parts and CHANNELS[quantity] not in known:
                self._phases[CHANNELS[quantity]] = parts
        self._latest: dict[Channel, float | None] = {}

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Return the totals that are added."""
        return tuple(self._phases)

    def add(
        self, readings: Mapping[Channel, float | None]
    ) -> dict[Channel, float | None]:
        """Return the totals that follow from the latest of all phases.

        One whose phases have not all been told yet, or not with these readings, is left
        out; where a phase has no valid measurement neither has a sum.
        """
        totals: dict[Channel, float | None] = {}
        self._latest.update(readings)
        for total, phases in self._phases.items():
            if readings.keys().isdisjoint(phases) or not all(
                phase in self._latest for phase in phases
            ):
                continue
            values = [self._latest[phase] for phase in phases]
            valid = [value for value in values if value is not None]
            rule = DERIVED[total.id]
            complete = len(valid) == len(values) or (rule is median and valid)
            totals[total] = rule(valid) if complete else None
        return totals

    def forget(self) -> None:
        """Forget the readings: the link is down."""
        self._latest.clear()

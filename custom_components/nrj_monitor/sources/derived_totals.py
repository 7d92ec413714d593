"""Totals derived from the phases, for sources without totals."""

from collections.abc import Callable, Iterable, Mapping
from statistics import median
from typing import Final

from ..catalog import CHANNELS, Channel, Phase

DERIVED: Final[Mapping[str, Callable[[Iterable[float]], float]]] = {
    "active_power": sum,
    "reactive_power": sum,
    "frequency": median,
}
"""Formula of each total from its phases. Apparent power and power factor have none."""

OF_ANY_PHASE: Final = frozenset({"frequency"})
"""Totals that a single phase tells; the others need every phase."""


def total_of(
    readings: Mapping[Channel, float | None], quantity: str, phases: Iterable[Phase]
) -> float | None:
    """Return a total, or the sum of `phases` without one; None unless all are known."""
    if (whole := readings.get(CHANNELS[quantity])) is not None:
        return whole
    parts = [readings.get(CHANNELS[f"{quantity}_{p.lower()}"]) for p in phases]
    known = [part for part in parts if part is not None]
    return sum(known) if known and len(known) == len(parts) else None


class DerivedTotals:
    """Derives missing totals of a source from the readings of the phases."""

    def __init__(
        self, measured: Iterable[Channel], declared: Iterable[Phase] = ()
    ) -> None:
        """Derive the totals missing from the `measured` channels.

        A sum needs each of the `declared` phases and of those with any channel: one
        phase of three is not the house.
        """
        known = set(measured)
        phases = {*declared, *(c.phase for c in known if c.phase is not None)}
        self._phases: dict[Channel, list[Channel]] = {}
        for quantity in DERIVED:
            parts = [
                part
                for p in Phase
                if (part := CHANNELS[f"{quantity}_{p.lower()}"]) in known
            ]
            if CHANNELS[quantity] in known or not parts:
                continue
            if quantity in OF_ANY_PHASE or len(parts) == len(phases):
                self._phases[CHANNELS[quantity]] = parts
        self._latest: dict[Channel, float | None] = {}

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Return the channels of the derived totals."""
        return tuple(self._phases)

    @property
    def parts(self) -> dict[Channel, tuple[Channel, ...]]:
        """Return the channels of the phases that each total is derived from."""
        return {total: tuple(phases) for total, phases in self._phases.items()}

    def update(
        self, readings: Mapping[Channel, float | None]
    ) -> dict[Channel, float | None]:
        """Add readings and return the totals derived from the latest of all phases.

        A total is left out while a phase has not been read at all, or if none of its
        phases is among `readings`; without a valid measurement of a phase a sum is None.
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

    def reset(self) -> None:
        """Clear the readings, as the link is down."""
        self._latest.clear()

"""Gate that every reading passes: a wrong reading is no reading. Pure rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .catalog import Channel, Quantity
from .energy_counters import begins_new_count

SLACK: Final = 10.0
"""Seconds a total may be older than the moment of its reading."""

LASTING: Final = 60.0
"""Seconds after which a total that fell or leapt is believed."""

ZERO: Final = 1.0
"""kWh below which a new count begins."""


def greatest_energy(quantity: Quantity, seconds: float) -> float:
    """Return the greatest energy in a time, in the quantity's unit.

    It is that of the greatest power of the catalog.
    """
    assert quantity.limits.rate is not None
    return quantity.limits.rate * (max(0.0, seconds) + SLACK) / 3600.0


def is_possible(channel: Channel, value: float) -> bool:
    """Return whether a value is within the limits of its quantity; NaN is not."""
    limits = channel.quantity.limits
    return limits.low <= value <= limits.high


@dataclass(slots=True)
class Refusals:
    """Refused readings of a channel: how many, and the value of the last."""

    count: int
    value: float


@dataclass(slots=True)
class _Total:
    """Latest believed value of a total, and a doubtful one since."""

    value: float
    time: float | None
    doubtful: float | None = None
    doubted_since: float = 0.0
    doubted_at: float = 0.0


class ReadingGate:
    """Refuses impossible readings, and doubts totals that fall or leap until they last.

    Meters of other makes tell 0 for seconds after a start of their own. A fall is
    believed once it grows from zero or has lasted, and a leap once it has lasted. A
    meter with a journal tells nothing before its totals are restored, so `believes_falls`
    there.
    """

    def __init__(self, *, believes_falls: bool = False) -> None:
        """Start without readings."""
        self._believes_falls = believes_falls
        self._totals: dict[Channel, _Total] = {}
        self._refusals: dict[str, Refusals] = {}

    @property
    def refusals(self) -> Mapping[str, Refusals]:
        """Return the refused readings by channel id."""
        return self._refusals

    def acknowledge(self) -> None:
        """Forget the refused readings, which a person has seen."""
        self._refusals.clear()

    def restore(self, channel: Channel, value: float) -> None:
        """Continue from a total of an earlier run, of an unknown age."""
        if is_possible(channel, value):
            self._totals.setdefault(channel, _Total(value, None))

    def refuse(self, channel: Channel, value: float) -> bool:
        """Count a refused reading; return whether it is the channel's first."""
        known = self._refusals.get(channel.id)
        if known is None:
            self._refusals[channel.id] = Refusals(1, value)
            return True
        known.count += 1
        known.value = value
        return False

    def believes(self, channel: Channel, value: float, now: float) -> bool:
        """Return whether to take a possible reading of a total at `now`, s."""
        total = self._totals.get(channel)
        if total is None:
            self._totals[channel] = _Total(value, now)
            return True
        if self._continues(channel, total, value, now) or self._lasts(
            channel, total, value, now
        ):
            total.value, total.time, total.doubtful = value, now, None
            return True
        return False

    def _continues(
        self, channel: Channel, total: _Total, value: float, now: float
    ) -> bool:
        """Return whether a reading continues the believed total."""
        if begins_new_count(total.value, value):
            return self._believes_falls
        return total.time is None or value - total.value <= greatest_energy(
            channel.quantity, now - total.time
        )

    def _lasts(self, channel: Channel, total: _Total, value: float, now: float) -> bool:
        """Doubt a reading, or return whether it confirms the doubtful one before."""
        doubtful = total.doubtful
        if (
            doubtful is None
            or begins_new_count(doubtful, value)
            or value - doubtful
            > greatest_energy(channel.quantity, now - total.doubted_at)
        ):
            total.doubtful = value
            total.doubted_since = total.doubted_at = now
            return False
        grows_from_zero = doubtful <= ZERO and doubtful < value < total.value
        total.doubtful, total.doubted_at = value, now
        return grows_from_zero or now - total.doubted_since >= LASTING

"""How long a phase or a contract may be overloaded, and when that is used up.

Breakers and contracts tolerate a little for long and a lot only briefly. A curve
says for each overload how long; the time used adds up, whatever its course.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, inf, isfinite, log
from types import MappingProxyType
from typing import Final

COOLING: Final = 900.0
"""Seconds below the limit in which all that was used up comes back."""

SHED_AT: Final = 0.5
"""The part of the tolerance after which something must go off."""

CLEAR_AT: Final = 0.25
"""The part below which it may come back."""


@dataclass(frozen=True, slots=True)
class ToleranceCurve:
    """Pairs of load (as a fraction of the limit) and seconds it is tolerated.

    Loads rise and times fall; below the first load nothing is used up. Between two
    pairs both are interpolated logarithmically, as trip curves are drawn.
    """

    points: tuple[tuple[float, float], ...]

    def tolerated(self, load: float) -> float:
        """Return for how many seconds a load is tolerated; inf is for ever."""
        loads = [point[0] for point in self.points]
        at = bisect_right(loads, load)
        if at == 0:
            return inf
        low, seconds = self.points[at - 1]
        if at == len(self.points):
            return seconds
        high, then = self.points[at]
        part = (log(load) - log(low)) / (log(high) - log(low))
        return exp(log(seconds) + part * (log(then) - log(seconds)))


CURVES: Final[Mapping[str, ToleranceCurve]] = MappingProxyType(
    {
        # IEC 60898-1 table 7: at 1.13 In not within an hour, at 1.45 In within one, at
        # 2.55 In within a minute (up to 32 A). The lower bounds are what may be used.
        "breaker": ToleranceCurve(
            ((1.0, 14_400.0), (1.13, 3_600.0), (1.45, 300.0), (2.55, 4.0), (5.0, 0.2))
        ),
        # A meter that cuts off at once what is above the contract.
        "strict": ToleranceCurve(((1.0, 20.0),)),
        # A limiter that allows 10 % without end, a third for hours, more for minutes.
        "graded": ToleranceCurve(((1.1, 10_800.0), (1.33, 10_800.0), (1.34, 120.0))),
    }
)


class OverloadMonitor:
    """Adds up how much of the tolerance of one limit is used."""

    def __init__(self, limit: float, curve: ToleranceCurve) -> None:
        """Watch a limit in W."""
        self.limit = limit
        self._curve = curve
        self._used = 0.0
        self._power: float | None = None
        self._time: float | None = None
        self._shedding = False

    @property
    def used(self) -> float:
        """Return which part of the tolerance is used: 0 to 1, beyond which it trips."""
        return self._used

    @property
    def must_shed(self) -> bool:
        """Return whether something must go off."""
        return self._shedding

    @property
    def excess(self) -> float:
        """Return by how many W the limit is exceeded, 0 where that is not known."""
        return max(0.0, (self._power or 0.0) - self.limit)

    @property
    def headroom(self) -> float:
        """Return how many W may be added, 0 where that is not known."""
        if self._power is None:
            return 0.0
        return max(0.0, self.limit - self._power)

    @property
    def is_calm(self) -> bool:
        """Return whether little enough is used for a load to come back."""
        return self._used <= CLEAR_AT

    def update(self, power: float | None, now: float) -> None:
        """Take the power drawn since the last update, W; None where it is not known.

        Where it is not known nothing is used up and nothing is given back.
        """
        since, self._time = self._time, now
        if power is not None and not isfinite(power):
            power = None
        if power is not None and self._power is not None and since is not None:
            # What was measured last held until now.
            self._add(self._power, now - since)
        self._power = power
        if power is None:
            self._shedding = False
            return
        # What is only just begun is acted on when it would be over before it is due.
        tolerated = self._curve.tolerated(power / self.limit)
        begun = self._used + (1.0 / tolerated if tolerated < inf else 0.0)
        if power <= self.limit:
            self._shedding = False
        elif begun >= SHED_AT:
            self._shedding = True

    def _add(self, power: float, seconds: float) -> None:
        tolerated = self._curve.tolerated(power / self.limit)
        if tolerated < inf:
            self._used = min(1.0, self._used + seconds / tolerated)
        else:
            self._used = max(0.0, self._used - seconds / COOLING)

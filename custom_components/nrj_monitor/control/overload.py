"""Tolerance of breakers and contracts for overloads, and its used fraction.

Small overloads are tolerated for long, great overloads only briefly. A curve gives the
tolerated time for each overload; the fractions of these times add up.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, isfinite, log
from types import MappingProxyType
from typing import Final

COOLING: Final = 900.0
"""Seconds below the limit after which the whole tolerance is available again."""

SHED_AT: Final = 0.5
"""Used fraction of the tolerance at which a load must be shed."""

CLEAR_AT: Final = 0.25
"""Used fraction of the tolerance up to which a load may come back."""


@dataclass(frozen=True, slots=True)
class ToleranceCurve:
    """Pairs of load, as a fraction of the limit, and tolerated time, s.

    Loads rise and times fall; loads below the first pair are tolerated for ever. Between
    pairs both are interpolated logarithmically, as trip curves are drawn.
    """

    points: tuple[tuple[float, float], ...]

    def tolerated(self, load: float) -> float:
        """Return the tolerated time of a load, s; inf is for ever."""
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
    """Monitors the power at a limit, and the tolerance used.

    State mutation rules: only `update` changes the monitor.
    """

    is_patient = False

    def __init__(self, limit: float, curve: ToleranceCurve) -> None:
        """Monitor a limit, W, whose tolerance is `curve`."""
        self.limit = limit
        self._curve = curve
        self._used = 0.0
        self._power: float | None = None
        self._time: float | None = None
        self._shedding = False

    @property
    def used(self) -> float:
        """Return the used fraction of the tolerance, 0 to 1; at 1 the breaker trips."""
        return self._used

    @property
    def must_shed(self) -> bool:
        """Return whether a load must be shed."""
        return self._shedding

    @property
    def excess(self) -> float:
        """Return the power above the limit, W; 0 while the power is unknown."""
        return max(0.0, (self._power or 0.0) - self.limit)

    @property
    def headroom(self) -> float:
        """Return the power left below the limit, W; 0 while the power is unknown."""
        if self._power is None:
            return 0.0
        return max(0.0, self.limit - self._power)

    def is_indifferent(self, power: float | None) -> bool:
        """Return whether a power, W, would change nothing here however long it lasts."""
        return self._used == 0.0 and (power is None or power <= self.limit)

    @property
    def is_calm(self) -> bool:
        """Return whether enough tolerance is left for a load to come back."""
        return self._used <= CLEAR_AT

    def update(self, power: float | None, now: float) -> None:
        """Add the power at `now`, W; None is unknown.

        While the power is unknown the used tolerance does not change.
        """
        since, self._time = self._time, now
        if power is not None and not isfinite(power):
            power = None
        if power is not None and self._power is not None and since is not None:
            # The power measured last is taken to have held until now.
            self._add(self._power, now - since)
        self._power = power
        if power is None:
            self._shedding = False
            return
        # An overload whose tolerance ends within the next second is acted on at once.
        tolerated = self._curve.tolerated(power / self.limit)
        begun = self._used + (1.0 / tolerated if tolerated < inf else 0.0)
        if power <= self.limit:
            self._shedding = False
        elif begun >= SHED_AT:
            self._shedding = True

    def plan(self, reliefs: Sequence[float], interval: float) -> None:
        """Do nothing: an overload does not wait for the last moment."""

    def _add(self, power: float, seconds: float) -> None:
        tolerated = self._curve.tolerated(power / self.limit)
        if tolerated < inf:
            self._used = min(1.0, self._used + seconds / tolerated)
        else:
            self._used = max(0.0, self._used - seconds / COOLING)

"""Limit for the mean power of an interval: when loads must be relieved, and by how much.

The energy used so far and the expected rest must stay below the limit. Loads are relieved
as late as the fewest of them still suffice, and come back for long enough to be worth it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import exp, isfinite
from typing import Final

from .demand import HOUR, DemandAccount

FLOOR: Final = 2500.0
"""Watts that are billed at least in Flanders, whatever the month's peak."""

DELAY: Final = 30.0
"""Seconds from a decision until its effect is certain."""

RESERVE: Final = 0.25
"""Part by which the power beside the loads may still rise while they are waited with."""

MEAN_TIME: Final = 2 / 3
"""Intervals over which the power beside the loads is averaged."""

PEAK_TIME: Final = 2.0
"""Intervals for which a peak of that average is remembered: a house that cooks has
pauses, and a pause is no room for a heater."""

RUN: Final = 1.5
"""Intervals for which there must be room for what comes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandLimit:
    """Limit for the mean of an interval, W.

    It may follow the month: no higher than the month's peak, but at least `floor`, and
    no higher than `power`, if any.
    """

    power: float | None = None
    follows_peak: bool = False
    floor: float = FLOOR

    def at(self, peak: float) -> float:
        """Return the limit at a peak of the month, W."""
        followed = max(self.floor, peak)
        if self.power is None:
            return followed
        return min(self.power, followed) if self.follows_peak else self.power


class DemandMonitor:
    """Monitors the mean of an interval against its limit.

    State mutation rules: `update` and `plan` change the monitor.
    """

    is_patient = True

    def __init__(self, account: DemandAccount, limit: DemandLimit) -> None:
        """Monitor the intervals of `account`."""
        self.account = account
        self._limit = limit
        self._power: float | None = None
        self._reliefs = 0.0
        # What the house draws beside the loads, W: its mean, and the mean's late peak.
        self._mean: float | None = None
        self._peak = 0.0
        self._learnt_at = 0.0
        self._must_shed = False

    @property
    def limit(self) -> float:
        """Return the limit for the mean of the interval, W."""
        peak = self.account.peak
        return self._limit.at(0.0 if peak is None else peak.power)

    @property
    def must_shed(self) -> bool:
        """Return whether loads must be relieved now."""
        return self._must_shed

    @property
    def excess(self) -> float:
        """Return the power to take off for the rest of the interval, W."""
        if self._power is None:
            return 0.0
        left = self._left(self._power)
        return max(0.0, -left / max(1.0, self.account.remaining - DELAY))

    @property
    def headroom(self) -> float:
        """Return the power that may come back, W; 0 while the power is unknown.

        There must be room for it in this interval and, as far as `RUN` reaches, in the
        next, should the house draw again what it drew of late.
        """
        if self._power is None:
            return 0.0
        account = self.account
        expected = max(self._power, self._peak + self._reliefs)
        room = self._left(expected) / max(DELAY, account.remaining)
        beyond = RUN * account.length - account.remaining
        if beyond > 0:
            spare = max(0.0, self.limit - expected) * account.length
            room = min(room, spare / min(beyond, account.length))
        return max(0.0, room)

    @property
    def is_calm(self) -> bool:
        """Return whether loads may come back."""
        return not self._must_shed and self._power is not None

    def is_indifferent(self, power: float | None) -> bool:
        """Return False: each power counts in the mean of its interval."""
        return False

    def update(self, power: float | None, now: float) -> None:
        """Add the power, W; the account has the time."""
        self._power = power if power is not None and isfinite(power) else None

    def plan(self, reliefs: Sequence[float], interval: float) -> None:
        """Decide whether to relieve loads now, as late as the fewest still suffice.

        `reliefs` are the powers that can be taken off, W, in the order in which loads
        are relieved. `interval` is that of the readings, s: the next decision comes as
        late.
        """
        self._reliefs = sum(reliefs)
        self._must_shed = False
        if self._power is None:
            return
        self._learn(self._power - self._reliefs)
        excess = -self._left(self._power)
        if excess <= 0:
            return
        time = self.account.remaining - DELAY
        later = time - max(1.0, interval)
        enough = next(
            (power for power in accumulate(reliefs) if power * time >= excess), None
        )
        risen = RESERVE * max(0.0, self._power - self._reliefs) * later
        self._must_shed = enough is None or enough * later < excess + risen

    def _left(self, power: float) -> float:
        """Return the energy left below the limit if `power`, W, is drawn on, Ws."""
        account = self.account
        rest = max(0.0, power) * account.remaining
        return self.limit * account.length - account.used * HOUR - rest

    def _learn(self, power: float) -> None:
        """Add the power beside the loads, W, to its mean and to the mean's peak."""
        time = self.account.time or 0.0
        passed = max(0.0, time - self._learnt_at) / self.account.length
        self._learnt_at = time
        if self._mean is None:
            self._mean = self._peak = power
            return
        self._mean += (1.0 - exp(-passed / MEAN_TIME)) * (power - self._mean)
        fallen = (1.0 - exp(-passed / PEAK_TIME)) * (self._mean - self._peak)
        self._peak = max(self._mean, self._peak + fallen)

"""Whether what was shed for the grid's sake shows in what the house draws.

Where a shed took nothing off, because loads were off already or are not where they are
said to be, no more are shed until the grid is well: it would only walk the house dark.
What is off stays off, since the grid decides how long it lasts, not the house.
"""

from math import isfinite
from typing import Final

EFFECT_TIME: Final = 15.0
"""Seconds within which it must show."""

SHOWN: Final = 0.3
"""The part of what was taken off that must show."""

WORTH: Final = 200.0
"""W below which the rest of the house hides it."""


class ShedCheck:
    """Compares what is drawn before a shed and after."""

    def __init__(self) -> None:
        """Begin with nothing shed."""
        self._since: float | None = None
        self._before = 0.0
        self._expected = 0.0
        self._least = 0.0
        self.is_futile = False
        """Whether shedding was given up until the grid is well."""

    def reset(self) -> None:
        """Forget that it was in vain: the next time it may help."""
        self.is_futile = False

    def record_shed(self, power: float | None, expected: float, now: float) -> None:
        """Note that `expected` W are taken off now, where `power` W are drawn."""
        if power is None or not isfinite(power):
            return
        if self._since is None:
            self._before = self._least = power
            self._expected = 0.0
        self._since = now
        self._expected += expected

    def update(self, power: float | None, now: float) -> bool:
        """Take what is drawn; return whether it is certain now that nothing shows."""
        if self._since is None:
            return False
        if power is not None and isfinite(power):
            self._least = min(self._least, power)
        if self._before - self._least >= SHOWN * self._expected:
            self._since = None
            return False
        if now - self._since < EFFECT_TIME:
            return False
        self._since = None
        in_vain = self._expected >= WORTH and power is not None and isfinite(power)
        self.is_futile = self.is_futile or in_vain
        return in_vain

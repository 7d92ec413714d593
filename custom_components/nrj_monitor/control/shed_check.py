"""Check whether sheds for the grid reduce the power of the house.

After a shed without effect, because loads were off already or are behind another meter,
no more loads are shed until the grid is normal: the house would go dark for nothing.
Shed loads stay off, since the grid decides how long a shed lasts.
"""

from math import isfinite
from typing import Final

EFFECT_TIME: Final = 15.0
"""Seconds within which the power must fall."""

SHOWN: Final = 0.3
"""Part of the power that was shed by which the measured power must fall."""

WORTH: Final = 200.0
"""Expected power, W, below which changes of other loads hide the effect."""


class ShedCheck:
    """Compares the power of the house before and after a shed for the grid."""

    def __init__(self) -> None:
        """Start without a shed to check."""
        self._since: float | None = None
        self._before = 0.0
        self._expected = 0.0
        self._least = 0.0
        self.is_futile = False
        """Whether shedding is given up until the grid is normal."""

    @property
    def is_settled(self) -> bool:
        """Return whether no effect is awaited, and shedding is not given up."""
        return self._since is None and not self.is_futile

    def reset(self) -> None:
        """Permit sheds again, once the grid is normal."""
        self.is_futile = False

    def record_shed(self, power: float | None, expected: float, now: float) -> None:
        """Record a shed of `expected` W at `now`, while the house draws `power` W."""
        if power is None or not isfinite(power):
            return
        if self._since is None:
            self._before = self._least = power
            self._expected = 0.0
        self._since = now
        self._expected += expected

    def update(self, power: float | None, now: float) -> bool:
        """Add the power of the house, W; return whether a shed is just found futile."""
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
        futile = self._expected >= WORTH and power is not None and isfinite(power)
        self.is_futile = self.is_futile or futile
        return futile

"""How much a load that can be set, like a charger, draws of a surplus.

It is raised by what would still be given away, and lowered by what is drawn, in whole
steps. Between the two lies a band in which nothing happens, and both must last.
"""

from math import ceil, floor
from typing import Final

from .load import Load

SMALLEST_STEP: Final = 100.0
"""W; what is finer is not worth telling a charger."""

RAISE_DELAY: Final = 30.0
LOWER_DELAY: Final = 10.0
"""Seconds for which it must be so. Drawing costs more than giving away."""

_ROUNDING: Final = 1e-6


class Modulation:
    """One load that runs: its `level` is what it is to draw, W."""

    def __init__(
        self, load: Load, surplus: float, *, margin: float, deficit: float
    ) -> None:
        """Begin with what fits `surplus` but for `margin`, W.

        It is raised where more than `margin` is given away, and lowered where more
        than `deficit` is drawn.
        """
        self.load = load
        self._margin = margin
        self._deficit = deficit
        step = load.power_step or SMALLEST_STEP
        self._step = step * max(1, ceil(SMALLEST_STEP / step - _ROUNDING))
        self._since: float | None = None
        self._rises = False
        self.level = self._fitting(surplus - margin)

    @property
    def spare(self) -> float:
        """Return what it can do without, W, and still run."""
        return self.level - self._least

    @property
    def _least(self) -> float:
        return self.load.starts_at

    def update(self, surplus: float, seen: float | None, now: float) -> bool:
        """Take what is given away, W (drawn is negative); return whether that changes it.

        `seen` is what it is set to, W, where that is known: a person may have set it.
        """
        level = seen or self.level
        wanted = level
        if surplus > self._margin:
            wanted = max(level, self._fitting(level + surplus - self._margin))
        elif -surplus > self._deficit:
            wanted = min(level, self._fitting(level + surplus))
        if abs(wanted - level) < _ROUNDING:
            self._since = None
            return False
        rises = wanted > level
        if self._since is None or rises is not self._rises:
            self._since, self._rises = now, rises
        if now - self._since < (RAISE_DELAY if rises else LOWER_DELAY):
            return False
        self._since = None
        changes = wanted != self.level
        self.level = wanted
        return changes

    def _fitting(self, power: float) -> float:
        """Return the greatest level that is no more than `power`, but the least."""
        nominal = self.load.nominal_power
        if power >= nominal:
            return nominal
        steps = max(0, floor((power - self._least) / self._step + _ROUNDING))
        return min(nominal, self._least + steps * self._step)

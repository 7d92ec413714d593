"""Power control of an adjustable load, like a charger, by the surplus.

Export raises the power and import lowers the power, in whole steps. Between the two
lies a dead band, and both must last for a delay.
"""

from math import ceil, floor
from typing import Final

from .load import Load

SMALLEST_STEP: Final = 100.0
"""Smallest change of power worth a command, W."""

RAISE_DELAY: Final = 30.0
LOWER_DELAY: Final = 10.0
"""Seconds for which export or import must last. Import costs more than export."""

_ROUNDING: Final = 1e-6


class Modulation:
    """Power control of a running load; `level` is the power to draw, W."""

    def __init__(
        self, load: Load, surplus: float, *, margin: float, deficit: float
    ) -> None:
        """Start at the level for `surplus` less `margin`, W.

        The level rises while more than `margin` is exported, and falls while more than
        `deficit` is imported.
        """
        self.load = load
        self._margin = margin
        self._deficit = deficit
        self._since: float | None = None
        self._rises = False
        self.level = self._fitting(surplus - margin)

    @property
    def spare(self) -> float:
        """Return the power above the least level, W."""
        return self.level - self._least

    @property
    def _least(self) -> float:
        return self.load.starts_at

    def update(self, surplus: float, observed: float | None, now: float) -> bool:
        """Add the surplus, W (import is negative); return whether the level changes.

        `observed` is the power to which the load is set, W: a person may have set the
        load otherwise. None is unknown.
        """
        level = observed or self.level
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
        """Return the greatest level up to `power`, W, but no less than the least level."""
        return level_up_to(self.load, power)


def level_up_to(load: Load, power: float) -> float:
    """Return the greatest level of a load up to `power`, W, but no less than its least."""
    if power >= load.nominal_power:
        return load.nominal_power
    step = load.power_step or SMALLEST_STEP
    step *= max(1, ceil(SMALLEST_STEP / step - _ROUNDING))
    steps = max(0, floor((power - load.starts_at) / step + _ROUNDING))
    return min(load.nominal_power, load.starts_at + steps * step)

"""Filter for a frequency repeated by a source that stopped measuring."""

from math import isnan, nan
from typing import Final

STUCK_AFTER: Final = 60.0
"""Seconds; the frequency of a grid moves by more than a millihertz every second."""

STUCK_SAMPLES: Final = 30


class StuckFilter:
    """Drops a value repeated without change for longer than a measurement can."""

    def __init__(self) -> None:
        """Start without a value."""
        self._value = nan
        self._since = 0.0
        self._samples = 0

    def filter(self, value: float, now: float) -> float:
        """Return `value`, or NaN for a value repeated for too long."""
        if value != self._value:
            self._value, self._since, self._samples = value, now, 0
        self._samples += 1
        stands = now - self._since >= STUCK_AFTER and self._samples >= STUCK_SAMPLES
        return nan if stands or isnan(value) else value

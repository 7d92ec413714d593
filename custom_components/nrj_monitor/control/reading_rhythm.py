"""Rhythm of the readings of the meter: how old the latest is, and how often they come."""

from collections import deque
from typing import Final

KEPT: Final = 8
"""Intervals that are kept; the parts of one update come in a burst."""

LONGEST: Final = 900.0
"""Seconds of the longest interval that is a rhythm and no outage."""


class ReadingRhythm:
    """Learns how often the power is read; times are s of one monotonic clock.

    State mutation rules: only `update` changes what is known.
    """

    def __init__(self) -> None:
        """Start without a reading."""
        self._intervals: deque[float] = deque(maxlen=KEPT)
        self._read_at: float | None = None
        self._now = 0.0

    @property
    def read_at(self) -> float:
        """Return the time of the latest reading, s."""
        return self._now if self._read_at is None else self._read_at

    @property
    def interval(self) -> float:
        """Return the longest of the latest intervals between readings, s."""
        return min(LONGEST, max(self._intervals, default=0.0))

    @property
    def wait(self) -> float:
        """Return the longest wait for a reading, s, the one in progress included."""
        return min(LONGEST, max(self._now - self.read_at, self.interval))

    def update(self, read_at: float, now: float) -> None:
        """Add the time of the latest reading, as known at `now`."""
        if self._read_at is None:
            self._read_at = read_at
        elif read_at > self._read_at:
            self._intervals.append(read_at - self._read_at)
            self._read_at = read_at
        self._now = now

"""Timeout of a source with a rhythm of its own."""

from collections import deque

MINIMUM = 10.0
"""Seconds of silence that never count as a timeout."""

INITIAL = 150.0
"""Seconds before the interval of a source is known; some report once a minute."""

INTERVALS = 3.0
"""Longest intervals between messages after which a source is timed out."""

KEPT = 16
"""Intervals that are kept, the latest ones."""


class AdaptiveTimeout:
    """Learns how often messages come; times are seconds of any one monotonic clock."""

    def __init__(self, now: float) -> None:
        """Start to wait for the first message."""
        self._last = now
        self._intervals: deque[float] = deque(maxlen=KEPT)
        self._has_message = False

    def update(self, now: float) -> None:
        """Add a message."""
        if self._has_message:
            self._intervals.append(now - self._last)
        self._has_message = True
        self._last = now

    def deadline(self) -> float:
        """Return when the source is timed out unless a message comes."""
        if len(self._intervals) < 3:
            return self._last + INITIAL
        return self._last + max(MINIMUM, INTERVALS * max(self._intervals))

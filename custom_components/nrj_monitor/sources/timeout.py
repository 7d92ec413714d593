"""Timeout of a source with a rhythm of its own."""

from collections import deque

MINIMUM = 10.0
"""Seconds of silence that never count as a timeout."""

INITIAL = 150.0
"""Seconds before the interval of a source is known; some report once a minute."""

INTERVALS = 3.0
"""Longest intervals between messages after which a source is timed out."""

LEARNT = 3
"""Intervals after which the rhythm of a source is known, once they took `MINIMUM` too."""

KEPT = 16
"""Intervals that are kept, and times its own length for which each is."""

LONGEST = 3600.0
"""Seconds of the longest interval that is a rhythm and no outage."""


class AdaptiveTimeout:
    """Learns how often messages come; times are seconds of any one monotonic clock.

    Messages often come in bursts, so that the pauses between the bursts are the rhythm.
    After a silence beyond its rhythm a source is learnt anew.
    """

    def __init__(self, now: float) -> None:
        """Start to wait for the first message."""
        self._last = now
        self._intervals: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self._learnt = 0
        self._learns_since = now
        self._has_message = False

    def update(self, now: float) -> None:
        """Add a message."""
        if self._has_message:
            self._learn(now, now - self._last)
        else:
            self._learns_since = now
        self._has_message = True
        self._last = now

    def _learn(self, now: float, interval: float) -> None:
        if self._is_learnt and now > self.deadline():
            self._intervals.clear()
            self._learnt = 0
            self._learns_since = now
        elif interval <= LONGEST:
            self._learnt += 1
            if interval > MINIMUM / INTERVALS:
                self._intervals.append((now, interval))

    @property
    def _is_learnt(self) -> bool:
        """Return whether the rhythm is known: a single burst of messages is none."""
        return self._learnt >= LEARNT and self._last - self._learns_since >= MINIMUM

    def deadline(self) -> float:
        """Return when the source is timed out unless a message comes."""
        if not self._is_learnt:
            return self._last + INITIAL
        longest = max(
            (
                interval
                for at, interval in self._intervals
                if self._last - at <= KEPT * interval
            ),
            default=0.0,
        )
        return self._last + max(MINIMUM, INTERVALS * longest)

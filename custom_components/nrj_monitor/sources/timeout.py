"""When a source that only talks is taken as gone."""

from collections import deque

SHORTEST = 10.0
"""Seconds of silence that never mean anything."""

UNKNOWN = 150.0
"""Seconds before the rhythm of a source is known; some tell once a minute."""

GAPS = 3.0
"""Gaps of its own rhythm after which it is gone."""

REMEMBERED = 16


class Silence:
    """Learns how often messages come; times are seconds of any one monotonic clock."""

    def __init__(self, now: float) -> None:
        """Start to listen."""
        self._last = now
        self._gaps: deque[float] = deque(maxlen=REMEMBERED)
        self._heard = False

    def heard(self, now: float) -> None:
        """Note a message."""
        if self._heard:
            self._gaps.append(now - self._last)
        self._heard = True
        self._last = now

    def deadline(self) -> float:
        """Return when it is gone unless something comes."""
        if len(self._gaps) < 3:
            return self._last + UNKNOWN
        return self._last + max(SHORTEST, GAPS * max(self._gaps))

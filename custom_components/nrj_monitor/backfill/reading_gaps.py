"""Times in which a meter could not be read: pure rules."""


class ReadingGaps:
    """Gaps in the readings of a meter: times without a link, or of an unknown link."""

    def __init__(self) -> None:
        """Start without gaps."""
        self._open_since: float | None = None
        self._closed: list[tuple[float, float]] = []

    def update(self, connected: bool, now: float) -> None:
        """Open a gap at `now`, s since 1970, if not `connected`, else close the gap."""
        if not connected:
            self._open_since = now if self._open_since is None else self._open_since
        elif self._open_since is not None:
            self._closed.append((self._open_since, now))
            self._open_since = None

    @property
    def open_since(self) -> float | None:
        """Return since when the meter can not be read, s since 1970; None if it can."""
        return self._open_since

    def contains(self, time: float) -> bool:
        """Return whether a time, s since 1970, lies in a gap."""
        return any(begin <= time < end for begin, end in self._closed) or (
            self._open_since is not None and self._open_since <= time
        )

    def discard_before(self, time: float) -> None:
        """Discard the gaps closed by `time`, s since 1970."""
        self._closed = [gap for gap in self._closed if gap[1] > time]

"""When a stream of readings becomes a state: the rule, without a clock of its own."""

from .catalog import SignificantChange

MIN_INTERVAL = 1.0
"""Seconds between two writes of one state: the recorder's finest useful grain."""

MAX_INTERVAL = 60.0
"""Seconds after which a state is written again, changed or not."""


class WriteThrottle:
    """Decides when the state of one entity is to be written.

    A significant change is written as soon as `MIN_INTERVAL` allows, anything
    else once per `MAX_INTERVAL`. The caller writes the latest value when the
    time comes, so the last value of a burst is never lost.
    """

    __slots__ = ("_change", "_written", "_written_at")

    def __init__(self, change: SignificantChange) -> None:
        """Start with nothing written; `change` says what is significant."""
        self._change = change
        self._written: float | None = None
        self._written_at: float | None = None

    def due(self, value: float | None, now: float) -> float:
        """Return when `value` is to be written, `now` or later.

        Times are seconds of any one monotonic clock.
        """
        if self._written_at is None:
            return now
        interval = (
            MIN_INTERVAL if self._change.between(self._written, value) else MAX_INTERVAL
        )
        return max(now, self._written_at + interval)

    def written(self, value: float | None, now: float) -> None:
        """Note that `value` was written at `now`."""
        self._written = value
        self._written_at = now

    def forget(self) -> None:
        """Write the next value at once: the state was set by something else."""
        self._written = None
        self._written_at = None

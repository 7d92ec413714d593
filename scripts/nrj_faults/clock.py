"""Movable clocks in place of the process's own: imported before all else."""

from datetime import UTC, datetime
import time


class MovableClock:
    """The machine's clock plus a movable offset, and one that only goes forward."""

    def __init__(self) -> None:
        """Begin with the machine's own time."""
        self._real = time.time
        self._offset = 0.0
        self._passed = 0.0

    def now(self) -> float:
        """Return this process's own time, seconds since 1970."""
        return self._real() + self._offset

    def monotonic(self) -> float:
        """Return the time of a clock that nobody sets, s since some moment."""
        return time.monotonic() + self._passed

    def skip(self, seconds: float) -> None:
        """Let time pass at once."""
        self._offset += seconds
        self._passed += seconds

    def set(self, seconds: float) -> None:
        """Set the clock, by so many seconds."""
        self._offset += seconds

    def install(self, offset: float) -> None:
        """Give Home Assistant, imported afterwards, a clock `offset` s ahead."""
        self.set(offset)
        time.time = self.now
        # It keeps the function it finds when it is imported.
        from homeassistant.util import dt as dt_util  # noqa: PLC0415

        dt_util.utcnow = lambda: datetime.fromtimestamp(self.now(), UTC)  # type: ignore[assignment]


CLOCK = MovableClock()

"""A movable clock in place of the process's own: imported before all else."""

from datetime import UTC, datetime
import time


class MovableClock:
    """The machine's clock plus a movable offset."""

    def __init__(self) -> None:
        """Begin with the machine's own time."""
        self._real = time.time
        self._offset = 0.0

    def now(self) -> float:
        """Return this process's own time, seconds since 1970."""
        return self._real() + self._offset

    def skip(self, seconds: float) -> None:
        """Let time pass at once."""
        self._offset += seconds

    def install(self, offset: float) -> None:
        """Give Home Assistant, imported afterwards, a clock `offset` s ahead."""
        self.skip(offset)
        time.time = self.now
        # It keeps the function it finds when it is imported.
        from homeassistant.util import dt as dt_util  # noqa: PLC0415

        dt_util.utcnow = lambda: datetime.fromtimestamp(self.now(), UTC)  # type: ignore[assignment]


CLOCK = MovableClock()

"""Times of the meter's starts, by a trusted clock: pure rules."""

from collections.abc import Mapping
from typing import Final

from .journal import JournalPage

CLOCK_AHEAD: Final = 5.0
CLOCK_BEHIND: Final = 20.0
"""Seconds by which the meter's clock may differ from Home Assistant's to be believed.
A delayed page makes the meter's clock look behind; a link does not survive more."""

MAX_BOOTS: Final = 16
"""Starts of a meter whose times are kept; the oldest start is dropped first."""


class BootClock:
    """Dates each start of a meter by a trusted clock.

    The meter's own clock is used where it agrees with Home Assistant's: then every page
    of the same records gives the same times. Where it does not, Home Assistant's clock
    and the meter's uptime date the start.
    """

    def __init__(self, boot_times: Mapping[str, float] | None = None) -> None:
        """Continue from known `boot_times`, s since 1970 by the name of the start."""
        self._boot_times = dict(boot_times or {})

    @property
    def boot_times(self) -> Mapping[str, float]:
        """Return when the uptime of the latest starts was 0, s since 1970, by start."""
        return self._boot_times

    def update(self, page: JournalPage, now: float) -> bool:
        """Date the start of a page received at `now`, s since 1970.

        Returns whether the start is new, or its time has moved by more than
        `CLOCK_AHEAD`.
        """
        by_uptime = now - page.uptime
        before = self._boot_times.pop(page.boot, None)
        if page.boot_time is not None and _agree(page.boot_time, by_uptime):
            time = float(page.boot_time)
        elif before is not None and by_uptime >= before - CLOCK_AHEAD:
            # No page comes before it was sent: a delayed page only makes the start seem
            # later than it was.
            time = min(before, by_uptime)
        else:
            time = by_uptime
        self._boot_times[page.boot] = time
        while len(self._boot_times) > MAX_BOOTS:
            del self._boot_times[next(iter(self._boot_times))]
        return before is None or abs(time - before) > CLOCK_AHEAD


def _agree(by_meter: float, by_uptime: float) -> bool:
    return -CLOCK_AHEAD <= by_uptime - by_meter <= CLOCK_BEHIND

"""Times of the meter's starts, by a trusted clock: pure rules."""

from collections.abc import Collection, Mapping
from typing import Final

from .clock_trust import AGREEMENT
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

    def __init__(
        self,
        boot_times: Mapping[str, float] | None = None,
        provisional: Collection[str] = (),
    ) -> None:
        """Continue from known `boot_times`, s since 1970 by the name of the start.

        `provisional` are the starts that were dated by a clock that may be set yet.
        """
        self._boot_times = dict(boot_times or {})
        self._provisional = self._boot_times.keys() & set(provisional)

    @property
    def boot_times(self) -> Mapping[str, float]:
        """Return when the uptime of the latest starts was 0, s since 1970, by start."""
        return self._boot_times

    @property
    def provisional(self) -> Collection[str]:
        """Return the names of the starts whose time may be wrong with the clock."""
        return self._provisional

    def error(self, page: JournalPage, now: float) -> float | None:
        """Return the difference of a page's start, by `now`, from its known time, s."""
        before = self._boot_times.get(page.boot)
        return None if before is None else now - page.uptime - before

    def is_firm(self, boot: str) -> bool:
        """Return whether a start is known for certain."""
        return boot in self._boot_times and boot not in self._provisional

    def confirm(self) -> None:
        """Take all starts as known for certain."""
        self._provisional.clear()

    def forget(self, boot: str) -> None:
        """Delete the time of a start."""
        self._boot_times.pop(boot, None)
        self._provisional.discard(boot)

    def shift(self, seconds: float) -> None:
        """Move the times of the provisional starts by a step of the clock, s."""
        for boot in self._provisional:
            self._boot_times[boot] += seconds

    def update(self, page: JournalPage, now: float, *, is_firm: bool = True) -> bool:
        """Date the start of a page received at `now`, s since 1970.

        A start that is known for certain stays where `now` contradicts it. A new one is
        provisional unless `is_firm`. Returns whether the start is new, or its time has
        moved by more than `CLOCK_AHEAD`.
        """
        by_uptime = now - page.uptime
        before = self._boot_times.pop(page.boot, None)
        if before is None and not is_firm:
            self._provisional.add(page.boot)
        is_near = before is not None and abs(by_uptime - before) <= AGREEMENT
        if before is not None and not is_near and page.boot not in self._provisional:
            time = before
        elif page.boot_time is not None and _agree(page.boot_time, by_uptime):
            time = float(page.boot_time)
        elif before is not None and is_near and by_uptime >= before - CLOCK_AHEAD:
            # No page comes before it was sent: a delayed page only makes the start seem
            # later than it was.
            time = min(before, by_uptime)
        else:
            time = by_uptime
        self._boot_times[page.boot] = time
        while len(self._boot_times) > MAX_BOOTS:
            self.forget(next(iter(self._boot_times)))
        return before is None or abs(time - before) > CLOCK_AHEAD


def _agree(by_meter: float, by_uptime: float) -> bool:
    return -CLOCK_AHEAD <= by_uptime - by_meter <= CLOCK_BEHIND

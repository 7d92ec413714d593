"""Download of a meter's journal, page by page, and positions to continue it from."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
import secrets
from typing import Any, Self

from ..device_number import LARGEST_NUMBER, number_name
from .boot_clock import BootClock
from .journal import COUNTERS, LARGEST_TOTAL, LATEST, Counters, JournalPage, PageHead
from .timeline import EnergyTimeline


def stored_time(value: Any) -> float:
    """Return a stored time, s since 1970; raises ValueError or TypeError for another value."""
    if not 0.0 <= (time := float(value)) <= LATEST:
        raise ValueError(f"{time} is no time")
    return time


def stored_number(value: Any, most: int = LARGEST_NUMBER) -> int:
    """Return a stored number up to `most`; raises for another value."""
    if not 0 <= (number := int(value)) <= most:
        raise ValueError(f"{number} is no number up to {most}")
    return number


def new_client() -> str:
    """Return a random client number in the meter's notation: eight hexadecimal digits."""
    return f"{1 + secrets.randbelow(2**32 - 1):08x}"


@dataclass(frozen=True, slots=True)
class JournalPosition:
    """Position in a journal: hours until there are filled.

    `done` is the number of the last used record. `time`, s since 1970, and `counters`
    are those at the end of record `sequence`, None without one.
    """

    journal: str = ""
    done: int = 0
    time: float | None = None
    counters: Counters = ()
    sequence: int = 0

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Self:
        """Read a stored position; raises for unusable data."""
        journal = str(stored["journal"])
        if journal:
            number_name(journal)
        anchor, done = stored["anchor"], stored_number(stored["done"])
        if not anchor:
            return cls(journal, done)
        counters = tuple(
            stored_number(total, LARGEST_TOTAL) for total in anchor["counters"]
        )
        if len(counters) != len(COUNTERS):
            raise ValueError(f"{len(counters)} totals, not {len(COUNTERS)}")
        return cls(
            journal,
            done,
            stored_time(anchor["time"]),
            counters,
            stored_number(anchor.get("sequence", 0)),
        )

    @classmethod
    def at_begin(cls, timeline: EnergyTimeline, journal: str, done: int) -> Self:
        """Return the position at the begin of a timeline."""
        if timeline.begin is None:
            return cls(journal, done)
        counters = timeline.counters_at(timeline.begin)
        assert counters is not None
        sequence = timeline.sequence_at(timeline.begin)
        return cls(journal, done, timeline.begin, counters, sequence)

    def as_stored(self) -> dict[str, Any]:
        """Return the position as it is stored."""
        anchor = None
        if self.time is not None:
            anchor = {
                "time": self.time,
                "counters": list(self.counters),
                "sequence": self.sequence,
            }
        return {"journal": self.journal, "done": self.done, "anchor": anchor}

    def timeline(self) -> EnergyTimeline:
        """Return the timeline that begins here."""
        if self.time is None:
            return EnergyTimeline()
        return EnergyTimeline(
            (self.time, self.counters), self.sequence, is_continued=True
        )


class JournalDownload:
    """Download of a journal: its timeline, and the number of the last record received."""

    def __init__(
        self,
        client: str,
        journal: str,
        timeline: EnergyTimeline,
        received: int,
        boot_clock: BootClock | None = None,
    ) -> None:
        """Continue after the record `received` of `journal`, as `client` of the meter."""
        self.client = client
        self.journal = journal
        self.received = received
        self.timeline = timeline
        self.complete = asyncio.Event()
        self.has_new_boot_time = False
        self.boot_clock = boot_clock or BootClock()
        self.started_at: float | None = None
        """When the meter's present start began to measure, s since 1970."""

    def rewind(self, position: JournalPosition) -> None:
        """Begin again at a position: what came since was dated wrongly.

        As another client: pages on their way to this one are no part of it.
        """
        self.client = new_client()
        self.journal, self.received = position.journal, position.done
        self.timeline = position.timeline()
        self.complete.clear()

    def add_page(self, page: JournalPage, now: float, *, is_firm: bool = True) -> bool:
        """Add a page for this client; return whether to acknowledge the page.

        `is_firm` tells whether the clock that told `now` will certainly not be set.
        """
        if page.client != self.client:
            return False
        self.has_new_boot_time = self.boot_clock.update(page, now, is_firm=is_firm)
        boot_time = self.boot_clock.boot_times[page.boot]
        self.started_at = boot_time + page.start_uptime
        self._begin_journal(page.journal)
        if page.last > self.received:
            # The meter never sends records that it has dropped meanwhile; the totals of
            # the next page have their energy.
            self.timeline.add_page(page, self.boot_clock.boot_times, now)
        self._receive(page.last, page.newest)
        return True

    def skip_page(self, page: PageHead) -> bool:
        """Take a page of no use as received; return whether to acknowledge it.

        It would come again and again, and no other after it. The totals of the next page
        have its energy.
        """
        if page.client != self.client:
            return False
        self._begin_journal(page.journal)
        self._receive(page.last, page.newest)
        return True

    def _begin_journal(self, journal: str) -> None:
        """Follow the meter where it began a new journal, whose sequence begins anew."""
        if journal != self.journal:
            self.journal = journal
            self.received = 0
            self.timeline = self.timeline.for_new_journal()

    def _receive(self, last: int, newest: int) -> None:
        """Note that records up to `last` of `newest` are here."""
        self.received = max(self.received, last)
        if self.received >= newest:
            self.complete.set()
        else:
            self.complete.clear()

"""Source with a journal, sent page by page as by a real meter."""

import asyncio
from collections.abc import Mapping

from custom_components.nrj_monitor.meter import Meter
from custom_components.nrj_monitor.sources import (
    MeterDescription,
    Source,
    SourceListener,
)
from tests.backfill.journal_pages import page, record
from tests.backfill.recorder_statistics import MAC, START

KWH = 1_000_000
MINUTES = 6 * 60
PAGE = 100
"""Records in a page."""

DESCRIPTION = MeterDescription(
    mac=MAC,
    name="NRJ Meter",
    manufacturer="NRJ Monitor",
    model="Meter",
    hardware="host",
    software="",
    channels=(),
    relays=(),
    features=frozenset({"journal"}),
)


class JournalMeter(Source):
    """Source whose journal has hours at 2 kW, sent as the firmware sends pages.

    Records are of a minute, or of an hour where they are more than a day.
    """

    def __init__(
        self,
        *,
        begin: float = START,
        hours: int = MINUTES // 60,
        counter: int = 100 * KWH,
    ) -> None:
        """Start with `hours` of records and no client.

        `begin` is the time of the first record, s since 1970, and `counter` the total
        at that time, mWh.
        """
        self.journal = "11223344"
        self.begin = begin
        self.span = 60 if hours <= 24 else 3600
        self.counter = counter
        self.records = hours * 3600 // self.span
        self.opened: list[tuple[str, str, int]] = []
        self.acknowledged: list[tuple[str, int, int]] = []
        self.closed: list[str] = []
        self.silent = False
        self.listener: Meter | None = None

    async def run(self, listener: SourceListener) -> None:
        """Send no readings."""

    def switch_relay(self, relay_id: str, is_on: bool) -> None:
        """Ignore the command: this meter has no relay."""

    async def open_journal(self, client: str, journal: str, after: int) -> None:
        """Record the request and send the first page."""
        self.opened.append((client, journal, after))
        self.send_records(client, after if journal == self.journal else 0)

    async def acknowledge_journal(self, client: str, received: int, done: int) -> None:
        """Record the acknowledgement and send the next page."""
        self.acknowledged.append((client, received, done))
        self.send_records(client, received)

    async def close_journal(self, client: str) -> None:
        """Record the departure of a client."""
        self.closed.append(client)

    def send_records(self, client: str, after: int) -> None:
        """Send a page of the records after `after`, unless there are none."""
        if after < self.records and not self.silent:
            self.send_page(self.page(client, after))

    def send_page(self, data: Mapping[str, str]) -> None:
        """Send the data of a page to the listener."""
        assert self.listener is not None
        asyncio.get_running_loop().call_soon(self.listener.on_journal_page, data)

    def page(self, client: str, after: int) -> Mapping[str, str]:
        """Return the data of a page with the records after `after`."""
        gain = (0, 0, 0, 2 * KWH * self.span // 3600, 0, 0, 0, 0)
        last = min(after + PAGE, self.records)
        counter = self.counter + after * gain[3]
        return page(
            [record(self.span, gain)] * (last - after),
            client=client,
            journal=self.journal,
            after=after,
            last=last,
            newest=self.records,
            begin_time=int(self.begin) + self.span * after,
            counters=f"0,0,0,{counter},0,0,0,0",
        )

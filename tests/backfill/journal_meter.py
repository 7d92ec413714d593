"""A source with a journal, as a real meter's."""

import asyncio
from collections.abc import Mapping

from custom_components.nrj_monitor.meter import Meter
from custom_components.nrj_monitor.sources import (
    MeterDescription,
    Source,
    SourceListener,
)
from tests.backfill.pages import page, record
from tests.backfill.recorded import MAC, START

KWH = 1_000_000
MINUTES = 6 * 60
PAGE = 100
"""Records the meter sends at once."""

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
    """A source with a journal of six hours at 2 kW, sent as the firmware sends it."""

    def __init__(self) -> None:
        """Start with the whole journal."""
        self.journal = "11223344"
        self.records = MINUTES
        self.opened: list[tuple[str, str, int]] = []
        self.acknowledged: list[tuple[str, int, int]] = []
        self.closed: list[str] = []
        self.silent = False
        self.listener: Meter | None = None

    async def run(self, listener: SourceListener) -> None:
        """Say nothing by itself."""

    def switch_relay(self, relay_id: str, is_on: bool) -> None:
        """Have no relay."""

    async def open_journal(self, client: str, journal: str, after: int) -> None:
        """Send the first page."""
        self.opened.append((client, journal, after))
        self.send(client, after if journal == self.journal else 0)

    async def acknowledge_journal(self, client: str, received: int, done: int) -> None:
        """Send the next page."""
        self.acknowledged.append((client, received, done))
        self.send(client, received)

    async def close_journal(self, client: str) -> None:
        """Send nothing more."""
        self.closed.append(client)

    def send(self, client: str, after: int) -> None:
        """Send a page unless there is nothing more."""
        if after < self.records and not self.silent:
            self.tell(self.page(client, after))

    def tell(self, data: Mapping[str, str]) -> None:
        """Send anything."""
        assert self.listener is not None
        asyncio.get_running_loop().call_soon(self.listener.on_journal_page, data)

    def page(self, client: str, after: int) -> Mapping[str, str]:
        """Return the records after one."""
        gain = (0, 0, 0, 2 * KWH // 60, 0, 0, 0, 0)
        last = min(after + PAGE, self.records)
        counter = 100 * KWH + after * gain[3]
        return page(
            [record(60, gain)] * (last - after),
            client=client,
            journal=self.journal,
            after=after,
            last=last,
            newest=self.records,
            begin_time=START + 60 * after,
            counters=f"0,0,0,{counter},0,0,0,0",
        )

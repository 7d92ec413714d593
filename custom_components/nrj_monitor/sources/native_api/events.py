"""Events of the meter's firmware, and their oscillograms."""

import asyncio
import base64
import binascii
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
import logging
from struct import error as StructError, iter_unpack
from typing import Final

from ...allowance import Allowance
from ...device_number import decimal_number, whole_number
from ...frequency_guard.event import GuardEvent
from ...power_quality.event import (
    LONGEST_AGO,
    MOST_POINTS,
    Oscillogram,
    PowerQualityEvent,
)
from ...quiet_log import QuietLog
from .. import SourceListener
from ..errors import SourceError
from .client import NativeApiClient

_LOGGER = logging.getLogger(__name__)

EVENTS_ACTION: Final = "power_quality_events"
OSCILLOGRAM_ACTION: Final = "power_quality_oscillogram"
GUARD_EVENTS_ACTION: Final = "guard_events"
EVENT: Final = "esphome.nrj_power_quality"
OSCILLOGRAM_EVENT: Final = "esphome.nrj_oscillogram"
GUARD_EVENT: Final = "esphome.nrj_guard"
JOURNAL_EVENT: Final = "esphome.nrj_journal"

SETTLING: Final = 1.0
"""Seconds after an event in which the meter reads the waveform around the event."""

PAGE_TIMEOUT: Final = 5.0
"""Seconds the meter may take to send a page of an oscillogram."""

MAX_PAGES: Final = 64
"""Pages of one oscillogram that are fetched at most."""

MOST_CHANNELS: Final = 8
"""Channels of an oscillogram; the chip has seven."""

LARGEST_PAGE: Final = 4096
"""Characters of a page of an oscillogram, and of the names of its channels."""

LARGEST_CODE: Final = 1000.0
"""Greatest V or A of a step of the converter."""

EVENT_RATE: Final = 5.0
EVENT_BURST: Final = 100
"""Events a second that are looked at, and at once: a meter tells its last 32 of each kind
when the link is new."""

MOST_WANTED: Final = 32
"""Events whose oscillogram waits to be fetched."""

MOST_PAGES: Final = 16
"""Pages of the journal that wait for their turn; the meter sends again what is left out."""

type Clock = Callable[[], datetime]


class DeviceEvents:
    """Reports the events of a connected meter, and fetches missed ones and waveforms."""

    def __init__(
        self,
        client: NativeApiClient,
        listener: SourceListener,
        now: Clock,
        log: QuietLog | None = None,
    ) -> None:
        """Prepare to report events from `client` to `listener`; `now` is in UTC.

        What is of no use goes to `log`, which outlives the link.
        """
        self._client = client
        self._listener = listener
        self._now = now
        self._log = log or QuietLog(_LOGGER, "")
        self._loop = asyncio.get_running_loop()
        self._allowance = Allowance(EVENT_RATE, EVENT_BURST)
        self._pages: asyncio.Queue[dict[str, str]] = asyncio.Queue(MOST_PAGES)
        self._wanted: asyncio.Queue[PowerQualityEvent] = asyncio.Queue(MOST_WANTED)
        self._journal: deque[dict[str, str]] = deque()
        self._handlers: Mapping[str, Callable[[dict[str, str]], None]] = {
            EVENT: self._on_power_quality,
            OSCILLOGRAM_EVENT: self._on_oscillogram_page,
            GUARD_EVENT: self._on_guard,
            JOURNAL_EVENT: self._on_journal_page,
        }

    def subscribe(self) -> None:
        """Subscribe to events; earlier ones are fetched by `run`.

        Raises NoAnswerError where the link is broken.
        """
        self._client.subscribe_events(self._on_event)

    async def run(self) -> None:
        """Fetch missed events, and oscillograms as events come, until the link breaks."""
        with suppress(SourceError, TimeoutError):
            if GUARD_EVENTS_ACTION in self._client.actions:
                await self._client.send_action(GUARD_EVENTS_ACTION, after=0)
            if EVENTS_ACTION not in self._client.actions:
                return
            # The meter sends its last 32 events; the listener knows which are new.
            await self._client.send_action(EVENTS_ACTION, after=0)
            while True:
                event = await self._wanted.get()
                try:
                    await self._fetch(event)
                except (ValueError, KeyError, StructError, binascii.Error) as error:
                    self._log.warning("A waveform of the meter is left out: %s", error)
                    self._listener.on_oscillogram(event, None)

    def _on_event(self, kind: str, data: dict[str, str]) -> None:
        """Hand an event to the handler of its type; other types are not ours."""
        if (handler := self._handlers.get(kind)) is not None:
            handler(data)

    def _takes(self) -> bool:
        """Return whether an event is looked at: no meter has as many as a flood."""
        if self._allowance.takes(self._loop.time()):
            return True
        self._log.warning("The meter sends too many events: those beyond are left out")
        return False

    def _on_journal_page(self, data: dict[str, str]) -> None:
        """Report a page of the journal, one in each pass of the event loop.

        A page takes milliseconds, and a chunk from the network may hold hundreds.
        """
        if len(self._journal) >= MOST_PAGES:
            return
        self._journal.append(data)
        if len(self._journal) == 1:
            self._loop.call_soon(self._report_journal_page)

    def _report_journal_page(self) -> None:
        """Report the page that waits for longest."""
        if len(self._journal) > 1:
            self._loop.call_soon(self._report_journal_page)
        self._listener.on_journal_page(self._journal.popleft())

    def _on_oscillogram_page(self, data: dict[str, str]) -> None:
        """Keep a page for who asked for it; more than are asked for are left out."""
        with suppress(asyncio.QueueFull):
            self._pages.put_nowait(data)

    def _on_guard(self, data: dict[str, str]) -> None:
        """Report a frequency guard event; a damaged event is logged."""
        if not self._takes():
            return
        try:
            event = GuardEvent.from_device(data, self._now())
        except ValueError as error:
            self._log.warning("An event of the guard is left out: %s", error)
        else:
            self._listener.on_guard_event(event)

    def _on_power_quality(self, data: dict[str, str]) -> None:
        """Report a power quality event and queue its oscillogram."""
        if not self._takes():
            return
        try:
            event = PowerQualityEvent.from_device(data, self._now())
        except ValueError as error:
            self._log.warning("An event of the meter is left out: %s", error)
            return
        self._listener.on_power_quality_event(event)
        if (
            not event.ongoing
            and OSCILLOGRAM_ACTION in self._client.actions
            and self._listener.wants_oscillogram(event)
        ):
            # The meter tells all again at the next link; those that did not fit too.
            with suppress(asyncio.QueueFull):
                self._wanted.put_nowait(event)

    async def _fetch(self, event: PowerQualityEvent) -> None:
        """Fetch and report the oscillogram of an event, page by page.

        Raises ValueError, KeyError, struct.error or binascii.Error for damaged pages.
        """
        await asyncio.sleep(SETTLING)
        while not self._pages.empty():
            self._pages.get_nowait()
        first = await self._page(event, 0)
        if first is None:
            return
        if (count := whole_number(first["pages"], MAX_PAGES)) == 0:
            self._listener.on_oscillogram(event, None)
            return
        pages = [first]
        for number in range(1, count):
            if (page := await self._page(event, number)) is None:
                return
            pages.append(page)
        self._listener.on_oscillogram(event, oscillogram(event, pages, self._now()))

    async def _page(
        self, event: PowerQualityEvent, number: int
    ) -> dict[str, str] | None:
        """Return a page of an oscillogram, None after `PAGE_TIMEOUT`."""
        await self._client.send_action(
            OSCILLOGRAM_ACTION, event=event.number, page=number
        )
        try:
            async with asyncio.timeout(PAGE_TIMEOUT):
                while True:
                    page = await self._pages.get()
                    if page.get("number") == str(event.number) and page.get(
                        "page"
                    ) == str(number):
                        return page
        except TimeoutError:
            return None


def oscillogram(
    event: PowerQualityEvent, pages: Sequence[dict[str, str]], now: datetime
) -> Oscillogram:
    """Return the oscillogram of an event from its pages, received at `now`.

    Raises ValueError, KeyError, struct.error or binascii.Error for damaged pages.
    """
    first = pages[0]
    if any(len(page["data"]) > LARGEST_PAGE for page in pages):
        raise ValueError("its pages are too long")
    names = first["channels"][:LARGEST_PAGE].split(",")
    if not len(set(names)) == len(names) <= MOST_CHANNELS:
        raise ValueError(f"it has {len(names)} channels, or some of them twice")
    volts, amperes = (
        decimal_number(first[f"{unit}_per_code"], 0.0, LARGEST_CODE)
        for unit in ("volts", "amperes")
    )
    parts = [base64.b64decode(page["data"], validate=True) for page in pages]
    if len({len(part) for part in parts}) != 1:
        raise ValueError("its pages differ in length")
    sets = list(iter_unpack(f"<{len(names)}h", b"".join(parts)))
    return Oscillogram(
        event_id=event.id,
        title=" ".join(filter(None, (event.kind, event.phase))),
        started=now
        - timedelta(milliseconds=whole_number(first["started_ms_ago"], LONGEST_AGO)),
        points_per_cycle=whole_number(first["points_per_cycle"], MOST_POINTS),
        channels={
            name: tuple(
                sample[index] * (volts if name.startswith("U") else amperes)
                for sample in sets
            )
            for index, name in enumerate(names)
        },
    )

"""Events of the meter's firmware, and their oscillograms."""

import asyncio
import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
import logging
from struct import error as StructError, iter_unpack
from typing import Final

from ...frequency_guard.event import GuardEvent
from ...power_quality.event import Oscillogram, PowerQualityEvent
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

type Clock = Callable[[], datetime]


class DeviceEvents:
    """Reports the events of a connected meter, and fetches missed ones and waveforms."""

    def __init__(
        self, client: NativeApiClient, listener: SourceListener, now: Clock
    ) -> None:
        """Prepare to report events from `client` to `listener`; `now` is in UTC."""
        self._client = client
        self._listener = listener
        self._now = now
        self._pages: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self._wanted: asyncio.Queue[PowerQualityEvent] = asyncio.Queue()
        self._handlers: Mapping[str, Callable[[dict[str, str]], None]] = {
            EVENT: self._on_power_quality,
            OSCILLOGRAM_EVENT: self._pages.put_nowait,
            GUARD_EVENT: self._on_guard,
            JOURNAL_EVENT: listener.on_journal_page,
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
                await self._fetch(await self._wanted.get())

    def _on_event(self, kind: str, data: dict[str, str]) -> None:
        """Hand an event to the handler of its type; other types are not ours."""
        if (handler := self._handlers.get(kind)) is not None:
            handler(data)

    def _on_guard(self, data: dict[str, str]) -> None:
        """Report a frequency guard event; a damaged event is logged."""
        try:
            self._listener.on_guard_event(GuardEvent.from_device(data, self._now()))
        except ValueError as error:
            _LOGGER.warning("An event of the guard is left out: %s", error)

    def _on_power_quality(self, data: dict[str, str]) -> None:
        """Report a power quality event and queue its oscillogram."""
        try:
            event = PowerQualityEvent.from_device(data, self._now())
        except ValueError as error:
            _LOGGER.warning("An event of the meter is left out: %s", error)
            return
        self._listener.on_power_quality_event(event)
        if (
            not event.ongoing
            and OSCILLOGRAM_ACTION in self._client.actions
            and self._listener.wants_oscillogram(event)
        ):
            self._wanted.put_nowait(event)

    async def _fetch(self, event: PowerQualityEvent) -> None:
        """Fetch and report the oscillogram of an event, page by page."""
        await asyncio.sleep(SETTLING)
        first = await self._page(event, 0)
        if first is None:
            return
        if (count := int(first.get("pages", "0"))) == 0:
            self._listener.on_oscillogram(event, None)
            return
        pages = [first]
        for number in range(1, min(count, MAX_PAGES)):
            if (page := await self._page(event, number)) is None:
                return
            pages.append(page)
        try:
            wave = oscillogram(event, pages, self._now())
        except (ValueError, KeyError, StructError, binascii.Error) as error:
            _LOGGER.warning("A waveform of the meter is left out: %s", error)
            return
        self._listener.on_oscillogram(event, wave)

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
    names = first["channels"].split(",")
    volts, amperes = float(first["volts_per_code"]), float(first["amperes_per_code"])
    parts = [base64.b64decode(page["data"], validate=True) for page in pages]
    if len({len(part) for part in parts}) != 1:
        raise ValueError("its pages differ in length")
    sets = list(iter_unpack(f"<{len(names)}h", b"".join(parts)))
    return Oscillogram(
        event_id=event.id,
        title=" ".join(filter(None, (event.kind, event.phase))),
        started=now - timedelta(milliseconds=int(first["started_ms_ago"])),
        points_per_cycle=int(first["points_per_cycle"]),
        channels={
            name: tuple(
                sample[index] * (volts if name.startswith("U") else amperes)
                for sample in sets
            )
            for index, name in enumerate(names)
        },
    )

"""What the meter's firmware tells by events rather than by states."""

import asyncio
import base64
import binascii
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
import logging
from struct import error as StructError, iter_unpack
from typing import Final

from aioesphomeapi.client import APIClient
from aioesphomeapi.core import APIConnectionError
from aioesphomeapi.model import HomeassistantServiceCall, UserService

from ..frequency_guard.event import GuardEvent
from ..power_quality.event import Oscillogram, PowerQualityEvent
from . import SourceListener

_LOGGER = logging.getLogger(__name__)

POWER_QUALITY: Final = "power_quality"
"""Feature of a meter that watches the supply."""

EVENTS_ACTION: Final = "power_quality_events"
OSCILLOGRAM_ACTION: Final = "power_quality_oscillogram"
EVENT: Final = "esphome.nrj_power_quality"
OSCILLOGRAM_EVENT: Final = "esphome.nrj_oscillogram"
GUARD_EVENTS_ACTION: Final = "guard_events"
GUARD_EVENT: Final = "esphome.nrj_guard"
JOURNAL_EVENT: Final = "esphome.nrj_journal"

SETTLING: Final = 1.0
"""Seconds after an event in which the meter reads the waveform around it."""

PAGE_TIMEOUT: Final = 5.0
MAX_PAGES: Final = 64

type Clock = Callable[[], datetime]


class DeviceEvents:
    """Listens to the events of a connected meter, and asks for what was missed."""

    def __init__(
        self,
        client: APIClient,
        services: Sequence[UserService],
        listener: SourceListener,
        now: Clock,
    ) -> None:
        """Prepare to feed `listener` from `client`."""
        self._client = client
        self._services = {service.name: service for service in services}
        self._listener = listener
        self._now = now
        self._pages: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self._wanted: asyncio.Queue[PowerQualityEvent] = asyncio.Queue()

    def subscribe(self) -> None:
        """Listen from now on; what was sent before is lost.

        Raises APIConnectionError where the link is broken.
        """
        self._client.subscribe_service_calls(self._on_call)

    async def run(self) -> None:
        """Ask for what was missed, and for waveforms, until the link breaks."""
        with suppress(APIConnectionError, TimeoutError):
            if GUARD_EVENTS_ACTION in self._services:
                await self._call(GUARD_EVENTS_ACTION, after=0)
            if EVENTS_ACTION not in self._services:
                return
            # Only what the listener does not know yet is news; the meter keeps 32.
            await self._call(EVENTS_ACTION, after=0)
            while True:
                await self._fetch(await self._wanted.get())

    async def _call(self, action: str, **arguments: int) -> None:
        await self._client.execute_service(self._services[action], dict(arguments))

    def _on_call(self, call: HomeassistantServiceCall) -> None:
        if not call.is_event:
            return
        data = dict(call.data)
        if call.service == OSCILLOGRAM_EVENT:
            self._pages.put_nowait(data)
        elif call.service == GUARD_EVENT:
            try:
                self._listener.on_guard_event(GuardEvent.from_device(data, self._now()))
            except ValueError as error:
                _LOGGER.warning("An event of the guard is left out: %s", error)
        elif call.service == JOURNAL_EVENT:
            self._listener.on_journal_page(data)
        elif call.service == EVENT:
            try:
                event = PowerQualityEvent.from_device(data, self._now())
            except ValueError as error:
                _LOGGER.warning("An event of the meter is left out: %s", error)
                return
            self._listener.on_power_quality_event(event)
            if (
                not event.ongoing
                and OSCILLOGRAM_ACTION in self._services
                and self._listener.wants_oscillogram(event)
            ):
                self._wanted.put_nowait(event)

    async def _fetch(self, event: PowerQualityEvent) -> None:
        """Fetch the oscillogram of an event, page by page, if there is one."""
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
        """Return a page, None where the meter does not send it in time."""
        await self._call(OSCILLOGRAM_ACTION, event=event.number, page=number)
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
    """Put the pages of an oscillogram together.

    Raises ValueError, KeyError, struct.error or binascii.Error where they are damaged.
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

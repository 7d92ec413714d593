"""Fetches a meter's journal, and has the history healed with it."""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
import logging
import secrets
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..entry_data import NrjConfigEntry
from ..meter import Meter
from ..ngsi.manager import DISK_ERRORS, async_add_samples
from ..sources import JournalSource
from ..sources.errors import LinkDownError
from .fill_gaps import BackfillResult, async_heal
from .journal import JournalPage
from .plan import HOUR
from .reading_gaps import ReadingGaps
from .samples import samples_between
from .timeline import BootClock, EnergyTimeline

_LOGGER = logging.getLogger(__name__)

JOURNAL: Final = "journal"
"""Feature of a meter that keeps a journal."""

VERSION: Final = 1

COMPILE_TIME: Final = 90.0
"""Seconds after the end of an hour until its statistics are there for certain; the
recorder makes them ten seconds after it."""

FETCH_TIMEOUT: Final = 20.0
"""Seconds without a page after which fetching a whole journal is given up."""


class Fetching:
    """What of a journal has come: a curve, and up to which record."""

    def __init__(
        self,
        client: str,
        journal: str,
        curve: EnergyTimeline,
        received: int,
        dating: BootClock | None = None,
    ) -> None:
        """Go on after the record `received` of `journal`."""
        self.client = client
        self.journal = journal
        self.received = received
        self.curve = curve
        self.complete = asyncio.Event()
        self.has_learned = False
        self.dating = dating or BootClock()

    def take(self, page: JournalPage, now: float) -> bool:
        """Add a page; return whether it is one to be acknowledged."""
        if page.client != self.client:
            return False
        self.has_learned = self.dating.take(page, now)
        if page.journal != self.journal:
            # The meter began anew, and so does its sequence.
            self.journal = page.journal
            self.received = 0
            self.curve = self.curve.continued()
        if page.last > self.received:
            # What the meter has dropped meanwhile it sends no more; its totals tell how
            # much that was.
            self.curve.take(page, self.dating.known, now)
            self.received = page.last
        if self.received >= page.newest:
            self.complete.set()
        return True


class BackfillManager:
    """Keeps the history of one meter whole."""

    def __init__(
        self, hass: HomeAssistant, entry: NrjConfigEntry, meter: Meter
    ) -> None:
        """Prepare for the meter of `entry`."""
        self._hass = hass
        self._entry = entry
        self._meter = meter
        self._store: Store[dict[str, Any]] = _store(hass, entry.entry_id)
        self._fetching = Fetching(_new_client(), "", EnergyTimeline(), 0)
        self._extra: Fetching | None = None
        self._done = 0
        # From when until when nothing was read, s since 1970, for those behind us.
        self._away_since: float | None = None
        self._back_at = 0.0
        self._absences = ReadingGaps()
        self._kept: dict[str, Any] = {}
        self._lock = asyncio.Lock()
        self.filled_hours = 0

    async def async_start(self) -> None:
        """Restore what is known, and heal until the entry is unloaded."""
        if (stored := await self._store.async_load()) is not None:
            anchor = stored["anchor"]
            self._done = stored["done"]
            self._away_since = stored["seen"]
            # Whether the meter was read after that, nobody knows any more.
            self._absences.take(connected=False, now=stored["seen"])
            self._fetching = Fetching(
                stored["client"],
                stored["journal"],
                EnergyTimeline(
                    (anchor["time"], tuple(anchor["counters"])),
                    anchor.get("sequence", 0),
                )
                if anchor
                else EnergyTimeline(),
                self._done,
                BootClock(stored.get("starts")),
            )
            self._kept = stored
        else:
            await self._async_store(None, 0)
        unload = self._entry.async_on_unload
        unload(self._meter.async_add_journal_listener(self._on_page))
        unload(self._meter.async_add_connection_listener(self._on_link))
        unload(async_at_started(self._hass, self._on_started))
        self._on_link()

    @property
    def known_until(self) -> float | None:
        """Return up to when the journal has come, s since 1970."""
        return self._fetching.curve.end

    @property
    def known_starts(self) -> Collection[str]:
        """Return the names of the meter's latest starts of which a page has come."""
        return self._fetching.dating.known

    async def async_heal_all(self, *, dry_run: bool) -> BackfillResult:
        """Fetch all the meter has, fill in what is missing and tell what it was.

        Raises:
            LinkDownError: there is no link, or it broke meanwhile.
        """
        dating = BootClock(self._fetching.dating.known)
        fetching = Fetching(_new_client(), "", EnergyTimeline(), 0, dating)
        async with self._lock:
            self._extra = fetching
            try:
                await self._source().open_journal(fetching.client, "", 0)
                received = -1
                while not fetching.complete.is_set():
                    if fetching.received == received or not self._meter.connected:
                        raise LinkDownError("The meter does not send its journal")
                    received = fetching.received
                    with suppress(TimeoutError):
                        async with asyncio.timeout(FETCH_TIMEOUT):
                            await fetching.complete.wait()
            finally:
                self._extra = None
                self._run(self._source().close_journal(fetching.client))
            return await async_heal(
                self._hass,
                self._meter.description.mac,
                fetching.curve,
                dt_util.utcnow().timestamp() - COMPILE_TIME,
                seen=self._could_read,
                dry_run=dry_run,
            )

    def _could_read(self, time: float) -> bool:
        return not self._absences.cover(time)

    def _source(self) -> JournalSource:
        source = self._meter.source
        if not isinstance(source, JournalSource):
            raise LinkDownError("The meter has no journal")
        return source

    @callback
    def _on_link(self) -> None:
        now = dt_util.utcnow().timestamp()
        self._absences.take(self._meter.connected, now)
        if self._meter.connected:
            self._back_at = now
        elif self._away_since is None:
            self._away_since = now
        if self._meter.connected and JOURNAL in self._meter.description.features:
            fetching = self._fetching
            fetching.complete.clear()
            self._run(
                self._source().open_journal(
                    fetching.client, fetching.journal, fetching.received
                )
            )
            # A meter that was restarted does not know any more what was used.
            if done := min(self._done, fetching.received):
                self._acknowledge(fetching, done)

    @callback
    def _on_page(self, data: Mapping[str, str]) -> None:
        now = dt_util.utcnow().timestamp()
        try:
            page = JournalPage.from_device(data)
        except ValueError as error:
            _LOGGER.warning("A page of the meter's journal is left out: %s", error)
            return
        if (extra := self._extra) is not None and extra.take(page, now):
            self._acknowledge(extra, extra.received)
        fetching = self._fetching
        if fetching.take(page, now):
            # A journal that began anew has a smaller sequence.
            self._done = min(self._done, fetching.received)
            self._acknowledge(fetching, self._done)
            if fetching.has_learned:
                self._entry.async_create_background_task(
                    self._hass, self._async_store_starts(), f"{DOMAIN} journal"
                )
            if fetching.complete.is_set():
                self._heal_soon()
                if self._away_since is not None:
                    self._forward_soon()

    @callback
    def _acknowledge(self, fetching: Fetching, done: int) -> None:
        self._run(
            self._source().acknowledge_journal(fetching.client, fetching.received, done)
        )

    @callback
    def _on_started(self, _: HomeAssistant) -> None:
        self._heal_soon()

    @callback
    def _heal_soon(self) -> None:
        self._entry.async_create_background_task(
            self._hass, self.async_heal_missed(), f"{DOMAIN} heal"
        )

    @callback
    def _forward_soon(self) -> None:
        self._entry.async_create_background_task(
            self._hass, self._async_forward(), f"{DOMAIN} forward history"
        )

    async def _async_forward(self) -> None:
        """Hand what was missed to those who forward it; what they take, they keep."""
        since, until = self._away_since, self._back_at
        if since is None:
            return
        samples = samples_between(self._fetching.curve, since, until)
        try:
            await async_add_samples(self._entry.runtime_data, samples)
        except DISK_ERRORS as error:
            _LOGGER.warning("What was missed is forwarded later: %s", error)
        else:
            self._away_since = None

    async def async_heal_missed(self) -> None:
        """Fill in the hours that are over, and let the meter forget them."""
        curve = self._fetching.curve
        until = dt_util.utcnow().timestamp() - COMPILE_TIME
        if (
            not self._hass.is_running
            or curve.begin is None
            or curve.end is None
            or not self._fetching.complete.is_set()
            or min(curve.end, until) // HOUR <= curve.begin // HOUR
        ):
            return
        async with self._lock:
            healed = await async_heal(
                self._hass,
                self._meter.description.mac,
                curve,
                until,
                seen=self._could_read,
            )
            self.filled_hours += healed.hours
            if healed.hours:
                _LOGGER.info(
                    "%s: %d hours of statistics were filled in from its journal",
                    self._entry.title,
                    healed.hours,
                )
            for id_, reasons in healed.unclear.items():
                _LOGGER.info(
                    "%s was left alone: %s", id_, sorted(set(reasons.values()))
                )
            await self._async_settle(curve, until)

    async def _async_settle(self, curve: EnergyTimeline, until: float) -> None:
        """Take the hours up to `until` as done."""
        assert curve.end is not None
        hour = min(curve.end, until) // HOUR * HOUR
        done = max(self._done, curve.sequence_at(hour))
        curve.forget_before(hour)
        self._absences.forget_before(hour)
        # The meter may forget only what would not be asked for again after a crash.
        await self._async_store(curve, done)
        self._done = min(done, self._fetching.received)
        if self._meter.connected:
            self._acknowledge(self._fetching, self._done)

    async def _async_store(self, curve: EnergyTimeline | None, done: int) -> None:
        anchor = None
        if curve is not None and curve.begin is not None:
            counters = curve.counters_at(curve.begin)
            assert counters is not None
            anchor = {
                "time": curve.begin,
                "counters": list(counters),
                "sequence": curve.sequence_at(curve.begin),
            }
        self._kept = {
            "client": self._fetching.client,
            "journal": self._fetching.journal,
            "done": done,
            "seen": dt_util.utcnow().timestamp(),
            "anchor": anchor,
        }
        await self._async_store_starts()

    async def _async_store_starts(self) -> None:
        """Keep when the meter was started: after a power cut its clock may not tell."""
        self._kept["starts"] = dict(self._fetching.dating.known)
        await self._store.async_save(self._kept)

    @callback
    def _run(self, coroutine: Any) -> None:
        """Send something to the meter; what is lost with the link is asked for again."""

        async def run() -> None:
            with suppress(LinkDownError):
                await coroutine

        self._entry.async_create_background_task(
            self._hass, run(), f"{DOMAIN} journal", eager_start=True
        )


def _new_client() -> str:
    """Return a number that no other client of the meter has, as it writes them."""
    return f"{1 + secrets.randbelow(2**32 - 1):08x}"


def _store(hass: HomeAssistant, entry_id: str) -> Store[dict[str, Any]]:
    return Store(hass, VERSION, f"{DOMAIN}.journal.{entry_id}")


async def async_start_backfill(hass: HomeAssistant, entry: NrjConfigEntry) -> None:
    """Start the backfill of a meter, where Home Assistant has a recorder."""
    if "recorder" not in hass.config.components:
        return
    data = entry.runtime_data
    data.backfill = BackfillManager(hass, entry, data.meter)
    await data.backfill.async_start()


async def async_remove_backfill_store(hass: HomeAssistant, entry_id: str) -> None:
    """Remove the stored state of the backfill of a meter whose entry is removed."""
    await _store(hass, entry_id).async_remove()

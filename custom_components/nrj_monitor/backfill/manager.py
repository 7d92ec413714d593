"""Backfill of a meter: download of its journal, and filling of missed hours."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
import logging
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util

from ..catalog import CHANNELS
from ..checked_store import CheckedStore, StoredData
from ..const import DOMAIN
from ..device_number import number_name
from ..entry_data import NrjConfigEntry
from ..meter import Meter
from ..ngsi.manager import async_add_samples
from ..ngsi.spool import DISK_ERRORS
from ..quiet_log import QuietLog
from ..sources import Feature, JournalSource
from ..sources.errors import LinkDownError
from .boot_clock import BootClock
from .clock_trust import AGREEMENT, ClockTrust
from .fill_gaps import BackfillResult, async_backfill
from .journal import COUNTERS, JournalPage, PageHead
from .journal_download import JournalDownload, JournalPosition, new_client, stored_time
from .plan import HOUR
from .reading_gaps import ReadingGaps
from .replaced_meter import async_store_replacement, replacement_of
from .replacement import Replacement
from .samples import samples_between
from .statistics import RECENT
from .sum_keeper import SumKeeper, async_repair_impossible
from .timeline import EnergyTimeline

_LOGGER = logging.getLogger(__name__)


VERSION: Final = 1

COMPILE_TIME: Final = 90.0
"""Seconds after the end of an hour until the recorder has certainly compiled its
statistics; the recorder does so ten seconds after the hour."""

SET_UP_ANEW: Final = "The meter is being set up anew"

REPAIR_WINDOW: Final = 366 * 24 * HOUR
"""Seconds before the present in which a person's own call looks for false hours."""

LONGEST_FETCH: Final = 600.0
"""Seconds that the download of a whole journal may take."""

FETCH_TIMEOUT: Final = 20.0
"""Seconds without a page after which the download of a whole journal is given up."""


class UntrustedClockError(Exception):
    """The system's clock was set a moment ago, or contradicts what is known."""


class BackfillManager:
    """Fills gaps in a meter's statistics, and forwards the samples of outages.

    Keys of the stored dict are a promise to older versions: `client` and `journal` name
    the download, `done` is the number of the last record whose hours are filled, `seen`
    the last time at which the meter could be read for certain, `anchor` the begin of the
    timeline (`time`, `counters`, `sequence`), and `starts` the boot times, of which those in `provisional` were dated
    by a clock that may be set yet. `origin` has `journal`, `done` and `anchor` from before
    that clock; `doubtful` from when until when it may have dated hours wrongly, and since
    when the recorder has rows of that clock; `unsure` the first hour that was filled since by a clock that may be set yet.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: NrjConfigEntry,
        meter: Meter,
        lock: asyncio.Lock,
    ) -> None:
        """Initialize the backfill of `meter`, without reading its store.

        `lock` is held by who changes the statistics of the meter.
        """
        self._hass = hass
        self._entry = entry
        self._meter = meter
        self._store = _store(hass, entry.entry_id)
        self._download = JournalDownload(new_client(), "", EnergyTimeline(), 0)
        self._full_download: JournalDownload | None = None
        self._done = 0
        # Where to begin again once a wrong clock was set.
        self._origin = JournalPosition()
        self._doubtful: tuple[float, float, float] | None = None
        self._unsure: float | None = None
        self._clock = ClockTrust(0.0, 0.0)
        # The outage whose samples the brokers still lack, s since 1970.
        self._outage_begin: float | None = None
        self._outage_end = 0.0
        self._reading_gaps = ReadingGaps()
        self._stored: dict[str, Any] = {}
        self._lock = lock
        self._log = QuietLog(_LOGGER, entry.entry_id)
        self._is_stopped = False
        self.filled_hours = 0

    async def async_start(self) -> None:
        """Restore the stored state, and fill gaps until the entry is unloaded."""
        await self._store.async_restore(self._restore)
        self._clock = ClockTrust(
            self._now(), self._monotonic(), self._stored.get("seen", 0.0)
        )
        if not self._stored:
            await self._async_save(JournalPosition())
        unload = self._entry.async_on_unload
        unload(self._meter.async_add_journal_listener(self._on_page))
        unload(self._meter.async_add_connection_listener(self._on_link))
        unload(async_at_started(self._hass, self._on_started))
        self._on_link()

    def _restore(self, stored: StoredData) -> None:
        """Continue the stored download; raises for unusable data before any change."""
        seen, position = (
            stored_time(stored["seen"]),
            JournalPosition.from_stored(stored),
        )
        origin = position
        if "origin" in stored:
            origin = JournalPosition.from_stored(stored["origin"])
        doubtful = None
        if stored.get("doubtful"):
            since, until, *misdated = map(stored_time, stored["doubtful"])
            doubtful = since, until, misdated[0] if misdated else since
        unsure = None if (begin := stored.get("unsure")) is None else stored_time(begin)
        download = JournalDownload(
            number_name(str(stored["client"])),
            position.journal,
            position.timeline(),
            position.done,
            BootClock(
                {
                    number_name(boot): stored_time(time)
                    for boot, time in (stored.get("starts") or {}).items()
                },
                [str(boot) for boot in stored.get("provisional") or ()],
            ),
        )
        self._download, self._done, self._stored = download, position.done, stored
        self._origin, self._doubtful, self._unsure = origin, doubtful, unsure
        self._outage_begin = seen
        # Nobody knows whether the meter was read after the last save.
        self._reading_gaps.update(connected=False, now=seen)

    async def async_stop(self) -> None:
        """Cancel a download of the whole journal, and wait for the rows being written."""
        self._is_stopped = True
        if self._full_download is not None:
            self._full_download.complete.set()
        async with self._lock:
            pass

    async def async_backfill_all(self, *, dry_run: bool) -> BackfillResult:
        """Download the whole journal, and fill all missing hours.

        Raises:
            LinkDownError: there is no link, or it broke during the download.
            UntrustedClockError: nobody knows what time it is.
        """
        download = JournalDownload(
            new_client(),
            "",
            EnergyTimeline(),
            0,
            self._download.boot_clock,
        )
        async with self._lock:
            if self._is_stopped:
                raise LinkDownError(SET_UP_ANEW)
            self._full_download = download
            try:
                await self._source().open_journal(download.client, "", 0)
                received, begun = -1, self._monotonic()
                while not download.complete.is_set():
                    if (
                        download.received == received
                        or not self._meter.connected
                        or self._monotonic() - begun > LONGEST_FETCH
                    ):
                        raise LinkDownError("The meter does not send its journal")
                    received = download.received
                    with suppress(TimeoutError):
                        async with asyncio.timeout(FETCH_TIMEOUT):
                            await download.complete.wait()
            finally:
                self._full_download = None
                if not self._is_stopped:
                    self._send(self._source().close_journal(download.client))
            if self._is_stopped:
                raise LinkDownError(SET_UP_ANEW)
            if not self._is_clock_trusted():
                raise UntrustedClockError
            if not dry_run:
                self._correct_demand(download)
            mac = self._meter.description.mac
            begin = download.timeline.begin
            now = self._now()
            repaired = await async_repair_impossible(
                self._hass, mac, min(begin or now, now - REPAIR_WINDOW), dry_run=dry_run
            )
            result = await async_backfill(
                self._hass,
                mac,
                download.timeline,
                now - COMPILE_TIME,
                was_read=self._was_read,
                is_doubtful=self._is_doubtful,
                is_misdated=self._is_misdated,
                replacement=self._note_begin(download),
                missing_since=now - RECENT,
                dry_run=dry_run,
            )
            return replace(result, repaired=repaired)

    @callback
    def _note_begin(self, download: JournalDownload) -> Replacement | None:
        """Return the replacement of the meter, with the begin of its totals here.

        The meter may have counted elsewhere before: it is here since its latest start,
        and not before the old one was last seen.
        """
        replacement = replacement_of(self._entry)
        timeline, started_at = download.timeline, download.started_at
        if (
            replacement is None
            or replacement.begin is not None
            or started_at is None
            or timeline.begin is None
            or timeline.end is None
        ):
            return replacement
        since = replacement.since
        if since is not None and since < started_at:
            # It has started again since it was read here.
            started_at = timeline.start_before(since) or since
        begin = max(started_at, replacement.seen, timeline.begin)
        begin = min(begin, timeline.end)
        totals = {
            channel: total.value
            for channel in COUNTERS
            if (total := timeline.energy_at(channel, begin)) is not None
        }
        replacement = replacement.with_first(begin, totals)
        async_store_replacement(self._hass, self._entry, replacement)
        return replacement

    def _was_read(self, time: float) -> bool:
        return not self._reading_gaps.contains(time) and not self._is_doubtful(time)

    def _is_doubtful(self, hour: float) -> bool:
        """Return whether the row of the hour from a time on may be of a wrong clock."""
        if self._doubtful is None:
            return False
        since, until, _ = self._doubtful
        return since < hour + HOUR and hour < until

    def _is_misdated(self, time: float) -> bool:
        """Return whether a row that ends at a time may have been made under a wrong clock."""
        if self._doubtful is None:
            return False
        _, until, since = self._doubtful
        return since < time <= until

    def _now(self) -> float:
        return dt_util.utcnow().timestamp()

    def _monotonic(self) -> float:
        return self._hass.loop.time()

    def _is_clock_trusted(self) -> bool:
        now, monotonic = self._now(), self._monotonic()
        self._clock.look(now, monotonic)
        return self._clock.is_trusted(now, monotonic)

    def _source(self) -> JournalSource:
        source = self._meter.source
        if not isinstance(source, JournalSource):
            raise LinkDownError("The meter has no journal")
        return source

    @callback
    def _on_link(self) -> None:
        now = self._now()
        self._reading_gaps.update(self._meter.connected, now)
        if self._meter.connected:
            self._outage_end = now
        elif self._outage_begin is None:
            self._outage_begin = now
        if (
            self._meter.connected
            and Feature.JOURNAL in self._meter.description.features
        ):
            download = self._download
            download.complete.clear()
            self._request(download)
            # A restarted meter no longer knows which records were used.
            if done := min(self._done, download.received):
                self._acknowledge(download, done)

    @callback
    def _on_page(self, data: Mapping[str, str]) -> None:
        now = self._now()
        try:
            page = JournalPage.from_device(data)
        except ValueError as error:
            self._log.warning("A page of the meter's journal is left out: %s", error)
            self._skip_page(data)
            return
        for record in page.records:
            for channel, value in record.refused.items():
                self._meter.on_impossible(CHANNELS[channel], value)
        if (step := self._judge_clock(page, now)) is not None:
            self._date_anew(page, step, now)
            return
        is_firm = self._clock.is_firm(now, self._monotonic())
        if is_firm:
            self._download.boot_clock.confirm()
        if (full := self._full_download) is not None and full.add_page(
            page, now, is_firm=is_firm
        ):
            self._acknowledge(full, full.received)
        download = self._download
        if download.add_page(page, now, is_firm=is_firm):
            # A new journal has a smaller sequence.
            self._done = min(self._done, download.received)
            self._acknowledge(download, self._done)
            if download.has_new_boot_time:
                self._entry.async_create_background_task(
                    self._hass, self._async_save_boot_times(), f"{DOMAIN} journal"
                )
            if download.complete.is_set():
                self._correct_demand(download)
                self._schedule_backfill()
                if self._outage_begin is not None and self._is_clock_trusted():
                    self._schedule_forwarding()

    def _skip_page(self, data: Mapping[str, str]) -> None:
        """Acknowledge a page of no use, so that the meter goes on to the next."""
        try:
            head = PageHead.from_device(data)
        except ValueError:
            # Nobody knows which: the meter sends it again, less and less often.
            return
        if (full := self._full_download) is not None and full.skip_page(head):
            self._acknowledge(full, full.received)
        if self._download.skip_page(head):
            self._done = min(self._done, self._download.received)
            self._acknowledge(self._download, self._done)

    @callback
    def _correct_demand(self, download: JournalDownload) -> None:
        """Let the journal tell the intervals of the demand that were missed."""
        demand = self._entry.runtime_data.demand
        if demand is not None and self._is_clock_trusted():
            demand.async_correct(download.timeline)

    def _judge_clock(self, page: JournalPage, now: float) -> float | None:
        """Return by what step to date all anew since the clock is right, s, or None."""
        clock, boots = self._clock, self._download.boot_clock
        monotonic = self._monotonic()
        error, is_firm = boots.error(page, now), boots.is_firm(page.boot)
        step = clock.judge(error, now, monotonic, is_firm=is_firm)
        if step is not None:
            return step
        if clock.is_disputed(now) and clock.has_outlasted(now, monotonic):
            clock.end_dispute()
            boots.forget(page.boot)
            return 0.0
        # The clock of an earlier run has dated it otherwise.
        is_moved = error is not None and not is_firm and abs(error) > AGREEMENT
        return 0.0 if is_moved else None

    @callback
    def _date_anew(self, page: JournalPage, step: float, now: float) -> None:
        """Request again what was dated by a clock that has been set by `step` s."""
        self._log.info(
            "%s: the system's clock was set; what it had dated is dated anew",
            self._entry.title,
        )
        download, origin = self._download, self._origin
        download.boot_clock.shift(step)
        download.boot_clock.update(page, now, is_firm=False)
        begin = self._clock.begin_period(now)
        if self._outage_begin is not None and self._outage_begin >= begin:
            self._outage_begin += step
        self._outage_end += step
        since, until, misdated = self._doubtful or (begin, now, begin)
        self._doubtful = (
            min(
                since,
                begin,
                now if origin.time is None else origin.time,
                now if self._unsure is None else self._unsure,
            ),
            max(until, now),
            min(misdated, begin),
        )
        self._unsure = None
        if origin.time is not None and origin.time > now:
            origin = self._origin = JournalPosition()
        self._done = origin.done
        self._rewind(download, origin)
        if (full := self._full_download) is not None:
            self._rewind(full, JournalPosition())
        self._entry.async_create_background_task(
            self._hass, self._async_save(origin), f"{DOMAIN} journal"
        )

    @callback
    def _rewind(self, download: JournalDownload, position: JournalPosition) -> None:
        self._send(self._source().close_journal(download.client))
        download.rewind(position)
        self._request(download)

    @callback
    def _request(self, download: JournalDownload) -> None:
        self._send(
            self._source().open_journal(
                download.client, download.journal, download.received
            )
        )

    @callback
    def _acknowledge(self, download: JournalDownload, done: int) -> None:
        self._send(
            self._source().acknowledge_journal(download.client, download.received, done)
        )

    @callback
    def _on_started(self, _: HomeAssistant) -> None:
        self._schedule_backfill()

    @callback
    def _schedule_backfill(self) -> None:
        self._entry.async_create_background_task(
            self._hass, self.async_backfill_missed(), f"{DOMAIN} backfill"
        )

    @callback
    def _schedule_forwarding(self) -> None:
        self._entry.async_create_background_task(
            self._hass, self._async_forward_outage(), f"{DOMAIN} forward outage"
        )

    async def _async_forward_outage(self) -> None:
        """Add the samples of the last outage to the queues of the brokers."""
        begin, end = self._outage_begin, self._outage_end
        if begin is None:
            return
        samples = samples_between(self._download.timeline, begin, end)
        try:
            await async_add_samples(self._entry.runtime_data, samples)
        except DISK_ERRORS as error:
            self._log.warning("What was missed is forwarded later: %s", error)
        else:
            self._outage_begin = None

    async def async_backfill_missed(self) -> None:
        """Fill the finished missed hours, and let the meter drop their records."""
        timeline = self._download.timeline
        until = self._now() - COMPILE_TIME
        if (
            not self._hass.is_running
            or not self._is_clock_trusted()
            or not self._download.complete.is_set()
        ):
            return
        replacement = self._note_begin(self._download)
        if (
            timeline.begin is None
            or timeline.end is None
            or min(timeline.end, until) // HOUR <= timeline.begin // HOUR
        ):
            return
        async with self._lock:
            result = await async_backfill(
                self._hass,
                self._meter.description.mac,
                timeline,
                until,
                was_read=self._was_read,
                is_doubtful=self._is_doubtful,
                is_misdated=self._is_misdated,
                replacement=replacement,
            )
            self.filled_hours += result.hours
            if result.hours:
                _LOGGER.info(
                    "%s: %d hours of statistics were filled in from its journal",
                    self._entry.title,
                    result.hours,
                )
            for id_, reasons in result.unclear.items():
                self._log.info(
                    "%s was left alone: %s",
                    id_,
                    ", ".join(sorted(set(reasons.values()))),
                    about=id_,
                )
            # Records that came meanwhile were not part of it.
            assert result.end is not None
            await self._async_complete_hours(timeline, min(result.end, until))

    async def _async_complete_hours(
        self, timeline: EnergyTimeline, until: float
    ) -> None:
        """Discard the hours up to `until`, s since 1970, and acknowledge their records."""
        if timeline is not self._download.timeline:
            # It was dated anew meanwhile.
            return
        hour = until // HOUR * HOUR
        done = max(self._done, timeline.sequence_at(hour))
        if self._unsure is None and timeline.begin is not None:
            self._unsure = timeline.begin // HOUR * HOUR
        timeline.discard_before(hour)
        self._reading_gaps.discard_before(hour)
        if self._doubtful is not None and hour >= self._doubtful[1] // HOUR * HOUR:
            self._doubtful = None
        position = JournalPosition.at_begin(timeline, self._download.journal, done)
        if self._clock.is_firm(self._now(), self._monotonic()):
            self._origin, self._unsure = position, None
        # Saved before it is acknowledged: the meter may drop only records that would not
        # be requested again after a crash.
        if not await self._async_save(position):
            return
        self._done = min(done, self._download.received)
        if self._meter.connected:
            self._acknowledge(self._download, self._done)

    async def _async_save(self, position: JournalPosition) -> bool:
        """Save the position to continue from; return whether it is saved."""
        seen = self._reading_gaps.open_since or self._now()
        if self._stored and not self._is_clock_trusted():
            seen = self._stored["seen"]
        self._stored = {
            "client": self._download.client,
            **position.as_stored(),
            "seen": seen,
            "origin": self._origin.as_stored(),
            "doubtful": self._doubtful,
            "unsure": self._unsure,
        }
        return await self._async_save_boot_times()

    async def _async_save_boot_times(self) -> bool:
        """Save the boot times: after a power cut the meter's own clock may be wrong.

        Returns whether they are saved.
        """
        boots = self._download.boot_clock
        self._stored["starts"] = dict(boots.boot_times)
        self._stored["provisional"] = sorted(boots.provisional)
        return await self._store.async_try_save(self._stored)

    @callback
    def _send(self, request: Any) -> None:
        """Send a request to the meter; after a lost link the next link repeats requests."""

        async def send() -> None:
            with suppress(LinkDownError):
                await request

        self._entry.async_create_background_task(
            self._hass, send(), f"{DOMAIN} journal", eager_start=True
        )


def _store(hass: HomeAssistant, entry_id: str) -> CheckedStore:
    return CheckedStore(hass, VERSION, f"{DOMAIN}.journal.{entry_id}")


async def async_start_backfill(hass: HomeAssistant, entry: NrjConfigEntry) -> None:
    """Start the backfill of a meter, where Home Assistant has a recorder."""
    if "recorder" not in hass.config.components:
        return
    data = entry.runtime_data
    lock = asyncio.Lock()
    SumKeeper(hass, entry, data.meter, lock).async_start()
    data.backfill = BackfillManager(hass, entry, data.meter, lock)
    await data.backfill.async_start()


async def async_last_seen(hass: HomeAssistant, entry_id: str) -> float:
    """Return when a meter was certainly there, s since 1970, 0 if not known."""
    seen = 0.0

    def restore(stored: StoredData) -> None:
        nonlocal seen
        seen = stored_time(stored.get("seen", 0.0))

    await _store(hass, entry_id).async_restore(restore)
    return seen


async def async_remove_backfill_store(hass: HomeAssistant, entry_id: str) -> None:
    """Remove the stored state of the backfill of a meter whose entry is removed."""
    await _store(hass, entry_id).async_remove()

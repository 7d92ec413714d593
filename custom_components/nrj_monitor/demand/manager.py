"""Demand of a meter: counts its intervals, keeps the month's peak, and corrects it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from ..backfill.timeline import EnergyTimeline
from ..checked_store import CheckedStore, StoredData
from ..const import DOMAIN
from ..control.demand import HOUR, WATT_HOURS, DemandAccount
from ..control.demand_limit import DemandLimit
from ..entry_data import NrjConfigEntry
from ..listeners import Listeners, Unsubscribe
from ..meter import Meter
from ..sources.derived_totals import total_of
from .options import demand_limit

VERSION: Final = 1

IMPORT_ENERGY: Final = "import_energy"

TICK: Final = timedelta(seconds=1)

SAVE_INTERVAL: Final = 300.0
"""Seconds between two saves: what a crash costs a meter without an import counter."""

SHOW_INTERVAL: Final = 10.0
"""Seconds between two states of the sensors."""

SHORTEST_REST: Final = 60.0
"""Seconds that are left at least, for the power that may be added until the end."""

LONGEST_CORRECTION: Final = 31 * 86400.0
"""Seconds of the longest month."""

UNCERTAIN: Final = 0.1
"""Part of an interval's energy by which the journal may be unsure of it."""


def clock() -> float:
    """Return the time, s since 1970."""
    return dt_util.utcnow().timestamp()


class DemandManager:
    """Counts the demand of a meter, whether or not the meter has loads."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: NrjConfigEntry,
        meter: Meter,
        interval: float,
    ) -> None:
        """Count the intervals of `interval` s of `meter`."""
        self._hass = hass
        self._entry = entry
        self.meter = meter
        self.account = DemandAccount(interval, dt_util.get_default_time_zone())
        self.limit: DemandLimit | None = demand_limit(entry.options)
        self._store = _store(hass, entry.entry_id)
        self._listeners: Listeners[()] = Listeners()
        self._shown_at = 0.0
        self._saved_at = 0.0
        self._begin = 0.0

    async def async_start(self) -> None:
        """Go on with what was stored, and count until the entry is unloaded."""
        await self._store.async_restore(self._restore)
        unload = self._entry.async_on_unload
        unload(async_track_time_interval(self._hass, self._on_time, TICK))
        self.async_update()

    async def async_stop(self) -> None:
        """Store the account."""
        await self._store.async_try_save(self._data)

    def _restore(self, stored: StoredData) -> None:
        self.account.update_from_dict(stored["account"])

    def _data(self) -> dict[str, Any]:
        return {"account": self.account.as_dict()}

    def async_add_listener(self, listener: Callable[[], None]) -> Unsubscribe:
        """Call `listener` when the sensors are to show the account."""
        return self._listeners.async_add(listener)

    @property
    def limit_power(self) -> float | None:
        """Return the limit for the mean at present, W; None without a limit."""
        if self.limit is None:
            return None
        peak = self.account.peak
        return self.limit.at(0.0 if peak is None else peak.power)

    @property
    def room(self) -> float | None:
        """Return the power that may be added until the end of the interval, W.

        It is negative where power must go off, and None without limit or power.
        """
        expected, limit = self.account.expected, self.limit_power
        if expected is None or limit is None:
            return None
        rest = max(SHORTEST_REST, self.account.remaining)
        return (limit - expected) * self.account.length / rest

    @callback
    def _on_time(self, _: datetime) -> None:
        self.async_update()

    @callback
    def async_update(self) -> None:
        """Add the meter's present readings to the account."""
        now, snapshot = clock(), self.meter.snapshot
        phases = self.meter.description.phases
        self.account.update(
            now,
            total_of(snapshot, "active_power", phases),
            total_of(snapshot, IMPORT_ENERGY, phases),
        )
        is_new = self.account.begin != self._begin
        self._begin = self.account.begin
        if is_new or not 0 <= now - self._shown_at < SHOW_INTERVAL:
            self._shown_at = now
            self._listeners.async_notify()
        if is_new or not 0 <= now - self._saved_at < SAVE_INTERVAL:
            self._saved_at = now
            self._store.async_delay_save(self._data, 0.0)

    @callback
    def async_correct(self, timeline: EnergyTimeline) -> None:
        """Correct past intervals of the month by what the meter's journal has counted."""
        if timeline.begin is None or timeline.end is None:
            return
        length = self.account.length
        since = max(timeline.begin, timeline.end - LONGEST_CORRECTION)
        begin = -(-since // length) * length
        while begin + length <= timeline.end:
            power = _mean(timeline, begin, length)
            if power is not None:
                self.account.correct(begin, power)
            begin += length
        self._store.async_delay_save(self._data, 0.0)
        self._listeners.async_notify()


def _mean(timeline: EnergyTimeline, begin: float, length: float) -> float | None:
    """Return the mean import of an interval, W; None where the journal is not sure."""
    first = timeline.energy_at(IMPORT_ENERGY, begin)
    last = timeline.energy_at(IMPORT_ENERGY, begin + length)
    if first is None or last is None:
        return None
    gain = last.value - first.value
    doubt = last.high - last.low + first.high - first.low
    # Records of a minute within the interval, not one that was merged beyond it.
    if gain < 0 or (doubt > UNCERTAIN * gain and doubt * WATT_HOURS > 1.0):
        return None
    return gain * WATT_HOURS * HOUR / length


def _store(hass: HomeAssistant, entry_id: str) -> CheckedStore:
    return CheckedStore(hass, VERSION, f"{DOMAIN}.demand.{entry_id}")


async def async_remove_demand_store(hass: HomeAssistant, entry_id: str) -> None:
    """Remove the stored demand of a meter whose entry is removed."""
    await _store(hass, entry_id).async_remove()

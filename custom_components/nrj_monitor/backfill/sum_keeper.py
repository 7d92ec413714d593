"""Keeps the running sums of a meter's totals, whatever the recorder has purged."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
import logging
from typing import Final

from homeassistant.components.sensor import SensorStateClass
from homeassistant.const import EVENT_RECORDER_5MIN_STATISTICS_GENERATED
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.recorder import get_instance
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util
from sqlalchemy.exc import SQLAlchemyError

from ..catalog import CHANNELS
from ..const import DOMAIN
from ..entry_data import NrjConfigEntry
from ..meter import Meter
from .plan import HOUR
from .replaced_meter import async_watch_first_readings, replacement_of
from .replacement import Handover, Replacement
from .running_sum import SumCorrection, find_corrections, find_impossible
from .statistics import (
    SumHistory,
    async_correct_sums,
    async_lost_sums,
    async_read_histories,
    async_repair_sums,
    async_restore_sum,
    async_wait_written,
)

_LOGGER = logging.getLogger(__name__)

WINDOW: Final = 24 * HOUR
"""Seconds before the present in which wrong sums are looked for unasked. A restart or a
crash between a wrong row and its correction is shorter; later rows are the person's."""

COMPILES: Final = 3
"""Compiled five minutes after a new link that are looked at: the recorder compiles up
to two that begin before the first state."""


def total_units(hass: HomeAssistant, mac: str) -> dict[str, str]:
    """Return the units of a meter's sensors of totals, by entity id."""
    registry = er.async_get(hass)
    return {
        id_: channel.quantity.unit or ""
        for channel in CHANNELS.values()
        if channel.quantity.state_class is SensorStateClass.TOTAL_INCREASING
        and (
            id_ := registry.async_get_entity_id("sensor", DOMAIN, f"{mac}_{channel.id}")
        )
    }


def handovers_of(
    hass: HomeAssistant, mac: str, replacement: Replacement | None
) -> dict[str, Handover] | None:
    """Return where the totals of a meter go on after another one's, by entity id.

    None while that is not known.
    """
    if replacement is None:
        return {}
    if replacement.begin is None:
        return None
    registry = er.async_get(hass)
    return {
        id_: handover
        for channel in replacement.first
        if (id_ := registry.async_get_entity_id("sensor", DOMAIN, f"{mac}_{channel}"))
        and (handover := replacement.handover(channel)) is not None
    }


async def async_keep_sums(
    hass: HomeAssistant,
    units: Mapping[str, str],
    begin: float,
    handovers: Callable[[], Mapping[str, Handover] | None],
) -> None:
    """Restore the sums that the recorder has purged, and correct wrong ones.

    `units` has the unit of each total's channel by entity id. `handovers` returns where
    another meter took the place of the one before, None while that is not known: then
    nothing is corrected. Wrong sums are looked for since `begin`, s since 1970. Returns
    once all is in the database.
    """
    # Rows being compiled are not in the database yet.
    await async_wait_written(hass)
    # While Home Assistant stops, its recorder takes no more requests.
    lost = await async_lost_sums(hass, units) if hass.is_running else {}
    for metadata, hour in lost.values():
        async_restore_sum(hass, metadata, hour)
    if not hass.is_running:
        return
    corrected = False
    histories = await async_read_histories(hass, units, begin)
    # Asked after the rows were read: none of them is newer than what is known.
    known = handovers()
    for id_, history in histories.items() if known is not None else ():
        corrections = await hass.async_add_executor_job(
            _corrections_of, history, (known or {}).get(id_)
        )
        if corrections:
            corrected = True
            _LOGGER.info(
                "The sum of %s was not continued rightly by the recorder: %s kWh added",
                id_,
                ", ".join(f"{correction.energy:.3f}" for correction in corrections),
            )
            await async_correct_sums(hass, history, units[id_], corrections)
    if lost or corrected:
        await async_wait_written(hass)


def _corrections_of(
    history: SumHistory, handover: Handover | None
) -> list[SumCorrection]:
    return find_corrections(history.points, handover=handover, minutes=history.minutes)


async def async_repair_impossible(
    hass: HomeAssistant, mac: str, begin: float, *, dry_run: bool
) -> dict[str, Mapping[int, float]]:
    """Repair hours since `begin`, s since 1970, with energy that no meter measures.

    Returns what each hour showed too much, kWh, by entity id and begin of the hour. With
    `dry_run` nothing is written.
    """
    registry = er.async_get(hass)
    channels = {
        id_: channel
        for channel in CHANNELS.values()
        if channel.quantity.limits.rate is not None
        and (
            id_ := registry.async_get_entity_id("sensor", DOMAIN, f"{mac}_{channel.id}")
        )
    }
    units = {id_: channel.quantity.unit or "" for id_, channel in channels.items()}
    await async_wait_written(hass)
    found: dict[str, Mapping[int, float]] = {}
    for id_, history in (await async_read_histories(hass, units, begin)).items():
        limits = channels[id_].quantity.limits
        assert limits.rate is not None
        earlier = () if history.earlier is None else (history.earlier,)
        repair = await hass.async_add_executor_job(
            partial(
                find_impossible,
                (*earlier, *history.hours),
                rate=limits.rate,
                highest=limits.high,
            )
        )
        if repair is None:
            continue
        found[id_] = repair.energy
        if not dry_run:
            await async_repair_sums(hass, history, units[id_], repair)
    if found and not dry_run:
        await async_wait_written(hass)
    return found


class SumKeeper:
    """Looks after the sums of a meter's totals when its link is new, and each hour."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: NrjConfigEntry,
        meter: Meter,
        lock: asyncio.Lock,
    ) -> None:
        """Initialize the keeper of the totals of `meter`.

        `lock` is held by who changes the statistics of the meter: two who see the same
        wrong sum would correct it twice.
        """
        self._hass = hass
        self._entry = entry
        self._meter = meter
        self._compiles_left = COMPILES
        self._hour = dt_util.utcnow().timestamp() // HOUR
        self._lock = lock

    @callback
    def async_start(self) -> None:
        """Keep the sums until the entry is unloaded."""
        async_watch_first_readings(self._hass, self._entry, self._meter)
        unload = self._entry.async_on_unload
        unload(self._meter.async_add_connection_listener(self._on_link))
        unload(
            self._hass.bus.async_listen(
                EVENT_RECORDER_5MIN_STATISTICS_GENERATED, self._on_compiled
            )
        )
        unload(async_at_started(self._hass, self._on_started))

    @callback
    def _on_started(self, _: HomeAssistant) -> None:
        self._schedule()

    @callback
    def _on_link(self) -> None:
        if self._meter.connected:
            self._compiles_left = COMPILES
            self._schedule()

    @callback
    def _on_compiled(self, _: Event) -> None:
        hour = dt_util.utcnow().timestamp() // HOUR
        if self._compiles_left <= 0 and hour == self._hour:
            return
        self._hour = hour
        self._compiles_left -= 1
        self._schedule()

    @callback
    def _schedule(self) -> None:
        self._entry.async_create_background_task(
            self._hass, self._async_keep(), f"{DOMAIN} sums"
        )

    async def _async_keep(self) -> None:
        async with self._lock:
            try:
                await async_keep_sums(
                    self._hass,
                    total_units(self._hass, self._meter.description.mac),
                    dt_util.utcnow().timestamp() - WINDOW,
                    lambda: handovers_of(
                        self._hass,
                        self._meter.description.mac,
                        replacement_of(self._entry),
                    ),
                )
            except RuntimeError, SQLAlchemyError:
                # The recorder ends with Home Assistant; the next start looks again.
                if (
                    self._hass.is_running
                    and not get_instance(self._hass).stop_requested
                ):
                    raise

"""Stored data of a meter over restarts: a file for each meter."""

from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from .calibration.corrections import (
    MAX_LENGTH as LONGEST_TEXT,
    TEXT as CALIBRATION_TEXT,
    Corrections,
)
from .checked_store import CheckedStore, StoredData
from .const import CONF_SOURCE, DOMAIN, SOURCE_NATIVE_API
from .energy_counters import EnergyCounters
from .entry_data import NrjConfigEntry
from .meter import Meter
from .power_quality.log import PowerQualityLog, event_ids

VERSION: Final = 1
DELAY: Final = 10.0
"""Seconds from an event until it is saved, together with the events that follow."""

TOTALS_DELAY: Final = 900.0
"""Seconds from a new energy total until it is saved; an orderly stop saves it too."""


class MeterStore:
    """Stores the power-quality log, energy totals and known guard events of a meter.

    Keys of the stored dict are a promise to older versions: `power_quality` is the log,
    `totals` the energy counters, `guard` the ids of guard events, `calibration` the
    corrections as the meter shows them.
    """

    def __init__(
        self, hass: HomeAssistant, entry: NrjConfigEntry, meter: Meter
    ) -> None:
        """Initialize the store of `meter`, without reading its file."""
        self._store = _store(hass, entry.entry_id)
        self._meter = meter
        self._hass = hass
        self._due: float | None = None
        self._is_stopped = False
        self._calibration = ""
        self.energy_counters = EnergyCounters(
            may_start_over=entry.data[CONF_SOURCE] != SOURCE_NATIVE_API
        )

    async def async_load(self) -> None:
        """Restore the stored data, and save changes from now on."""
        await self._store.async_restore(self._restore)
        # These listeners live as long as the meter itself.
        self._meter.async_add_power_quality_listener(
            lambda _: self.async_schedule_save()
        )
        self._meter.async_add_oscillogram_listener(self.async_schedule_save)
        self._meter.async_add_guard_listener(lambda _: self.async_schedule_save())
        self._meter.async_add_text_listener(self._on_text)

    @callback
    def _on_text(self) -> None:
        """Remember the calibration, for a meter in the place of this one."""
        text = self._meter.texts.get(CALIBRATION_TEXT, self._calibration)
        if text != self._calibration and Corrections.from_text(text) is not None:
            self._calibration = text
            self.async_schedule_save()

    def _restore(self, stored: StoredData) -> None:
        log, totals = stored["power_quality"], stored["totals"]
        calibration = str(stored.get("calibration", ""))[:LONGEST_TEXT]
        guard_events = event_ids(stored.get("guard", ()))
        # Raises for a log of no use before anything is taken over.
        PowerQualityLog().restore(log)
        self.energy_counters.restore(totals)
        self._meter.log.restore(log)
        self._meter.known_guard_events.extend(guard_events)
        self._calibration = calibration

    @property
    def calibration(self) -> str:
        """Return the meter's corrections as it last showed them, empty if it never did."""
        return self._calibration

    @callback
    def async_schedule_save(self, delay: float = DELAY) -> None:
        """Schedule a save within `delay` seconds, keeping an earlier schedule."""
        if self._is_stopped:
            return
        due = self._hass.loop.time() + delay
        if self._due is None or due < self._due:
            self._due = due
            self._store.async_delay_save(self._data, delay)

    async def async_stop(self) -> None:
        """Save a last time; later changes are not saved."""
        self._is_stopped = True
        await self._store.async_try_save(self._data)

    def _data(self) -> dict[str, Any]:
        self._due = None
        return {
            "power_quality": self._meter.log.as_dict(),
            "totals": self.energy_counters.as_dict(),
            "guard": list(self._meter.known_guard_events),
            "calibration": self._calibration,
        }


def _store(hass: HomeAssistant, entry_id: str) -> CheckedStore:
    return CheckedStore(hass, VERSION, f"{DOMAIN}.meter.{entry_id}")


async def async_stored_calibration(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> Corrections | None:
    """Return what the meter of an entry was calibrated to, None if not known."""
    if entry.state is ConfigEntryState.LOADED:
        return Corrections.from_text(entry.runtime_data.store.calibration)
    stored = await _async_checked(_store(hass, entry.entry_id))
    return Corrections.from_text(str(stored.get("calibration", "")))


async def async_remove_meter_store(hass: HomeAssistant, entry_id: str) -> None:
    """Remove the stored data of a meter whose entry is removed."""
    await _store(hass, entry_id).async_remove()


async def async_forget_totals(hass: HomeAssistant, entry_id: str) -> dict[str, float]:
    """Forget totals and calibration of a meter in whose place there is a new one.

    Returns the last totals, kWh by channel id.
    """
    store = _store(hass, entry_id)
    if not (stored := await _async_checked(store)):
        return {}
    await store.async_try_save(
        {**stored, "totals": EnergyCounters().as_dict(), "calibration": ""}
    )
    return {id_: float(total) for id_, total in stored["totals"]["latest"].items()}


async def _async_checked(store: CheckedStore) -> StoredData:
    """Return the content of a store that can be used, nothing otherwise."""
    checked: StoredData = {}

    def restore(stored: StoredData) -> None:
        EnergyCounters().restore(stored["totals"])
        checked.update(stored)

    await store.async_restore(restore)
    return checked

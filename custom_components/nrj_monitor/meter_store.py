"""What is remembered of a meter over restarts: one file for each."""

from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store

from .const import CONF_SOURCE, DOMAIN, SOURCE_NATIVE_API
from .entry_data import NrjConfigEntry
from .issues.checks import EnergyCounters
from .meter import Meter

VERSION: Final = 1
DELAY: Final = 10.0
"""Seconds after an event until it is written, together with those that follow."""

TOTALS_DELAY: Final = 900.0
"""Seconds after which the totals are written; an orderly end writes them too."""


class MeterStore:
    """Keeps the log of the supply and the totals of one meter."""

    def __init__(
        self, hass: HomeAssistant, entry: NrjConfigEntry, meter: Meter
    ) -> None:
        """Prepare for the meter of `entry`."""
        self._store: Store[dict[str, Any]] = _store(hass, entry.entry_id)
        self._meter = meter
        self._hass = hass
        self._due: float | None = None
        self._is_stopped = False
        self.totals = EnergyCounters(
            may_start_over=entry.data[CONF_SOURCE] != SOURCE_NATIVE_API
        )

    async def async_load(self) -> None:
        """Restore what is known, and keep it from now on."""
        if (stored := await self._store.async_load()) is not None:
            self._meter.log.restore(stored["power_quality"])
            self.totals.restore(stored["totals"])
            self._meter.known_guard_events.extend(stored.get("guard", ()))
        # They end with the meter itself.
        self._meter.listen_power_quality(lambda _: self.async_changed())
        self._meter.listen_oscillogram(self.async_changed)
        self._meter.listen_guard(lambda _: self.async_changed())

    @callback
    def async_changed(self, delay: float = DELAY) -> None:
        """Write within `delay` seconds; what is due earlier is not put off."""
        due = self._hass.loop.time() + delay
        if self._is_stopped:
            return
        if self._due is None or due < self._due:
            self._due = due
            self._store.async_delay_save(self._data, delay)

    async def async_stop(self) -> None:
        """Write the store a last time; later changes are not written."""
        self._is_stopped = True
        await self._store.async_save(self._data())

    def _data(self) -> dict[str, Any]:
        self._due = None
        return {
            "power_quality": self._meter.log.as_dict(),
            "totals": self.totals.as_dict(),
            "guard": list(self._meter.known_guard_events),
        }


def _store(hass: HomeAssistant, entry_id: str) -> Store[dict[str, Any]]:
    return Store(hass, VERSION, f"{DOMAIN}.meter.{entry_id}")


async def async_remove_meter_store(hass: HomeAssistant, entry_id: str) -> None:
    """Remove the stored data of a meter whose entry is removed."""
    await _store(hass, entry_id).async_remove()

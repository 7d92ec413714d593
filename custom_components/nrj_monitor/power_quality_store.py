"""Keeps what is known of the supply's events over restarts, one file for each meter."""

from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store

from .const import DOMAIN
from .meter import Meter
from .sources.device_events import POWER_QUALITY

VERSION: Final = 1
DELAY: Final = 10.0
"""Seconds after an event until it is written, together with those that follow."""


def _store(hass: HomeAssistant, entry_id: str) -> Store[dict[str, Any]]:
    return Store(hass, VERSION, f"{DOMAIN}.power_quality.{entry_id}")


async def async_keep_log(hass: HomeAssistant, entry_id: str, meter: Meter) -> None:
    """Restore the log of a meter that watches the supply, and keep it from now on."""
    store = _store(hass, entry_id)
    if (stored := await store.async_load()) is not None:
        meter.log.restore(stored)

    @callback
    def save(*_: object) -> None:
        store.async_delay_save(meter.log.as_dict, DELAY)

    # For as long as the meter itself lasts.
    meter.listen_power_quality(save)
    meter.listen_oscillogram(save)


async def async_flush_log(hass: HomeAssistant, entry_id: str, meter: Meter) -> None:
    """Write the log of a meter that is being unloaded."""
    if POWER_QUALITY in meter.description.features:
        await _store(hass, entry_id).async_save(meter.log.as_dict())


async def async_forget_log(hass: HomeAssistant, entry_id: str) -> None:
    """Leave nothing behind."""
    await _store(hass, entry_id).async_remove()

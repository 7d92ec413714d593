"""System health of the integration: meters, sources and firmware versions."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.core import HomeAssistant, callback

from .const import CONF_SOURCE, DOMAIN, EXPECTED_FIRMWARE
from .entry_data import NrjConfigEntry


@callback
def async_register(
    hass: HomeAssistant, register: system_health.SystemHealthRegistration
) -> None:
    """Register the callback with the information."""
    register.async_register_info(async_system_health_info)


async def async_system_health_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return the number of meters, their sources and their firmware versions."""
    entries: list[NrjConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    connected = [entry for entry in entries if entry.runtime_data.meter.connected]
    return {
        "meters": len(hass.config_entries.async_entries(DOMAIN)),
        "connected": len(connected),
        "sources": ", ".join(sorted({entry.data[CONF_SOURCE] for entry in entries})),
        "firmware": ", ".join(
            sorted(
                {
                    version
                    for entry in entries
                    if (version := entry.runtime_data.meter.description.version)
                    is not None
                }
            )
        ),
        "expected_firmware": EXPECTED_FIRMWARE,
    }

"""What Home Assistant's own ESPHome integration knows of the same device."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.device_registry import format_mac

ESPHOME_DOMAIN = "esphome"
ESPHOME_KEY = "noise_psk"
"""Where ESPHome's entry keeps the encryption key in its data."""


@callback
def esphome_key(hass: HomeAssistant, mac: str | None) -> str | None:
    """Return the key ESPHome's entry of the device `mac` has, None without one."""
    if not mac:
        return None
    entry = hass.config_entries.async_entry_for_domain_unique_id(
        ESPHOME_DOMAIN, format_mac(mac)
    )
    return None if entry is None else entry.data.get(ESPHOME_KEY) or None

"""Lookup of the same device in Home Assistant's own ESPHome integration."""

from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import format_mac

ESPHOME_DOMAIN = "esphome"
ESPHOME_KEY = "noise_psk"
"""Where ESPHome's entry keeps the encryption key in its data."""


@callback
def esphome_key(hass: HomeAssistant, mac: str | None) -> str | None:
    """Return the key in ESPHome's entry of the device `mac`, or None."""
    entry = _esphome_entry(hass, mac)
    return None if entry is None else entry.data.get(ESPHOME_KEY) or None


@callback
def esphome_offers_updates(hass: HomeAssistant, mac: str | None) -> bool:
    """Return whether ESPHome's entry shows an update entity of the device `mac` itself.

    The one that belongs to the ESPHome dashboard is another thing: its versions are
    ESPHome's, not the firmware's.
    """
    entry = _esphome_entry(hass, mac)
    if entry is None or entry.disabled_by is not None:
        return False
    return any(
        entity.domain == Platform.UPDATE
        and entity.disabled_by is None
        # The dashboard's has the address alone for its unique id.
        and format_mac(entity.unique_id) != entry.unique_id
        for entity in er.async_entries_for_config_entry(
            er.async_get(hass), entry.entry_id
        )
    )


@callback
def _esphome_entry(hass: HomeAssistant, mac: str | None) -> ConfigEntry[Any] | None:
    """Return ESPHome's entry of the device `mac`, or None."""
    if not mac:
        return None
    return hass.config_entries.async_entry_for_domain_unique_id(
        ESPHOME_DOMAIN, format_mac(mac)
    )

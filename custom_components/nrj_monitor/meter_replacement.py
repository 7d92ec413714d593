"""A new meter in the place of an old one: entities, history and dashboard stay."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er

from .backfill.manager import async_remove_backfill_store
from .const import DOMAIN
from .entry_data import NrjConfigEntry
from .meter_store import async_forget_totals


async def async_replace_meter(
    hass: HomeAssistant, entry: NrjConfigEntry, old_mac: str, new_mac: str
) -> None:
    """Give what belongs to the old meter of `entry` to the new one, and unload the entry.

    Entity ids stay, so history, statistics and energy dashboard do. The journal and the
    totals of the old meter are forgotten: the new one has its own.
    """
    if entry.state is ConfigEntryState.LOADED:
        await hass.config_entries.async_unload(entry.entry_id)
    entities = er.async_get(hass)
    prefix = f"{old_mac}_"
    for entity in er.async_entries_for_config_entry(entities, entry.entry_id):
        if entity.unique_id.startswith(prefix):
            entities.async_update_entity(
                entity.entity_id,
                new_unique_id=f"{new_mac}_{entity.unique_id.removeprefix(prefix)}",
            )
    devices = dr.async_get(hass)
    for device in dr.async_entries_for_config_entry(devices, entry.entry_id):
        if (DOMAIN, old_mac) in device.identifiers:
            devices.async_update_device(
                device.id,
                new_identifiers={(DOMAIN, new_mac)},
                new_connections={(dr.CONNECTION_NETWORK_MAC, new_mac)},
            )
    await async_remove_backfill_store(hass, entry.entry_id)
    await async_forget_totals(hass, entry.entry_id)

"""A new meter in the place of an old one: entities, history and dashboard stay."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util

from .backfill.manager import async_last_seen, async_remove_backfill_store
from .backfill.replaced_meter import replacement_of
from .backfill.replacement import Replacement
from .backfill.sum_keeper import WINDOW
from .const import DOMAIN
from .entry_data import NrjConfigEntry
from .meter_store import async_forget_totals


async def async_replace_meter(
    hass: HomeAssistant, entry: NrjConfigEntry, old_mac: str, new_mac: str
) -> Replacement:
    """Give what belongs to the old meter of `entry` to the new one, and unload the entry.

    Entity ids stay, so history, statistics and energy dashboard do.
    """
    replacement = await async_begin_anew(hass, entry)
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
    return replacement


async def async_begin_anew(hass: HomeAssistant, entry: NrjConfigEntry) -> Replacement:
    """Unload `entry`, and forget journal and totals of the meter that is replaced.

    Returns what is to be kept in the entry's data: the new meter's totals go on from the
    old one's, whatever they are.
    """
    if entry.state is ConfigEntryState.LOADED:
        await hass.config_entries.async_unload(entry.entry_id)
    now = dt_util.utcnow().timestamp()
    seen = await async_last_seen(hass, entry.entry_id)
    await async_remove_backfill_store(hass, entry.entry_id)
    last = await async_forget_totals(hass, entry.entry_id)
    replacement = Replacement(time=now, seen=seen, last=last)
    return replacement.after(replacement_of(entry), (seen or now) - WINDOW)

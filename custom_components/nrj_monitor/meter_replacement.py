"""A new meter in the place of an old one: entities, history and dashboard stay."""

import re

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util

from .backfill.manager import async_last_seen, async_remove_backfill_store
from .backfill.replaced_meter import replacement_of
from .backfill.replacement import Replacement
from .backfill.sum_keeper import WINDOW
from .const import CONF_REPLACED, DOMAIN
from .entry_data import NrjConfigEntry
from .meter_store import async_forget_totals

MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?=_)")
"""MAC address at the begin of an entity's unique id."""


async def async_replace_meter(
    hass: HomeAssistant, entry: NrjConfigEntry, old_mac: str, new_mac: str
) -> Replacement:
    """Give what belongs to the old meter of `entry` to the new one, and unload the entry.

    Entity ids stay, so history, statistics and energy dashboard do.
    """
    replacement = await async_begin_anew(hass, entry)
    _async_give_over(hass, entry, old_mac, new_mac)
    return replacement


@callback
def async_complete_replacement(
    hass: HomeAssistant, entry: NrjConfigEntry, mac: str
) -> None:
    """Give the meter of `entry` what a crash has left to the one in whose place it is.

    Home Assistant writes its registries seconds after the entry.
    """
    if CONF_REPLACED not in entry.data:
        return
    entities = er.async_get(hass)
    owners = {
        found.group()
        for entity in er.async_entries_for_config_entry(entities, entry.entry_id)
        if (found := MAC.match(entity.unique_id)) is not None
    }
    for old_mac in owners - {mac}:
        _async_give_over(hass, entry, old_mac, mac)


def _async_give_over(
    hass: HomeAssistant, entry: NrjConfigEntry, old_mac: str, new_mac: str
) -> None:
    entities = er.async_get(hass)
    prefix = f"{old_mac}_"
    for entity in er.async_entries_for_config_entry(entities, entry.entry_id):
        unique_id = f"{new_mac}_{entity.unique_id.removeprefix(prefix)}"
        if entity.unique_id.startswith(prefix) and not entities.async_get_entity_id(
            entity.domain, DOMAIN, unique_id
        ):
            entities.async_update_entity(entity.entity_id, new_unique_id=unique_id)
    devices = dr.async_get(hass)
    for device in dr.async_entries_for_config_entry(devices, entry.entry_id):
        if (DOMAIN, old_mac) in device.identifiers:
            devices.async_update_device(
                device.id,
                new_identifiers={(DOMAIN, new_mac)},
                new_connections={(dr.CONNECTION_NETWORK_MAC, new_mac)},
            )


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

"""Loads that were shed by a meter which no longer controls them, and are given back."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..checked_store import StoredData
from ..entity_links.references import CONF_REGISTRY_IDS
from ..entity_links.registry import async_follow
from ..entry_data import NrjConfigEntry
from .managed_device import ManagedDevice
from .settings import ENTITY_FIELDS
from .store import load_store


def shed_devices(
    hass: HomeAssistant,
    states: Mapping[str, Mapping[str, Any]],
    devices: Mapping[str, Mapping[str, Any]],
    registry_ids: Mapping[str, str],
    present: Collection[str] = (),
) -> dict[str, ManagedDevice]:
    """Return the devices of loads that are shed while a person wants them on, by load.

    Args:
        hass: Home Assistant.
        states: stored states of the loads, results of `LoadState.as_dict`.
        devices: stored devices of the loads, results of `ManagedDevice.as_dict`.
        registry_ids: the registry's own ids of their entities, by entity id.
        present: loads that are still controlled, and left out.

    Raises:
        LookupError, TypeError or ValueError: the stored data is of no use.
    """
    shed = {}
    for id_, state in states.items():
        kept = devices.get(id_)
        if id_ in present or kept is None:
            continue
        if state["asked"] and (state["to_restore"] or state.get("limited", False)):
            data, _ = async_follow(hass, kept["data"], ENTITY_FIELDS, registry_ids)
            shed[id_] = ManagedDevice(hass, data)
            shed[id_].update_from_dict(kept)
    return shed


async def async_give_back_stored(hass: HomeAssistant, entry: NrjConfigEntry) -> None:
    """Switch on what a meter had shed, from the file of a meter whose entry is removed."""
    shed: dict[str, ManagedDevice] = {}

    def restore(stored: StoredData) -> None:
        shed.update(
            shed_devices(
                hass,
                stored.get("arbiter", {}),
                stored.get("plants", {}),
                entry.data.get(CONF_REGISTRY_IDS, {}),
            )
        )

    await load_store(hass, entry.entry_id).async_restore(restore)
    for device in shed.values():
        # A relay of the removed meter itself is out of reach.
        with suppress(HomeAssistantError):
            await device.switch(True, Context())

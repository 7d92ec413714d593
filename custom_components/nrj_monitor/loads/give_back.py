"""Loads that were shed by a meter which no longer controls them, and are given back."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..checked_store import StoredData
from ..entity_links.registry import async_followed
from .managed_device import ManagedDevice
from .settings import ENTITY_FIELDS
from .store import load_store


def shed_devices(
    hass: HomeAssistant,
    states: Mapping[str, Mapping[str, Any]],
    devices: Mapping[str, Mapping[str, Any]],
    present: Collection[str] = (),
) -> dict[str, ManagedDevice]:
    """Return the devices of loads that are shed while a person wants them on, by load.

    Args:
        hass: Home Assistant.
        states: stored states of the loads, results of `LoadState.as_dict`.
        devices: stored devices of the loads, results of `ManagedDevice.as_dict`.
        present: loads that are still controlled, and left out.

    Raises:
        LookupError, TypeError or ValueError: the stored data is of no use.
    """
    shed = {}
    for id_, state in states.items():
        kept = devices.get(id_)
        if id_ in present or kept is None:
            continue
        if state["asked"] and state["to_restore"]:
            data = async_followed(hass, kept["data"], ENTITY_FIELDS)
            shed[id_] = ManagedDevice(hass, data)
            shed[id_].update_from_dict(kept)
    return shed


async def async_give_back_stored(hass: HomeAssistant, entry_id: str) -> None:
    """Switch on what a meter had shed, from the file of a meter whose entry is removed."""
    shed: dict[str, ManagedDevice] = {}

    def restore(stored: StoredData) -> None:
        shed.update(
            shed_devices(hass, stored.get("arbiter", {}), stored.get("plants", {}))
        )

    await load_store(hass, entry_id).async_restore(restore)
    for device in shed.values():
        # A relay of the removed meter itself is out of reach.
        with suppress(HomeAssistantError):
            await device.switch(True, Context())

"""Discovery update: check a new address of a known meter."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from homeassistant.components import zeroconf
from homeassistant.config_entries import SOURCE_IGNORE, ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant

from ..const import CONF_ENCRYPTION_KEY, CONF_SOURCE, SOURCE_NATIVE_API
from ..entry_data import NrjConfigEntry
from ..meter import Meter
from ..sources.errors import SourceError
from ..sources.native_api.address import NativeApiAddress
from ..sources.native_api.provisioning import probe

LINK_LOSS_TIMEOUT: Final = 15.0
"""Seconds until a link to an address that is no longer the meter's is known to be
dead: at most 11 with the native API's keepalive."""


async def announced_address_is_right(
    hass: HomeAssistant, entry: NrjConfigEntry, announced: Mapping[str, Any]
) -> bool:
    """Return whether the meter of `entry` has moved to the address `announced`.

    Anybody on the network can announce anything: a link that works is kept, and
    another address is taken only if the same meter answers there to the same key.
    """
    if entry.source == SOURCE_IGNORE or entry.data[CONF_SOURCE] != SOURCE_NATIVE_API:
        return False
    if all(entry.data[key] == announced[key] for key in (CONF_HOST, CONF_PORT)):
        return False
    if entry.state is ConfigEntryState.LOADED and not await _is_lost(
        entry.runtime_data.meter
    ):
        return False
    try:
        probed = await probe(
            NativeApiAddress(
                host=announced[CONF_HOST],
                port=announced[CONF_PORT],
                key=entry.data.get(CONF_ENCRYPTION_KEY),
            ),
            await zeroconf.async_get_instance(hass),
        )
    except SourceError:
        return False
    return probed.description.mac == entry.unique_id


async def _is_lost(meter: Meter) -> bool:
    """Return whether the link is down, or goes down within `LINK_LOSS_TIMEOUT`."""
    changed = asyncio.Event()
    unsubscribe = meter.async_add_connection_listener(changed.set)
    try:
        async with asyncio.timeout(LINK_LOSS_TIMEOUT):
            while meter.connected:
                await changed.wait()
                changed.clear()
    except TimeoutError:
        return False
    finally:
        unsubscribe()
    return True

"""Removal of a provisioned key when its meter leaves Home Assistant.

A key nobody wrote down would otherwise lock the meter for good. ESPHome's own
integration does the same with the keys it gave.
"""

import asyncio
import logging
from typing import Final

from homeassistant.components import zeroconf
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant

from ..const import CONF_ENCRYPTION_KEY, CONF_KEY_GIVEN
from ..entry_data import NrjConfigEntry
from .errors import SourceError
from .esphome_entry import esphome_key
from .native_api.address import NativeApiAddress
from .native_api.provisioning import remove_key

_LOGGER = logging.getLogger(__name__)

TIMEOUT: Final = 10.0
"""Seconds a removal may wait for a meter that is not there."""


async def async_remove_key(hass: HomeAssistant, entry: NrjConfigEntry) -> None:
    """Remove the key given to the meter of `entry`, unless ESPHome uses the key."""
    key = entry.data.get(CONF_ENCRYPTION_KEY)
    if not entry.data.get(CONF_KEY_GIVEN) or key == esphome_key(hass, entry.unique_id):
        return
    address = NativeApiAddress(
        host=entry.data[CONF_HOST], port=entry.data[CONF_PORT], key=key
    )
    try:
        async with asyncio.timeout(TIMEOUT):
            await remove_key(address, await zeroconf.async_get_instance(hass))
    except SourceError, TimeoutError:
        _LOGGER.warning(
            "%s could not be reached and keeps the encryption key it was given:"
            " to use it again without that key, flash it by cable",
            entry.title,
        )

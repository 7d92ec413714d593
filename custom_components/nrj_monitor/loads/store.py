"""Store of the loads' states over restarts: a file for each meter."""

from typing import Final

from homeassistant.core import HomeAssistant

from ..checked_store import CheckedStore
from ..const import DOMAIN

VERSION: Final = 1
DELAY: Final = 1.0
"""Seconds after a decision until it is written, together with those that follow: the
grid that sags may be gone a moment later, and Home Assistant with it."""


def load_store(hass: HomeAssistant, entry_id: str) -> CheckedStore:
    """Return the file of a meter's loads."""
    return CheckedStore(hass, VERSION, f"{DOMAIN}.loads.{entry_id}")


async def async_remove_load_store(hass: HomeAssistant, entry_id: str) -> None:
    """Remove the stored state of the loads of a meter whose entry is removed."""
    await load_store(hass, entry_id).async_remove()

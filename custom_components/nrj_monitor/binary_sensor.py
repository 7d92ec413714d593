"""Binary sensors: whether each load of the meter is on."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entry_data import NrjConfigEntry
from .loads.binary_sensor import load_binary_sensors

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the binary sensors of a meter's loads."""
    for load_id, sensor in load_binary_sensors(entry.runtime_data.loads):
        async_add_entities([sensor], config_subentry_id=load_id)

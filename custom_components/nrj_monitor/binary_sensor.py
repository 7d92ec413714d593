"""Binary sensors: whether the meter answers, and whether each of its loads is on."""

from typing import override

from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import MeterEntity
from .entry_data import NrjConfigEntry
from .loads.binary_sensor import load_binary_sensors
from .meter import Meter

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the binary sensors of a meter and its loads."""
    data = entry.runtime_data
    async_add_entities([MeterLink(data.meter)])
    for load_id, sensor in load_binary_sensors(data.loads):
        async_add_entities([sensor], config_subentry_id=load_id)


class MeterLink(MeterEntity, BinarySensorEntity):
    """Whether a meter answers; the one entity that a lost meter does not take away."""

    _attr_device_class = BinarySensorDeviceClass.CONNECTIVITY
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_translation_key = "link"

    def __init__(self, meter: Meter) -> None:
        """Show whether `meter` answers."""
        super().__init__(meter, "link")

    @property
    @override
    def available(self) -> bool:
        """Return True: it tells of the link."""
        return True

    @property
    @override
    def is_on(self) -> bool:
        """Return whether the link to the meter is up."""
        return self._meter.connected

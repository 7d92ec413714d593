"""What all entities of a meter have in common."""

from typing import override

from homeassistant.core import callback
from homeassistant.helpers.device_registry import CONNECTION_NETWORK_MAC, DeviceInfo
from homeassistant.helpers.entity import Entity

from .const import DOMAIN
from .meter import Meter


class MeterEntity(Entity):
    """An entity of the meter's device, pushed by the meter."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, meter: Meter, key: str) -> None:
        """Attach to `meter`; `key` is unique and stable within it."""
        self._meter = meter
        description = meter.description
        self._attr_unique_id = f"{description.mac}_{key}"
        self._attr_device_info = DeviceInfo(
            connections=(
                {(CONNECTION_NETWORK_MAC, description.mac)}
                if description.has_mac
                else set()
            ),
            identifiers={(DOMAIN, description.mac)},
            manufacturer=description.manufacturer,
            model=description.model,
            name=description.name,
            hw_version=description.hardware or None,
            sw_version=description.software or None,
        )

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the link."""
        self.async_on_remove(self._meter.async_add_connection_listener(self._on_link))

    @property
    @override
    def available(self) -> bool:
        """Return whether the meter is there."""
        return self._meter.connected

    @callback
    def _on_link(self) -> None:
        """Show that the meter came or went."""
        self.async_write_ha_state()

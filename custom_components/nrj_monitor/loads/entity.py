"""Base of all entities of a load."""

from typing import override

from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity

from ..const import DOMAIN
from ..control.decision import Decision, Notice
from .manager import LoadManager


class LoadEntity(Entity):
    """An entity of a load's own device."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, manager: LoadManager, load_id: str, key: str) -> None:
        """Attach to a load; `key` is unique and stable among the load's entities."""
        self._manager = manager
        self._load_id = load_id
        self._attr_unique_id = f"{load_id}_{key}"
        self._attr_translation_key = f"load_{key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, load_id)},
            manufacturer="NRJ Monitor",
            model="Load",
            name=manager.titles[load_id],
            via_device_id=dr.async_get_device_id_by_identifier(
                manager.hass,
                (DOMAIN, manager.meter.description.mac),
                config_entry_id=manager.entry.entry_id,
            ),
        )

    @override
    async def async_added_to_hass(self) -> None:
        """Add the listener for the load's decisions."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self._manager.publisher.async_add_load_listener(
                self._load_id, self._handle_update
            )
        )

    @callback
    def _handle_update(self, update: Decision | Notice | None) -> None:
        """Write the state after a decision or notice."""
        self.async_write_ha_state()

"""Binary sensor of a load: whether it is on."""

from collections.abc import Iterator
from typing import override

from homeassistant.components.binary_sensor import BinarySensorEntity
from homeassistant.core import Event, EventStateChangedData, callback
from homeassistant.helpers.event import async_track_state_change_event

from .entity import LoadEntity
from .manager import LoadManager


def load_binary_sensors(
    manager: LoadManager | None,
) -> Iterator[tuple[str, BinarySensorEntity]]:
    """Yield the binary sensor of each load of a meter."""
    if manager is not None:
        for load_id in manager.devices:
            yield load_id, LoadIsOn(manager, load_id)


class LoadIsOn(LoadEntity, BinarySensorEntity):
    """State of the entity that is the load, read as load control reads it.

    In a dry run it stays the real one.
    """

    def __init__(self, manager: LoadManager, load_id: str) -> None:
        """Show whether a load is on."""
        super().__init__(manager, load_id, "is_on")

    @override
    async def async_added_to_hass(self) -> None:
        """Add the listeners for decisions and for the controlled entity."""
        await super().async_added_to_hass()
        entity_id = self._manager.devices[self._load_id].entity_id
        if entity_id is not None:
            self.async_on_remove(
                async_track_state_change_event(self.hass, entity_id, self._on_state)
            )

    @callback
    def _on_state(self, event: Event[EventStateChangedData]) -> None:
        self.async_write_ha_state()

    @property
    @override
    def is_on(self) -> bool | None:
        """Return whether the load is on, None while unknown."""
        return self._manager.devices[self._load_id].is_on

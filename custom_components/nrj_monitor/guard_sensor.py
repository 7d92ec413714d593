"""Sensors: how the meter's own guard finds the grid, and why."""

from collections.abc import Iterator
from typing import Final, override

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity
from homeassistant.const import EntityCategory

from .entity import MeterEntity
from .frequency_guard.guard_state import GuardReason, GuardState
from .loads.manager import LoadManager
from .meter import Meter
from .sources import Feature

WORDS: Final = {
    "guard_state": [state.value for state in GuardState],
    "guard_reason": [reason.value for reason in GuardReason],
}
"""What each of the two may say."""


def guard_sensors(meter: Meter, manager: LoadManager | None) -> Iterator[SensorEntity]:
    """Yield the sensors of the guard: the meter's own, or that of its load manager."""
    if Feature.GUARD in meter.description.features:
        yield from (GuardSensor(meter, key) for key in WORDS)
    elif manager is not None and manager.grid is not None:
        yield ComputedGuardSensor(manager)


class GuardSensor(MeterEntity, SensorEntity):
    """A word of the meter's guard."""

    _attr_device_class = SensorDeviceClass.ENUM
    _attr_entity_category = EntityCategory.DIAGNOSTIC

    def __init__(self, meter: Meter, key: str) -> None:
        """Show the word `key` of the guard of `meter`."""
        super().__init__(meter, key)
        self._key = key
        self._attr_translation_key = key
        self._attr_options = WORDS[key]

    @override
    async def async_added_to_hass(self) -> None:
        """Follow what the meter says of itself."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self._meter.async_add_text_listener(self.async_write_ha_state)
        )

    @property
    @override
    def native_value(self) -> str | None:
        """Return the word, None where it is none that is known."""
        word = self._meter.texts.get(self._key)
        return word if word in WORDS[self._key] else None


class ComputedGuardSensor(MeterEntity, SensorEntity):
    """How the guard computed here finds the grid, for meters that have none."""

    _attr_device_class = SensorDeviceClass.ENUM
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_translation_key = "guard_state"

    def __init__(self, manager: LoadManager) -> None:
        """Show the guard of a load manager."""
        super().__init__(manager.meter, "guard_state")
        self._manager = manager
        self._attr_options = WORDS["guard_state"]

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the guard."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self._manager.async_add_grid_listener(self.async_write_ha_state)
        )

    @property
    @override
    def native_value(self) -> str | None:
        """Return how the grid is."""
        state = self._manager.grid_state
        return None if state is None else state.value

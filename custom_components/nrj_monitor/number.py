"""Numbers: the guard's own thresholds, on the meter itself."""

from typing import override

from homeassistant.components.number import NumberDeviceClass, NumberEntity, NumberMode
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entry_data import NrjConfigEntry
from .setting_entity import SettingEntity

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the numbers a meter can be told."""
    meter = entry.runtime_data.meter
    async_add_entities(
        MeterNumber(meter, setting)
        for setting in meter.description.settings
        if setting.kind == "number"
    )


class MeterNumber(SettingEntity, NumberEntity):
    """A threshold; what is shown is what the meter says it uses."""

    _attr_entity_category = EntityCategory.CONFIG
    # Only the profile "custom" has any use for them.
    _attr_entity_registry_enabled_default = False
    _attr_mode = NumberMode.BOX

    @override
    def _name(self) -> None:
        setting = self._setting
        self._attr_translation_key = setting.id
        self._attr_native_min_value = setting.minimum
        self._attr_native_max_value = setting.maximum
        self._attr_native_step = setting.step
        self._attr_native_unit_of_measurement = setting.unit
        self._attr_device_class = (
            NumberDeviceClass.FREQUENCY
            if setting.id.endswith("_frequency")
            else NumberDeviceClass.DURATION
        )

    @property
    @override
    def native_value(self) -> float | None:
        """Return what the meter uses, None until it has told it."""
        value = self._value
        return None if value is None or isinstance(value, str) else float(value)

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set it."""
        await self._set(value)

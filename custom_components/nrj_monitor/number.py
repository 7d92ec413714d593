"""Numbers: thresholds and delays of the meter's own frequency guard."""

from typing import override

from homeassistant.components.number import NumberDeviceClass, NumberEntity, NumberMode
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import SettingEntity
from .entry_data import NrjConfigEntry

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the number settings of a meter."""
    data = entry.runtime_data
    meter = data.meter
    async_add_entities(
        MeterNumber(meter, setting)
        for setting in meter.description.settings
        if setting.kind == "number"
    )


class MeterNumber(SettingEntity, NumberEntity):
    """A threshold or delay; its state is the value the meter reports."""

    _attr_entity_category = EntityCategory.CONFIG
    # Used by the profile "custom" alone.
    _attr_entity_registry_enabled_default = False
    _attr_mode = NumberMode.BOX

    @override
    def _describe(self) -> None:
        """Set range, step, unit and device class."""
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
        """Return the reported value, None before the first report."""
        value = self._reported
        return None if value is None or isinstance(value, str) else float(value)

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set the threshold or delay."""
        await self._async_change(value)

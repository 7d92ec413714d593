"""Selects: what can be chosen on the meter itself."""

import re
from typing import Final, override

from homeassistant.components.select import SelectEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entry_data import NrjConfigEntry
from .setting_entity import SettingEntity

PARALLEL_UPDATES = 0

RELAY_CLASS: Final = re.compile(r"relay_(\d+)_class")


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the choices a meter offers."""
    meter = entry.runtime_data.meter
    async_add_entities(
        MeterSelect(meter, setting)
        for setting in meter.description.settings
        if setting.kind == "select"
    )


class MeterSelect(SettingEntity, SelectEntity):
    """A choice; what is shown is what the meter says it uses."""

    _attr_entity_category = EntityCategory.CONFIG

    @override
    def _name(self) -> None:
        self._attr_options = list(self._setting.options)
        if numbered := RELAY_CLASS.fullmatch(self._setting.id):
            self._attr_translation_key = "relay_class"
            self._attr_translation_placeholders = {"number": numbered[1]}
        else:
            self._attr_translation_key = self._setting.id

    @property
    @override
    def current_option(self) -> str | None:
        """Return what is chosen, None until the meter has told it."""
        value = self._value
        return value if isinstance(value, str) else None

    @override
    async def async_select_option(self, option: str) -> None:
        """Choose."""
        await self._set(option)

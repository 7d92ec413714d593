"""Selects: guard profile and relay classes of the meter, and classes of its loads."""

import re
from typing import Final, override

from homeassistant.components.select import SelectEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import SettingEntity
from .entry_data import NrjConfigEntry
from .loads.select import load_selects

PARALLEL_UPDATES = 0

RELAY_CLASS: Final = re.compile(r"relay_(\d+)_class")


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the select settings of a meter and its loads."""
    data = entry.runtime_data
    meter = data.meter
    async_add_entities(
        MeterSelect(meter, setting)
        for setting in meter.description.settings
        if setting.kind == "select"
    )
    for load_id, select in load_selects(data.loads):
        async_add_entities([select], config_subentry_id=load_id)


class MeterSelect(SettingEntity, SelectEntity):
    """A select; its state is the option the meter reports."""

    _attr_entity_category = EntityCategory.CONFIG

    @override
    def _describe(self) -> None:
        """Set options and name."""
        self._attr_options = list(self._setting.options)
        if numbered := RELAY_CLASS.fullmatch(self._setting.id):
            self._attr_translation_key = "relay_class"
            self._attr_translation_placeholders = {"number": numbered[1]}
        else:
            self._attr_translation_key = self._setting.id

    @property
    @override
    def current_option(self) -> str | None:
        """Return the reported option, None before the first report."""
        value = self._reported
        return value if isinstance(value, str) else None

    @override
    async def async_select_option(self, option: str) -> None:
        """Select an option."""
        await self._async_change(option)

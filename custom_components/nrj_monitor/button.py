"""Buttons: the meter in the energy dashboard at one press, and out again."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .energy_dashboard.dashboard import async_add_meter, async_remove_meter
from .entity import MeterEntity
from .entry_data import NrjConfigEntry

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class MeterButtonDescription(ButtonEntityDescription):
    """A button and what it does with the meter's entry."""

    press: Callable[[HomeAssistant, NrjConfigEntry], Awaitable[object]]


BUTTONS: Final = (
    MeterButtonDescription(
        key="add_to_energy_dashboard",
        translation_key="add_to_energy_dashboard",
        entity_category=EntityCategory.CONFIG,
        press=async_add_meter,
    ),
    MeterButtonDescription(
        key="remove_from_energy_dashboard",
        translation_key="remove_from_energy_dashboard",
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        press=async_remove_meter,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the buttons of a meter."""
    async_add_entities(MeterButton(entry, description) for description in BUTTONS)


class MeterButton(MeterEntity, ButtonEntity):
    """A button that works on what Home Assistant knows of the meter."""

    entity_description: MeterButtonDescription

    def __init__(
        self, entry: NrjConfigEntry, description: MeterButtonDescription
    ) -> None:
        """Show a button for the meter of `entry`."""
        super().__init__(entry.runtime_data.meter, description.key)
        self.entity_description = description
        self._entry = entry

    @property
    @override
    def available(self) -> bool:
        """Return True: nothing is asked of the meter."""
        return True

    @override
    async def async_press(self) -> None:
        """Do it, or raise with a sentence why not."""
        await self.entity_description.press(self.hass, self._entry)

"""Buttons: the meter's place in the energy dashboard, and what a load is to do."""

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
from .loads.button import load_buttons
from .meter import Meter

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class MeterButtonDescription(ButtonEntityDescription):
    """Description of a button with the action on the meter's entry."""

    press_fn: Callable[[HomeAssistant, NrjConfigEntry], Awaitable[object]]


BUTTONS: Final = (
    MeterButtonDescription(
        key="add_to_energy_dashboard",
        translation_key="add_to_energy_dashboard",
        entity_category=EntityCategory.CONFIG,
        press_fn=async_add_meter,
    ),
    MeterButtonDescription(
        key="remove_from_energy_dashboard",
        translation_key="remove_from_energy_dashboard",
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        press_fn=async_remove_meter,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the buttons of a meter and its loads."""
    data = entry.runtime_data
    async_add_entities(
        MeterButton(data.meter, entry, description) for description in BUTTONS
    )
    for load_id, buttons in load_buttons(data.loads):
        async_add_entities(buttons, config_subentry_id=load_id)


class MeterButton(MeterEntity, ButtonEntity):
    """A button for the meter's place in Home Assistant's energy dashboard."""

    entity_description: MeterButtonDescription

    def __init__(
        self, meter: Meter, entry: NrjConfigEntry, description: MeterButtonDescription
    ) -> None:
        """Show a button for `meter`, whose entry is `entry`."""
        super().__init__(meter, description.key)
        self.entity_description = description
        self._entry = entry

    @property
    @override
    def available(self) -> bool:
        """Return True: the action needs no link to the meter."""
        return True

    @override
    async def async_press(self) -> None:
        """Run the action, for an administrator; raises HomeAssistantError with the reason."""
        await self._async_require_admin()
        await self.entity_description.press_fn(self.hass, self._entry)

"""The switch that lets the arbiter decide and touch nothing."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity
from homeassistant.const import EntityCategory

from ..entity import MeterEntity
from .manager import LoadManager


class DryRunSwitch(MeterEntity, SwitchEntity):
    """While it is on, what would have happened is shown and nothing is switched."""

    _attr_entity_category = EntityCategory.CONFIG
    _attr_translation_key = "dry_run"

    def __init__(self, manager: LoadManager) -> None:
        """Show the dry run of a meter's loads."""
        super().__init__(manager.meter, "dry_run")
        self._manager = manager

    @property
    @override
    def available(self) -> bool:
        """Return True: nothing is asked of the meter."""
        return True

    @property
    @override
    def is_on(self) -> bool:
        """Return whether nothing is touched."""
        return self._manager.dry_run

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Touch nothing from now on; what was taken is given back."""
        await self._manager.async_set_dry_run(True)
        self.async_write_ha_state()

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Do what is decided."""
        await self._manager.async_set_dry_run(False)
        self.async_write_ha_state()

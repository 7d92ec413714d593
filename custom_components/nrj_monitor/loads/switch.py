"""Switch of the dry run: the arbiter decides, and no load is commanded."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity
from homeassistant.const import EntityCategory

from ..entity import MeterEntity
from .manager import LoadManager


class DryRunSwitch(MeterEntity, SwitchEntity):
    """Dry run of a meter's loads: decisions are shown, loads are not switched."""

    _attr_entity_category = EntityCategory.CONFIG
    _attr_translation_key = "dry_run"

    def __init__(self, manager: LoadManager) -> None:
        """Show the dry run of a meter's loads."""
        super().__init__(manager.meter, "dry_run")
        self._manager = manager

    @property
    @override
    def available(self) -> bool:
        """Return True: the dry run does not need the meter."""
        return True

    @property
    @override
    def is_on(self) -> bool:
        """Return whether the dry run is on."""
        return self._manager.dry_run

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Begin the dry run; shed and started loads return to their requested state."""
        await self._async_require_admin()
        await self._manager.async_set_dry_run(True)
        self.async_write_ha_state()

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """End the dry run."""
        await self._async_require_admin()
        await self._manager.async_set_dry_run(False)
        self.async_write_ha_state()

"""Switches: relays and switch settings of the meter, and the dry run of its loads."""

import re
from typing import Any, override

from homeassistant.components.switch import SwitchEntity
from homeassistant.components.switch.const import SwitchDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .entity import MeterEntity, SettingEntity
from .entry_data import NrjConfigEntry
from .loads.switch import DryRunSwitch
from .meter import Meter
from .sources import Relay
from .sources.errors import SourceError

PARALLEL_UPDATES = 0

NUMBERED = re.compile(r"relay_(\d+)")


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the switches of a meter and its loads."""
    data = entry.runtime_data
    meter = data.meter
    async_add_entities(RelaySwitch(meter, relay) for relay in meter.description.relays)
    async_add_entities(
        SettingSwitch(meter, setting)
        for setting in meter.description.settings
        if setting.kind == "switch"
    )
    if data.loads is not None:
        async_add_entities([DryRunSwitch(data.loads)])


class RelaySwitch(MeterEntity, SwitchEntity):
    """A relay; its state is the state the device reports, never the commanded one."""

    _attr_device_class = SwitchDeviceClass.SWITCH

    def __init__(self, meter: Meter, relay: Relay) -> None:
        """Show `relay` of `meter`; a relay the firmware names keeps that name."""
        super().__init__(meter, relay.id)
        self._relay = relay
        if numbered := NUMBERED.fullmatch(relay.id):
            self._attr_translation_key = "relay"
            self._attr_translation_placeholders = {"number": numbered[1]}
        else:
            self._attr_name = relay.name

    @override
    async def async_added_to_hass(self) -> None:
        """Subscribe to the relay's reported state."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self._meter.async_add_relay_listener(
                self._relay.id, self.async_write_ha_state
            )
        )

    @property
    @override
    def is_on(self) -> bool | None:
        """Return the relay's reported state, None before the first report."""
        return self._meter.relays.get(self._relay.id)

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch the relay on."""
        await self._async_switch(True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch the relay off."""
        await self._async_switch(False)

    async def _async_switch(self, is_on: bool) -> None:
        """Switch the relay; raises HomeAssistantError with the reason."""
        try:
            await self._meter.switch_relay(self._relay.id, is_on)
        except SourceError as error:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key=error.key,
                translation_placeholders={
                    "name": self._meter.description.name,
                    "relay": self._relay.name,
                },
            ) from error


class SettingSwitch(SettingEntity, SwitchEntity):
    """A setting to switch on and off, like the frequency guard's."""

    _attr_entity_category = EntityCategory.CONFIG

    @property
    @override
    def is_on(self) -> bool | None:
        """Return the reported state, None before the first report."""
        value = self._reported
        return value if isinstance(value, bool) else None

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch the setting on."""
        await self._async_change(True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch the setting off."""
        await self._async_change(False)

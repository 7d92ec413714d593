"""Base classes of a meter's entities."""

from typing import override

from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.device_registry import CONNECTION_NETWORK_MAC, DeviceInfo
from homeassistant.helpers.entity import Entity

from .const import DOMAIN
from .meter import Meter
from .permissions import async_require_admin
from .sources import MeterDescription
from .sources.errors import LinkDownError, SourceError
from .sources.settings import Setting, SettingValue


def device_info_of(description: MeterDescription) -> DeviceInfo:
    """Return the device of a meter."""
    info = DeviceInfo(
        connections=(
            {(CONNECTION_NETWORK_MAC, description.mac)}
            if description.has_mac
            else set()
        ),
        identifiers={(DOMAIN, description.mac)},
        manufacturer=description.manufacturer,
        model=description.model,
        name=description.name,
        hw_version=description.hardware or None,
        sw_version=description.software or None,
    )
    if description.via_device_id is not None:
        info["via_device_id"] = description.via_device_id
    return info


class MeterEntity(Entity):
    """An entity of the meter's device, pushed by the meter."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, meter: Meter, key: str) -> None:
        """Attach to `meter`; `key` is unique and stable within the meter."""
        self._meter = meter
        meter.entity_keys.add(key)
        self._attr_unique_id = f"{meter.description.mac}_{key}"
        self._attr_device_info = device_info_of(meter.description)

    @override
    async def async_added_to_hass(self) -> None:
        """Subscribe to the link's state."""
        self.async_on_remove(
            self._meter.async_add_connection_listener(self._on_connection)
        )

    @property
    @override
    def available(self) -> bool:
        """Return whether the link to the meter is up."""
        return self._meter.connected

    async def _async_require_admin(self) -> None:
        """Require that who has just called the entity's action is an administrator.

        Must be awaited first in the action: the next call brings another context.
        """
        await async_require_admin(self.hass, self._context)

    @callback
    def _on_connection(self) -> None:
        """Write the availability after the link came up or went down."""
        self.async_write_ha_state()


class SettingEntity(MeterEntity):
    """A setting; its state is the value the device reports, never the commanded one."""

    def __init__(self, meter: Meter, setting: Setting) -> None:
        """Show `setting` of `meter`."""
        super().__init__(meter, setting.id)
        self._setting = setting
        self._describe()

    def _describe(self) -> None:
        """Set the attributes of the platform from the setting."""
        self._attr_translation_key = self._setting.id

    @override
    async def async_added_to_hass(self) -> None:
        """Subscribe to the setting's reported value."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self._meter.async_add_setting_listener(
                self._setting.id, self.async_write_ha_state
            )
        )

    @property
    def _reported(self) -> SettingValue | None:
        """Return the value the device reports, None before the first report."""
        return self._meter.settings.get(self._setting.id)

    async def _async_change(self, value: SettingValue) -> None:
        """Change the setting on the device, for an administrator.

        Raises HomeAssistantError with the reason.
        """
        await self._async_require_admin()
        placeholders = {
            "name": self._meter.description.name,
            "setting": self._setting.name,
        }
        try:
            await self._meter.change_setting(self._setting.id, value)
        except LinkDownError as error:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="setting_link_down",
                translation_placeholders=placeholders,
            ) from error
        except SourceError as error:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key=error.key,
                translation_placeholders=placeholders,
            ) from error

"""What all entities over a setting of the device have in common."""

from typing import override

from homeassistant.exceptions import HomeAssistantError

from .const import DOMAIN
from .entity import MeterEntity
from .meter import Meter
from .sources.errors import LinkDownError, SourceError
from .sources.settings import Setting, SettingValue


class SettingEntity(MeterEntity):
    """A setting. Its state is what the device reports, never what it was told."""

    def __init__(self, meter: Meter, setting: Setting) -> None:
        """Show `setting` of `meter`."""
        super().__init__(meter, setting.id)
        self._setting = setting
        self._name()

    def _name(self) -> None:
        """Set what its platform shows of it."""
        self._attr_translation_key = self._setting.id

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the setting."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self._meter.async_add_setting_listener(
                self._setting.id, self.async_write_ha_state
            )
        )

    @property
    def _value(self) -> SettingValue | None:
        return self._meter.settings.get(self._setting.id)

    async def _set(self, value: SettingValue) -> None:
        """Have the device take a value, or say why it did not."""
        words = {
            "name": self._meter.description.name,
            "setting": self._setting.name,
        }
        try:
            await self._meter.change_setting(self._setting.id, value)
        except LinkDownError as error:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="setting_link_down",
                translation_placeholders=words,
            ) from error
        except SourceError as error:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key=error.key,
                translation_placeholders=words,
            ) from error

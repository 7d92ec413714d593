"""Base of the config flow steps of all sources: the end of a set-up."""

from typing import Any, override

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult
from homeassistant.core import HomeAssistant, callback
import probatio as vol

from ..const import CONF_ADD_TO_ENERGY
from ..device_text import plain
from ..energy_dashboard.dashboard import async_lacks_grid


async def async_finish_schema(hass: HomeAssistant) -> vol.Schema:
    """Return the last question; yes is its default where no grid would be doubled."""
    default = await async_lacks_grid(hass)
    return vol.Schema({vol.Required(CONF_ADD_TO_ENERGY, default=default): bool})


class SetupFlow(ConfigFlow):
    """Ends every set-up with the same offer."""

    @override
    def __init__(self) -> None:
        """Start with nothing to set up."""
        self._title = ""
        self._data: dict[str, Any] = {}

    async def async_finish(self, title: str, data: dict[str, Any]) -> ConfigFlowResult:
        """Make the last offer, then create the entry from `title` and `data`.

        `data` holds CONF_SOURCE, one of the SOURCE_* names of const.py.
        """
        self._title = title
        self._data = data
        return await self.async_step_finish()

    async def async_step_finish(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Offer to add the meter to the energy dashboard."""
        if user_input is not None:
            return self.async_create(user_input)
        return self.async_show_form(
            step_id="finish",
            data_schema=await async_finish_schema(self.hass),
            description_placeholders={"name": plain(self._title)},
        )

    @callback
    def async_create(self, answers: dict[str, Any]) -> ConfigFlowResult:
        """Create the entry; `answers` are those to the last question."""
        wanted = {key: value for key, value in answers.items() if value}
        return self.async_create_entry(title=self._title, data=self._data | wanted)

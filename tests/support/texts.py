"""Language of Home Assistant in a test."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_load_integrations

from custom_components.nrj_monitor.const import DOMAIN


async def use_language(hass: HomeAssistant, language: str) -> None:
    """Set Home Assistant's language and load the texts, as Home Assistant does."""
    hass.config.language = language
    await async_load_integrations(hass, {DOMAIN})

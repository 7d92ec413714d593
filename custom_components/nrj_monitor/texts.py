"""Texts of the translations in the language of Home Assistant."""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import async_get_cached_translations

from .const import DOMAIN

ACTIVITY_STATES = "entity.sensor.load_activity.state"
"""Translations of the activities of a load."""


@callback
def async_text(hass: HomeAssistant, path: str, key: str, **values: Any) -> str:
    """Return the text of `key` under `path`, such as `selector.logbook.options`.

    Home Assistant keeps the translations of loaded integrations in its own language,
    not in that of each user. A text that is missing there is `key` itself.
    """
    text = template_of(hass, path, key)
    return text if text == key else text.format(**values)


@callback
def template_of(hass: HomeAssistant, path: str, key: str) -> str:
    """Return the text of `key` under `path` with its placeholders."""
    texts = async_get_cached_translations(
        hass, hass.config.language, path.partition(".")[0], DOMAIN
    )
    return text_of(texts, path, key)


def text_of(texts: Mapping[str, str], path: str, key: str) -> str:
    """Return the text of `key` under `path`; `key` itself where there is none."""
    return texts.get(f"component.{DOMAIN}.{path}.{key}", key)

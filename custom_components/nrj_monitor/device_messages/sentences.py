"""Sentences of the firmware's messages in the language of Home Assistant."""

from collections.abc import Iterable

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import async_get_cached_translations

from ..const import DOMAIN
from .kinds import CALIBRATION_REFUSALS
from .message import DeviceMessage


@callback
def async_say(hass: HomeAssistant, messages: Iterable[DeviceMessage]) -> str | None:
    """Return the sentences of messages.

    Returns:
        None without messages, or where the translation of one is not loaded.
    """
    try:
        sentences = [_sentence(hass, message) for message in messages]
    except KeyError:
        return None
    return " ".join(sentences) or None


def _sentence(hass: HomeAssistant, message: DeviceMessage) -> str:
    """Return the sentence of a message; raises KeyError without a translation."""
    code = message.code
    if code in CALIBRATION_REFUSALS:
        category, path = "exceptions", f"exceptions.{code}.message"
    else:
        category, path = "selector", f"selector.device_message.options.{code}"
    texts = async_get_cached_translations(hass, hass.config.language, category, DOMAIN)
    return texts[f"component.{DOMAIN}.{path}"].format_map(message.values)

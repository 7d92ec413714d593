"""The integration's events as sentences in the logbook."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from homeassistant.components.logbook.const import (
    LOGBOOK_ENTRY_ENTITY_ID,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.core import Event, HomeAssistant, callback

from .const import DOMAIN, EVENT_POWER_QUALITY

SENTENCES: Final = {
    "dip": "voltage dip",
    "swell": "voltage swell",
    "interruption": "interruption of the supply",
    "phase_loss": "phase lost",
    "overcurrent": "overcurrent",
    "wrong_sequence": "wrong phase sequence",
}
EXTREMES: Final = {"swell": "up to", "overcurrent": "up to"}


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[[str, str, Callable[[Event], dict[str, Any]]], None],
) -> None:
    """Describe the integration's events."""

    @callback
    def describe(event: Event) -> dict[str, Any]:
        return {
            LOGBOOK_ENTRY_NAME: event.data.get("name", "NRJ Monitor"),
            LOGBOOK_ENTRY_MESSAGE: sentence(event.data),
            LOGBOOK_ENTRY_ENTITY_ID: event.data.get("entity_id"),
        }

    async_describe_event(DOMAIN, EVENT_POWER_QUALITY, describe)


def sentence(data: Mapping[str, Any]) -> str:
    """Return what happened to the supply in words."""
    kind = str(data.get("kind", ""))
    words = [SENTENCES.get(kind, kind)]
    if data.get("phase"):
        words.append(f"on {data['phase']}")
    if data.get("extreme") is not None:
        words.append(
            f"{EXTREMES.get(kind, 'down to')} {data['extreme']:g} {data.get('unit')}"
        )
    duration = data.get("duration_s") or 0.0
    if data.get("ongoing"):
        words.append("has begun and goes on")
    elif duration >= 1:
        words.append(f"for {duration:.1f} s")
    else:
        words.append(f"for {duration * 1000:.0f} ms")
    return " ".join(words)

"""The integration's events as sentences in the logbook."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from homeassistant.components.logbook.const import (
    LOGBOOK_ENTRY_ENTITY_ID,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.core import Event, HomeAssistant, callback

from .const import DOMAIN, EVENT_GUARD, EVENT_LOAD, EVENT_POWER_QUALITY
from .loads.activity import NOTICES, SENTENCES as LOAD_SENTENCES

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

    def describer(
        words: Callable[[Mapping[str, Any]], str],
    ) -> Callable[[Event], dict[str, Any]]:
        @callback
        def describe(event: Event) -> dict[str, Any]:
            return {
                LOGBOOK_ENTRY_NAME: event.data.get("name", "NRJ Monitor"),
                LOGBOOK_ENTRY_MESSAGE: words(event.data),
                LOGBOOK_ENTRY_ENTITY_ID: event.data.get("entity_id"),
            }

        return describe

    async_describe_event(DOMAIN, EVENT_POWER_QUALITY, describer(sentence))
    async_describe_event(DOMAIN, EVENT_GUARD, describer(guard_sentence))
    async_describe_event(DOMAIN, EVENT_LOAD, describer(load_sentence))


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


GUARD_STATES: Final = {
    "normal": "found the grid normal",
    "inhibit": "found the grid low and lets nothing start",
    "shed_1": "found the grid low and sheds the first loads",
    "shed_2": "found the grid low and sheds the second loads",
    "shed_3": "found the grid failing and sheds all that may go",
    "absorb_1": "found the grid high and starts a storage load",
    "absorb_2": "found the grid high and starts all storage loads",
    "invalid": "has no valid frequency and holds",
}
RELAYS: Final = {"relay_off": "switched off", "relay_on": "switched on"}


def guard_sentence(data: Mapping[str, Any]) -> str:
    """Return what the meter's guard did in words."""
    kind = str(data.get("kind", ""))
    if kind in RELAYS:
        words = f"{RELAYS[kind]} {data.get('relay')}"
    else:
        words = GUARD_STATES.get(kind, kind)
    reason = str(data.get("reason", "")).replace("_", " ")
    hertz = data.get("frequency")
    at = "" if hertz is None else f" at {hertz:.3f} Hz"
    return f"{words} ({reason}){at}"


def load_sentence(data: Mapping[str, Any]) -> str:
    """Return what was decided about a load in words."""
    if (notice := data.get("notice")) is not None:
        return NOTICES.get(str(notice), str(notice))
    word = str(data.get("activity", ""))
    words = LOAD_SENTENCES.get(word, word)
    if (power := data.get("power")) is not None:
        words = f"{words}, with {power} W"
    return f"{words} (dry run)" if data.get("dry_run") else words

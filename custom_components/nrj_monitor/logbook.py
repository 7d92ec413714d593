"""Logbook messages for the events of the integration, in Home Assistant's language."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from homeassistant.components.logbook.const import (
    LOGBOOK_ENTRY_ENTITY_ID,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
)
from homeassistant.core import Event, HomeAssistant, callback

from .const import DOMAIN, EVENT_GUARD, EVENT_LOAD, EVENT_POWER_QUALITY
from .device_text import LONGEST_SENTENCE, plain
from .frequency_guard.event import REASONS, RELAY_KINDS
from .frequency_guard.guard_state import GuardState
from .texts import ACTIVITY_STATES, async_text

TEMPLATES: Final = "selector.logbook.options"
NOTICES: Final = "selector.logbook_notice.options"
GUARD: Final = "selector.logbook_guard.options"
GUARD_REASONS: Final = "entity.sensor.guard_reason.state"
RELAY_REASONS: Final = "selector.logbook_relay_reason.options"
POWER_QUALITY: Final = "selector.logbook_power_quality.options"
"""Places of the texts in the translations."""

RISING: Final = frozenset({"swell", "overcurrent", "over_range"})
"""Kinds of power quality events whose extreme is a maximum."""

type Describe = Callable[[HomeAssistant, Mapping[str, Any]], str]


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[[str, str, Callable[[Event], dict[str, Any]]], None],
) -> None:
    """Register the descriptions of the integration's events."""

    @callback
    def entry(describe: Describe, event: Event) -> dict[str, Any]:
        return {
            LOGBOOK_ENTRY_NAME: plain(str(event.data.get("name", "NRJ Monitor"))),
            LOGBOOK_ENTRY_MESSAGE: plain(describe(hass, event.data), LONGEST_SENTENCE),
            LOGBOOK_ENTRY_ENTITY_ID: event.data.get("entity_id"),
        }

    for kind, describe in DESCRIPTIONS.items():
        async_describe_event(DOMAIN, kind, partial(entry, describe))


@callback
def describe_power_quality(hass: HomeAssistant, data: Mapping[str, Any]) -> str:
    """Return the message for a power quality event: kind, phase, extreme, duration."""
    kind = str(data.get("kind", ""))
    name = f"{kind}_{data['quantity']}" if data.get("quantity") else kind
    text = async_text(hass, POWER_QUALITY, name)
    add = partial(async_text, hass, POWER_QUALITY)
    if data.get("phase"):
        text = add("on_phase", text=text, phase=data["phase"])
    if data.get("extreme") is not None:
        extreme, unit = f"{data['extreme']:g}", data.get("unit")
        direction = "up_to" if kind in RISING else "down_to"
        text = add(direction, text=text, extreme=extreme, unit=unit)
    duration = data.get("duration_s") or 0.0
    if data.get("ongoing"):
        return add("ongoing", text=text)
    if duration >= 1:
        return add("seconds", text=text, duration=f"{duration:.1f}")
    return add("milliseconds", text=text, duration=f"{duration * 1000:.0f}")


@callback
def describe_guard(hass: HomeAssistant, data: Mapping[str, Any]) -> str:
    """Return the message for a frequency guard event: state or relay, reason, Hz."""
    kind, reason = str(data.get("kind", "")), str(data.get("reason", ""))
    relay = data.get("relay") if kind in RELAY_KINDS else None
    text = async_text(hass, GUARD, kind, relay=relay)
    path = GUARD_REASONS if reason in REASONS else RELAY_REASONS
    why = async_text(hass, path, reason)
    # In the middle of a sentence.
    why = why[:1].lower() + why[1:]
    text = f"{text} ({why})"
    hertz = data.get("frequency")
    # What an invalid frequency was measured as says nothing.
    if hertz is None or data.get("state") == GuardState.INVALID:
        return text
    return async_text(
        hass, TEMPLATES, "guard_frequency", text=text, frequency=f"{hertz:.3f}"
    )


@callback
def describe_load(hass: HomeAssistant, data: Mapping[str, Any]) -> str:
    """Return the message for a decision on a load, or for a notice."""
    if (notice := data.get("notice")) is not None:
        return async_text(hass, NOTICES, str(notice))
    text = async_text(hass, ACTIVITY_STATES, str(data.get("activity", "")))
    if (power := data.get("power")) is not None:
        text = async_text(hass, TEMPLATES, "load_power", activity=text, power=power)
    if data.get("dry_run"):
        text = async_text(hass, TEMPLATES, "load_dry_run", text=text)
    return text


DESCRIPTIONS: Final[Mapping[str, Describe]] = {
    EVENT_POWER_QUALITY: describe_power_quality,
    EVENT_GUARD: describe_guard,
    EVENT_LOAD: describe_load,
}
"""Description of each event type."""

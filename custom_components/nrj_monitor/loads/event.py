"""Events of a load: each decision, with its reason."""

from collections.abc import Iterator
from typing import Any, Final, override

from homeassistant.components.event import EventEntity
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..control.decision import Action, Decision, Notice
from .activity import event_data, worth_telling
from .entity import LoadEntity
from .manager import ROOMS, ControlRoom

TYPES: Final = (*(action.value for action in Action), "no_effect", "disobeys")
"""What a decision does, or what a person should know."""


def load_events(
    hass: HomeAssistant, entry: ConfigEntry[Any]
) -> Iterator[tuple[str, EventEntity]]:
    """Yield the events of each load of a meter."""
    room = hass.data.get(ROOMS, {}).get(entry.entry_id)
    if room is not None:
        for load_id in room.plants:
            yield load_id, LoadDecision(room, load_id)


class LoadDecision(LoadEntity, EventEntity):
    """The last decision on a load."""

    def __init__(self, room: ControlRoom, load_id: str) -> None:
        """Follow the decisions on a load."""
        super().__init__(room, load_id, "decision")
        self._attr_event_types = list(TYPES)

    @callback
    @override
    def _on_told(self, told: Decision | Notice | None) -> None:
        if isinstance(told, Notice):
            self._trigger_event(told.key)
        elif isinstance(told, Decision) and worth_telling(told):
            data: dict[str, Any] = event_data(told, dry_run=self._room.dry_run)
            self._trigger_event(data.pop("action"), data)
        else:
            return
        super()._on_told(told)

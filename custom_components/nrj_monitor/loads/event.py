"""Events of a load: each decision, with its reason."""

from collections.abc import Iterator
from typing import Any, Final, override

from homeassistant.components.event import EventEntity
from homeassistant.core import callback

from ..control.decision import Action, Decision, Notice
from .activity import event_data, is_reportable
from .entity import LoadEntity
from .manager import LoadManager

TYPES: Final = (*(action.value for action in Action), "no_effect", "disobeys")
"""Actions of decisions, and notices of a load."""


def load_events(manager: LoadManager | None) -> Iterator[tuple[str, EventEntity]]:
    """Yield the event entity of each load of a meter."""
    if manager is not None:
        for load_id in manager.devices:
            yield load_id, LoadDecision(manager, load_id)


class LoadDecision(LoadEntity, EventEntity):
    """The last decision on a load."""

    def __init__(self, manager: LoadManager, load_id: str) -> None:
        """Report the decisions on a load."""
        super().__init__(manager, load_id, "decision")
        self._attr_event_types = list(TYPES)

    @callback
    @override
    def _handle_update(self, update: Decision | Notice | None) -> None:
        if isinstance(update, Notice):
            self._trigger_event(update.key)
        elif isinstance(update, Decision) and is_reportable(update):
            data: dict[str, Any] = event_data(update, dry_run=self._manager.dry_run)
            self._trigger_event(data.pop("action"), data)
        else:
            return
        super()._handle_update(update)

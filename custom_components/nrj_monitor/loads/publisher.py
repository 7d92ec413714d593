"""Publishes decisions on loads to entities, the event bus and Repairs."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from homeassistant.core import HomeAssistant, callback

from ..const import EVENT_LOAD
from ..control.arbiter import Arbiter
from ..control.decision import Decision, Notice
from ..entry_data import NrjConfigEntry
from ..listeners import Listeners, Unsubscribe
from .activity import event_data, is_reportable
from .issues import (
    DISOBEYS,
    FUTILE,
    NO_RELIEF,
    async_create_load_issue,
    async_delete_load_issues,
)

type LoadListener = Callable[[Decision | Notice | None], None]


class LoadPublisher:
    """Publishes for the load manager of a meter."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: NrjConfigEntry,
        titles: Mapping[str, str],
        entities: Mapping[str, str | None],
    ) -> None:
        """Publish for the loads of `entry`; `titles` and `entities` are by load id."""
        self._hass = hass
        self._entry = entry
        self._titles = titles
        self._entities = entities
        self._listeners: defaultdict[str, Listeners[Decision | Notice | None]] = (
            defaultdict(Listeners)
        )

    def async_add_load_listener(
        self, load_id: str, listener: LoadListener
    ) -> Unsubscribe:
        """Call `listener` with each decision on a load and each notice.

        A change of the energy totals, or of a deadline, alone is None.
        """
        return self._listeners[load_id].async_add(listener)

    @callback
    def publish_decision(self, decision: Decision, *, dry_run: bool) -> None:
        """Publish a decision on a load."""
        data = event_data(decision, dry_run=dry_run)
        self._listeners[decision.load_id].async_notify(decision)
        if is_reportable(decision):
            self._fire(decision.load_id, data)

    @callback
    def publish_notice(self, notice: Notice) -> None:
        """Publish a notice as an event, and as an issue where a repair is needed."""
        of = notice.load_id
        self._fire(of, {"action": "notice", "notice": notice.key})
        if of is not None:
            self._listeners[of].async_notify(notice)
        if notice.key in (FUTILE, NO_RELIEF, DISOBEYS):
            name = self._entry.title if of is None else self._titles[of]
            async_create_load_issue(
                self._hass, notice.key, of or self._entry.entry_id, name
            )

    @callback
    def publish_change(self, load_id: str) -> None:
        """Publish a change of a load's energy totals, or of the end of what it does."""
        self._listeners[load_id].async_notify(None)

    @callback
    def async_remove_solved_issues(self, arbiter: Arbiter) -> None:
        """Delete the issues of solved problems."""
        async_delete_load_issues(
            self._hass,
            over=[
                (key, self._entry.entry_id)
                for key, lasts in (
                    (FUTILE, arbiter.is_overload_shedding_futile),
                    (NO_RELIEF, arbiter.is_grid_shedding_futile),
                )
                if not lasts
            ],
            obeying=[
                id_
                for id_, state in arbiter.states.items()
                if not state.is_unresponsive
            ],
        )

    @callback
    def async_remove_issues(self) -> None:
        """Delete this meter's load issues; the next set-up raises them anew."""
        of = self._entry.entry_id
        async_delete_load_issues(
            self._hass, over=[(FUTILE, of), (NO_RELIEF, of)], obeying=self._entities
        )

    def _fire(self, load_id: str | None, data: dict[str, Any]) -> None:
        self._hass.bus.async_fire(
            EVENT_LOAD,
            {
                "name": self._entry.title if load_id is None else self._titles[load_id],
                "load_id": load_id,
                "entity_id": None if load_id is None else self._entities[load_id],
                "entry_id": self._entry.entry_id,
                **data,
            },
        )

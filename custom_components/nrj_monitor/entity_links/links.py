"""Entities that a meter and its loads use: followed when renamed, missed when gone."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.core import (
    CoreState,
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
)
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.event import (
    async_track_entity_registry_updated_event,
    async_track_state_change_event,
)
from homeassistant.helpers.start import async_at_started

from ..const import CONF_READINGS, DOMAIN
from ..entry_data import NrjConfigEntry
from ..issues.monitor import LEARN_MORE
from ..loads.settings import ENTITY_FIELDS, load_entries
from .references import CONF_REGISTRY_IDS, entities_in
from .registry import async_follow, with_registry_ids

READING_FIELDS: Final = (CONF_READINGS,)


@dataclass(frozen=True, slots=True, kw_only=True)
class _User:
    """A meter or a load, and the entities it uses."""

    kind: str
    id: str
    name: str
    data: Mapping[str, Any]
    fields: Collection[str]

    @property
    def entity_ids(self) -> tuple[str, ...]:
        return entities_in(self.data, self.fields)


def _users(entry: NrjConfigEntry) -> Iterator[_User]:
    """Yield the meter of an entry and its loads."""
    yield _User(
        kind="meter",
        id=entry.entry_id,
        name=entry.title,
        data=entry.data,
        fields=READING_FIELDS,
    )
    for load in load_entries(entry):
        yield _User(
            kind="load",
            id=load.subentry_id,
            name=load.title,
            data=load.data,
            fields=ENTITY_FIELDS,
        )


@callback
def async_update_links(hass: HomeAssistant, entry: NrjConfigEntry) -> bool:
    """Bring the stored entities up to date; return whether one of the meter moved."""
    before = entry.data.get(CONF_READINGS)
    known: Mapping[str, str] = entry.data.get(CONF_REGISTRY_IDS, {})
    data, ids = async_follow(hass, entry.data, READING_FIELDS, known)
    loads = []
    for load in load_entries(entry):
        load_data, load_ids = async_follow(hass, load.data, ENTITY_FIELDS, known)
        loads.append((load, load_data))
        ids |= load_ids
    hass.config_entries.async_update_entry(entry, data=with_registry_ids(data, ids))
    for load, load_data in loads:
        hass.config_entries.async_update_subentry(entry, load, data=load_data)
    return before != entry.data.get(CONF_READINGS)


class EntityLinks:
    """Watches the entities of a meter and its loads while the entry is loaded."""

    def __init__(self, hass: HomeAssistant, entry: NrjConfigEntry) -> None:
        """Initialize the watch over the entities of `entry`."""
        self._hass = hass
        self._entry = entry
        self._raised: set[str] = set()

    @callback
    def async_start(self) -> None:
        """Watch from now on, until the entry is unloaded."""
        hass, unload = self._hass, self._entry.async_on_unload
        used = {id_ for user in _users(self._entry) for id_ in user.entity_ids}
        unload(self._async_delete_issues)
        unload(async_track_entity_registry_updated_event(hass, used, self._on_registry))
        unload(async_track_state_change_event(hass, used, self._on_state))
        unload(async_at_started(hass, self._on_started))

    @callback
    def _on_started(self, _: HomeAssistant) -> None:
        self._async_update_issues()

    @callback
    def _on_registry(self, _: Event[er.EventEntityRegistryUpdatedData]) -> None:
        if async_update_links(self._hass, self._entry):
            self._hass.config_entries.async_schedule_reload(self._entry.entry_id)
        self._async_update_issues()

    @callback
    def _on_state(self, event: Event[EventStateChangedData]) -> None:
        if event.data["old_state"] is None or event.data["new_state"] is None:
            self._async_update_issues()

    @callback
    def _async_update_issues(self) -> None:
        """Raise an issue for each entity that is gone; delete those that are solved."""
        raised = set()
        for user in _users(self._entry):
            for entity_id in user.entity_ids:
                if (what := self._loss(entity_id)) is None:
                    continue
                key = f"{user.kind}_entity_{what}"
                raised.add(issue_id := f"{key}_{user.id}_{entity_id}")
                ir.async_create_issue(
                    self._hass,
                    DOMAIN,
                    issue_id,
                    is_fixable=False,
                    is_persistent=False,
                    learn_more_url=LEARN_MORE,
                    severity=ir.IssueSeverity.WARNING,
                    translation_key=key,
                    translation_placeholders={
                        "entity": entity_id,
                        "name": user.name,
                        "meter": self._entry.title,
                    },
                )
        for issue_id in self._raised - raised:
            ir.async_delete_issue(self._hass, DOMAIN, issue_id)
        self._raised = raised

    def _loss(self, entity_id: str) -> str | None:
        """Return whether an entity was removed or disabled, None if it is there.

        Entities that no registry knows may come late while Home Assistant starts.
        """
        entity = er.async_get(self._hass).async_get(entity_id)
        if entity is not None:
            return "disabled" if entity.disabled else None
        if self._hass.states.get(entity_id) is not None:
            return None
        was_registered = entity_id in self._entry.data.get(CONF_REGISTRY_IDS, {})
        is_started = self._hass.state is CoreState.running
        return "removed" if was_registered or is_started else None

    @callback
    def _async_delete_issues(self) -> None:
        for issue_id in self._raised:
            ir.async_delete_issue(self._hass, DOMAIN, issue_id)
        self._raised.clear()

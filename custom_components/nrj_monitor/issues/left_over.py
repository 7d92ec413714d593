"""Issue of entities that the firmware of a meter no longer has, and its repair."""

from typing import Any, Final

from homeassistant import data_entry_flow
from homeassistant.components.repairs import RepairsFlow
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, issue_registry as ir
import probatio as vol

from ..const import CONF_SOURCE, DOMAIN, SOURCE_NATIVE_API
from ..device_text import plain
from ..entry_data import NrjConfigEntry

LEFT_OVER: Final = "left_over_entities"
"""Key of the issue."""

NOT_OF_FIRMWARE: Final = frozenset({"dry_run"})
"""Keys of entities that come and go with a meter's loads."""


@callback
def left_over_entities(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> list[er.RegistryEntry]:
    """Return the registered entities of a meter that were not made in this set-up.

    Those of loads and brokers, which are subentries, are never among them.
    """
    meter = entry.runtime_data.meter
    prefix = f"{meter.description.mac}_"
    provided = meter.entity_keys | NOT_OF_FIRMWARE
    registry = er.async_get(hass)
    return sorted(
        (
            entity
            for entity in er.async_entries_for_config_entry(registry, entry.entry_id)
            if entity.config_subentry_id is None
            and entity.unique_id.startswith(prefix)
            and entity.unique_id.removeprefix(prefix) not in provided
        ),
        key=lambda entity: entity.entity_id,
    )


def _as_list(entities: list[er.RegistryEntry]) -> str:
    return "\n".join(
        f"- {plain(entity.name or entity.original_name or entity.entity_id)}"
        f" (`{entity.entity_id}`)"
        for entity in entities
    )


@callback
def async_watch_left_over(hass: HomeAssistant, entry: NrjConfigEntry) -> None:
    """Raise the issue, or delete it, each time the link to the meter comes up.

    Until then nobody knows what its firmware has. Where that is no longer what the
    entities were made from, they are about to be made anew.
    """
    if entry.data[CONF_SOURCE] != SOURCE_NATIVE_API:
        return
    meter = entry.runtime_data.meter
    made_from = meter.description.as_dict()

    @callback
    def look() -> None:
        if not meter.connected or meter.description.as_dict() != made_from:
            return
        entities = left_over_entities(hass, entry)
        if not entities:
            async_delete_left_over_issue(hass, entry.entry_id)
            return
        ir.async_create_issue(
            hass,
            DOMAIN,
            f"{LEFT_OVER}_{entry.entry_id}",
            data={"entry_id": entry.entry_id, "check": LEFT_OVER},
            is_fixable=True,
            is_persistent=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=LEFT_OVER,
            translation_placeholders={
                "name": plain(entry.title),
                "entities": _as_list(entities),
            },
        )

    entry.async_on_unload(meter.async_add_connection_listener(look))
    look()


@callback
def async_delete_left_over_issue(hass: HomeAssistant, entry_id: str) -> None:
    """Delete the issue of a meter."""
    ir.async_delete_issue(hass, DOMAIN, f"{LEFT_OVER}_{entry_id}")


class LeftOverRepairFlow(RepairsFlow):
    """Shows the entities that the firmware no longer has, and removes them on consent."""

    def __init__(self, entry: NrjConfigEntry) -> None:
        """Initialize the flow for the meter of `entry`."""
        self._entry = entry

    async def async_step_init(
        self, user_input: dict[str, str] | None = None
    ) -> data_entry_flow.FlowResult[Any, Any]:
        """Show the form."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> data_entry_flow.FlowResult[Any, Any]:
        """Ask for consent, then remove the entities."""
        if self._entry.state is not ConfigEntryState.LOADED:
            raise data_entry_flow.AbortFlow("not_there")
        entities = left_over_entities(self.hass, self._entry)
        errors = {}
        if user_input is not None:
            if self._entry.runtime_data.meter.connected:
                registry = er.async_get(self.hass)
                for entity in entities:
                    registry.async_remove(entity.entity_id)
                return self.async_create_entry(title="", data={})
            errors["base"] = "link_down"
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema({}),
            errors=errors,
            description_placeholders={
                "name": plain(self._entry.title),
                "entities": _as_list(entities),
            },
        )

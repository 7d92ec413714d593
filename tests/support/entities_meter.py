"""Add a meter made of entities in a person's way."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, section

from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from tests.conftest import decline_the_offer


def tell(hass: HomeAssistant, states: Mapping[str, tuple[float | str, str]]) -> None:
    """Let other integrations tell their states."""
    for entity_id, (value, unit) in states.items():
        hass.states.async_set(
            entity_id, str(value), {"unit_of_measurement": unit}, force_update=True
        )


async def begin(
    hass: HomeAssistant, phases: str, device_id: str | None = None
) -> ConfigFlowResult:
    """Begin to add a meter made of entities."""
    menu = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    form = await hass.config_entries.flow.async_configure(
        menu["flow_id"], {"next_step_id": "entities"}
    )
    return await start(hass, form, phases, device_id)


async def start(
    hass: HomeAssistant,
    form: ConfigFlowResult,
    phases: str,
    device_id: str | None = None,
    **more: Any,
) -> ConfigFlowResult:
    """Fill in the first form."""
    answers: dict[str, Any] = {"name": "House", "phases": phases, **more}
    if device_id is not None:
        answers["device_id"] = device_id
    return await hass.config_entries.flow.async_configure(form["flow_id"], answers)


async def fill_in(
    hass: HomeAssistant, form: ConfigFlowResult, answers: Mapping[str, Any]
) -> ConfigFlowResult:
    """Fill in the form of the entities, each answer in the section of its field."""
    assert form["step_id"] == "entities_of"
    left = dict(answers)
    nested: dict[str, Any] = {}
    for key, value in schema_of(form).items():
        if isinstance(value, section):
            fields = [field for field in map(str, value.schema.schema) if field in left]
            nested[str(key)] = {field: left.pop(field) for field in fields}
    return await hass.config_entries.flow.async_configure(
        form["flow_id"], nested | left
    )


def schema_of(form: ConfigFlowResult) -> dict[Any, Any]:
    """Return the fields and sections of a form."""
    schema = form["data_schema"]
    assert schema is not None
    return dict(schema.schema)


def shown(form: ConfigFlowResult) -> dict[str, Any]:
    """Return the answers that the form of the entities shows, those of sections too."""
    answers: dict[str, Any] = {}
    for key, value in schema_of(form).items():
        fields = value.schema.schema if isinstance(value, section) else {key: value}
        for field in fields:
            if (known := (field.description or {}).get("suggested_value")) is not None:
                answers[str(field)] = known
    return answers


async def confirm(hass: HomeAssistant, form: ConfigFlowResult) -> NrjConfigEntry:
    """End the dialogue."""
    assert form["step_id"] == "entities_confirm"
    result = await hass.config_entries.flow.async_configure(form["flow_id"], {})
    result = await decline_the_offer(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    entry: NrjConfigEntry = result["result"]
    return entry


async def add_entities(
    hass: HomeAssistant, phases: str, answers: Mapping[str, Any]
) -> NrjConfigEntry:
    """Add a meter made of the entities in `answers`."""
    form = await fill_in(hass, await begin(hass, phases), answers)
    return await confirm(hass, form)


async def reconfigure(hass: HomeAssistant, entry: ConfigEntry) -> ConfigFlowResult:
    """Open the first form to reconfigure a meter."""
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )

"""Dialogue of a load: errors stand beside their field."""

from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from custom_components.nrj_monitor.loads.settings import SUBENTRY_LOAD
from tests.loads.conftest import DEFAULTS, AddLoad


@pytest.mark.parametrize(
    ("wrong", "errors"),
    [
        ({"class": "never_shed", "when_lost": "off"}, {"when_lost": "never_shed_off"}),
        ({"entity": "input_number.car"}, {"value_on": "values_missing"}),
        (
            {"entity": "number.car", "value_on": 6, "value_off": 6},
            {"value_on": "values_missing"},
        ),
        (
            {
                "entity": "number.car",
                "class": "surplus",
                "value_on": 16,
                "value_off": 6,
                "value_least": 6,
            },
            {"value_least": "out_of_range"},
        ),
        ({"entity": "input_boolean.heater"}, {"entity": "already_a_load"}),
        ({"entity": "switch.nothing"}, {"entity": "no_such_entity"}),
    ],
)
async def test_what_is_wrong_is_said(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    add_load: AddLoad,
    wrong: dict[str, Any],
    errors: dict[str, str],
) -> None:
    """The form comes back, and can be sent again."""
    await add_load("heater")
    menu = await hass.config_entries.subentries.async_init(
        (entry.entry_id, SUBENTRY_LOAD), context={"source": SOURCE_USER}
    )
    form = await hass.config_entries.subentries.async_configure(
        menu["flow_id"], {"next_step_id": "load_entity"}
    )
    answers = {"name": "X", "entity": "input_boolean.boiler", **DEFAULTS}
    form = await hass.config_entries.subentries.async_configure(
        form["flow_id"], answers | wrong
    )
    assert form["type"] is FlowResultType.FORM
    assert form["errors"] == errors
    result = await hass.config_entries.subentries.async_configure(
        form["flow_id"], answers
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


async def test_a_load_is_changed(
    hass: HomeAssistant, entry: NrjConfigEntry, add_load: AddLoad
) -> None:
    """The form opens with the present settings; the arbiter uses the new settings."""
    load_id = await add_load("heater")
    script_id = await add_load(
        "pump", script_on="script.pump_on", script_off="script.pump_off"
    )
    for which, step in ((load_id, "load_entity"), (script_id, "load_scripts")):
        form = await hass.config_entries.subentries.async_init(
            (entry.entry_id, SUBENTRY_LOAD),
            context={"source": SOURCE_RECONFIGURE, "subentry_id": which},
        )
        assert form["step_id"] == step
        data = {"name": "New", **entry.subentries[which].data, "class": "shed_3"}
        result = await hass.config_entries.subentries.async_configure(
            form["flow_id"], data
        )
        assert result["type"] is FlowResultType.ABORT
        await hass.async_block_till_done()
        assert entry.subentries[which].title == "New"
    state = hass.states.get("sensor.heater_activity")
    assert state is not None
    assert state.attributes["load_class"] == "shed_3"

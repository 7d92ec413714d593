"""Dialogue of a load: errors stand beside their field, or at the section it is in."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from tests.conftest import AddMeter
from tests.loads.conftest import DEFAULTS, AddLoad
from tests.loads.dialogue import answers_of, async_answer, async_open, async_reopen
from tests.support.device import Device, DeviceServer

OPTIONS = {"options": ["Eco", "Comfort", "Away"]}


@pytest.mark.parametrize(
    ("wrong", "errors"),
    [
        ({"class": "never_shed", "when_lost": "off"}, {"safety": "never_shed_off"}),
        ({"entity": "input_number.car"}, {"values": "values_missing"}),
        (
            {"entity": "number.car", "value_on": 6, "value_off": 6},
            {"values": "values_missing"},
        ),
        (
            {
                "entity": "number.car",
                "class": "surplus",
                "value_on": 16,
                "value_off": 6,
                "value_least": 6,
            },
            {"values": "out_of_range"},
        ),
        ({"entity": "select.floor"}, {"values": "options_missing"}),
        (
            {"entity": "select.floor", "option_on": "Eco", "option_off": "Eco"},
            {"values": "options_missing"},
        ),
        (
            {"entity": "select.floor", "option_on": "comfort", "option_off": "Eco"},
            {"values": "options_missing"},
        ),
        ({"entity": "input_boolean.heater"}, {"entity": "already_a_load"}),
        ({"entity": "switch.nothing"}, {"entity": "no_such_entity"}),
        ({"entity": "switch.nothing", "name": ""}, {"name": "name_missing"}),
        ({"power_sensor": "sensor.nothing"}, {"power_sensor": "no_such_entity"}),
        (
            {"safety_entity": "binary_sensor.nothing"},
            {"safety": "no_such_safety_entity"},
        ),
        ({"name": "HEATER"}, {"name": "name_taken"}),
    ],
)
async def test_what_is_wrong_is_said(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    add_load: AddLoad,
    wrong: dict[str, Any],
    errors: dict[str, str],
) -> None:
    """The form comes back with its answers, and can be sent again."""
    await add_load("heater")
    hass.states.async_set("select.floor", "Eco", OPTIONS)
    form = await async_open(hass, entry)
    answers = {"name": "X", "entity": "input_boolean.boiler", **DEFAULTS}
    form = await async_answer(hass, form, answers | wrong)
    assert form["type"] is FlowResultType.FORM
    assert form["errors"] == errors
    assert form["data_schema"] is not None
    opened = {
        str(marker)
        for marker, part in form["data_schema"].schema.items()
        if hasattr(part, "options") and not part.options["collapsed"]
    }
    assert opened == set(errors) & {"times", "values", "safety"}
    result = await async_answer(hass, form, answers)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_name_is_of_one_load_in_the_house(
    hass: HomeAssistant, entry: NrjConfigEntry, add_load: AddLoad, add_meter: AddMeter
) -> None:
    """A name of another meter's load is taken; a load keeps its own."""
    load_id = await add_load("heater")
    async with DeviceServer(Device(mac="02:00:00:00:00:99")) as garage:
        other = await add_meter(garage.port)
        answers = {"name": "heater ", "entity": "input_boolean.boiler", **DEFAULTS}
        form = await async_answer(hass, await async_open(hass, other), answers)
        assert form["errors"] == {"name": "name_taken"}
        assert await hass.config_entries.async_unload(other.entry_id)
    form = await async_reopen(hass, entry, load_id)
    data = {"name": "Heater", **entry.subentries[load_id].data, "priority": 7}
    assert (await async_answer(hass, form, data))["type"] is FlowResultType.ABORT
    assert entry.subentries[load_id].data["priority"] == 7


async def test_a_load_is_called_as_its_entity(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """Without a name the load has that of the entity, or of the first script."""
    hass.states.async_set("switch.pool", "on", {"friendly_name": "Pool pump"})
    for script in ("on", "off"):
        hass.states.async_set(f"script.car_{script}", "off", {"friendly_name": "Car"})
    form = await async_open(hass, entry)
    result = await async_answer(hass, form, {"entity": "switch.pool", **DEFAULTS})
    assert result["title"] == "Pool pump"
    form = await async_open(hass, entry, "load_scripts")
    scripts = {"script_on": "script.car_on", "script_off": "script.car_off"}
    result = await async_answer(hass, form, {**scripts, **DEFAULTS})
    assert result["title"] == "Car"


async def test_a_load_that_is_never_shed_is_said_to_do_nothing(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """A fresh load that stays never-shed is asked about; its answers are kept."""
    answers = {"name": "Fridge", "entity": "input_boolean.heater", **DEFAULTS}
    form = await async_open(hass, entry)
    menu = await hass.config_entries.subentries.async_configure(
        form["flow_id"], answers_of(answers | {"class": "never_shed", "power": 150})
    )
    assert menu["type"] is FlowResultType.MENU
    assert menu["description_placeholders"] == {"name": "Fridge"}
    form = await hass.config_entries.subentries.async_configure(
        menu["flow_id"], {"next_step_id": "load_entity"}
    )
    assert form["data_schema"] is not None
    suggested = {
        str(marker): marker.description["suggested_value"]
        for marker in form["data_schema"].schema
        if marker.description
    }
    assert suggested["name"] == "Fridge"
    assert suggested["power"] == 150
    result = await async_answer(hass, form, answers)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["class"] == "shed_1"


async def test_the_second_of_two_options_is_found(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """Of a choice of two the option that is left out is the other one."""
    hass.states.async_set("select.tank", "Off", {"options": ["Off", "Boost"]})
    form = await async_open(hass, entry)
    answers = {"name": "Tank", "entity": "select.tank", "option_on": "Boost"}
    result = await async_answer(hass, form, {**DEFAULTS, **answers})
    assert result["data"]["option_off"] == "Off"


async def test_a_load_is_changed(
    hass: HomeAssistant, entry: NrjConfigEntry, add_load: AddLoad
) -> None:
    """The form opens with the present settings; the arbiter uses the new settings."""
    for script in ("script.pump_on", "script.pump_off"):
        hass.states.async_set(script, "off")
    load_id = await add_load("heater")
    script_id = await add_load(
        "pump", script_on="script.pump_on", script_off="script.pump_off"
    )
    for which, step in ((load_id, "load_entity"), (script_id, "load_scripts")):
        form = await async_reopen(hass, entry, which)
        assert form["step_id"] == step
        name = f"New {step}"
        data = {"name": name, **entry.subentries[which].data, "class": "shed_3"}
        result = await async_answer(hass, form, data)
        assert result["type"] is FlowResultType.ABORT
        assert entry.subentries[which].title == name
    state = hass.states.get("sensor.heater_activity")
    assert state is not None
    assert state.attributes["load_class"] == "shed_3"

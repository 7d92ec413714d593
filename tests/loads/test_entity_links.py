"""Entities of loads: what is switched, what measures it and what cuts it off."""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from custom_components.nrj_monitor.frequency_guard.guard_state import GuardState
from tests.entity_links.test_meter_entities import missed, rename
from tests.loads.conftest import AddLoad, Guard, Pass

PLUG, POWER, LEAK = "switch.plug", "sensor.plug_power", "binary_sensor.leak"


@pytest.fixture
async def load_id(hass: HomeAssistant, guard: Guard, add_load: AddLoad) -> str:
    """Return a load whose entities are all registered."""
    registry = er.async_get(hass)
    for entity_id, state in ((PLUG, "on"), (POWER, "1500"), (LEAK, "off")):
        domain, name = entity_id.split(".")
        registry.async_get_or_create(domain, "zha", name, object_id_base=name)
        hass.states.async_set(entity_id, state)
    return await add_load("pump", entity=PLUG, power_sensor=POWER, safety_entity=LEAK)


def stored(entry: NrjConfigEntry, load_id: str) -> Mapping[str, Any]:
    """Return the stored data of a load."""
    return entry.subentries[load_id].data


async def test_renamed_entities_of_a_load_are_followed(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    load_id: str,
    guard: Guard,
    let_pass: Pass,
) -> None:
    """It is measured, cut off and switched under its new names."""
    rename(hass, PLUG, "switch.pump")
    await hass.async_block_till_done()
    rename(hass, POWER, "sensor.pump_watts")
    await hass.async_block_till_done()
    rename(hass, LEAK, "binary_sensor.cellar")
    await hass.async_block_till_done()
    data = stored(entry, load_id)
    assert data["entity"] == "switch.pump"
    assert data["power_sensor"] == "sensor.pump_watts"
    assert data["safety_entity"] == "binary_sensor.cellar"
    assert not missed(hass)
    await let_pass(2)
    loads = entry.runtime_data.loads
    assert loads is not None
    assert loads.devices[load_id].power == 1500
    calls = async_mock_service(hass, "switch", "turn_off")
    hass.states.async_set("binary_sensor.cellar", "on")
    await let_pass(2)
    assert calls[0].data["entity_id"] in ("switch.pump", ["switch.pump"])


async def test_a_shed_load_is_given_back_under_its_new_name(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    load_id: str,
    guard: Guard,
    let_pass: Pass,
) -> None:
    """What it was shed for outlives the rename, loaded or not."""

    async def turn_off(call: ServiceCall) -> None:
        hass.states.async_set(call.data["entity_id"], "off", context=call.context)

    hass.services.async_register("switch", "turn_off", turn_off)
    guard.state = GuardState.SHED_1
    await let_pass(2)
    assert hass.states.is_state(PLUG, "off")
    rename(hass, PLUG, "switch.pump")
    await hass.async_block_till_done()
    await let_pass(2)
    assert hass.states.is_state("sensor.pump_activity", "shed_under_frequency")
    # Removed while it is shed, and renamed once more before it is given back.
    assert await hass.config_entries.async_unload(entry.entry_id)
    rename(hass, "switch.pump", "switch.well")
    calls = async_mock_service(hass, "switch", "turn_on")
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert calls[0].data["entity_id"] in ("switch.well", ["switch.well"])


async def test_a_removed_entity_of_a_load_is_to_be_repaired(
    hass: HomeAssistant, entry: NrjConfigEntry, load_id: str
) -> None:
    """The repair names entity, load and meter, and goes with the load."""
    registry = er.async_get(hass)
    registry.async_remove(LEAK)
    hass.states.async_remove(LEAK)
    registry.async_update_entity(POWER, disabled_by=er.RegistryEntryDisabler.USER)
    await hass.async_block_till_done()
    named = {"name": "Pump", "meter": "NRJ Meter"}
    assert missed(hass) == {
        "load_entity_removed": {"entity": LEAK, **named},
        "load_entity_disabled": {"entity": POWER, **named},
    }
    hass.config_entries.async_remove_subentry(entry, load_id)
    await hass.async_block_till_done()
    assert not missed(hass)


async def test_scripts_of_a_load_are_followed(
    hass: HomeAssistant, entry: NrjConfigEntry, add_load: AddLoad
) -> None:
    """Renamed while the meter is not loaded, as after a restore."""
    registry = er.async_get(hass)
    for name in ("heat", "stop"):
        registry.async_get_or_create("script", "script", name, object_id_base=name)
        hass.states.async_set(f"script.{name}", "off")
    load_id = await add_load("stove", script_on="script.heat", script_off="script.stop")
    assert await hass.config_entries.async_unload(entry.entry_id)
    rename(hass, "script.heat", "script.warm")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert stored(entry, load_id)["script_on"] == "script.warm"
    assert stored(entry, load_id)["script_off"] == "script.stop"


async def test_a_real_entity_renamed_while_it_is_shed_comes_back(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    guard: Guard,
    add_load: AddLoad,
    let_pass: Pass,
) -> None:
    """Home Assistant takes its state away for a moment; nobody has switched it."""
    load_id = await add_load("heater")
    await let_pass(2)
    guard.state = GuardState.SHED_1
    await let_pass(2)
    assert hass.states.is_state("input_boolean.heater", "off")
    er.async_get(hass).async_update_entity(
        "input_boolean.heater", new_entity_id="input_boolean.stove"
    )
    await hass.async_block_till_done()
    assert stored(entry, load_id)["entity"] == "input_boolean.stove"
    await let_pass(2)
    assert hass.states.is_state("sensor.heater_activity", "shed_under_frequency")
    guard.state = GuardState.NORMAL
    await let_pass(400, 5.0)
    assert hass.states.is_state("input_boolean.stove", "on")
    assert hass.states.is_state("sensor.heater_activity", "running")

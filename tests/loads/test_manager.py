"""From the meter's readings to the switches of the house."""

import asyncio
from collections.abc import Awaitable, Callable
import json
from typing import Any

from homeassistant.core import Context, Event, HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
import pytest
from pytest_homeassistant_custom_component.common import MockUser, async_mock_service

from custom_components.nrj_monitor.catalog import CHANNELS
from custom_components.nrj_monitor.const import CONF_CONTRACT, CONF_MAIN_FUSE, DOMAIN
from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from custom_components.nrj_monitor.frequency_guard.guard_state import GuardState
from custom_components.nrj_monitor.loads import manager as manager
from custom_components.nrj_monitor.loads.store import DELAY
from custom_components.nrj_monitor.logbook import describe_load
from tests.loads.conftest import AddLoad, Guard, Pass, a_second_passes
from tests.support.device import DeviceServer
from tests.support.pace import patience
from tests.support.states import state_is, state_where

type Stored = Callable[[], Awaitable[dict[str, Any]]]

HEATER = "input_boolean.heater"
BOILER = "input_boolean.boiler"


async def test_a_load_goes_off_and_comes_back(
    hass: HomeAssistant,
    add_load: AddLoad,
    guard: Guard,
    let_pass: Pass,
    load_events: list[Event[Any]],
) -> None:
    """A sensor shows activity and reason; each decision is an event."""
    load_id = await add_load("heater")
    await let_pass(2)
    assert hass.states.is_state("sensor.heater_activity", "running")
    assert hass.states.is_state("event.heater_decision", "unknown"), "nothing to tell"
    assert not load_events
    guard.state = GuardState.SHED_1
    await let_pass(2)
    assert hass.states.is_state(HEATER, "off")
    state = hass.states.get("sensor.heater_activity")
    assert state is not None
    assert state.state == "shed_under_frequency"
    assert state.attributes["reason"] == "under_frequency"
    assert state.attributes["asked"] is True
    event = load_events[-1].data
    assert (event["action"], event["name"], event["load_id"]) == (
        "shed",
        "Heater",
        load_id,
    )
    assert describe_load(hass, event) == "Off: the grid is low"
    decision = hass.states.get("event.heater_decision")
    assert decision is not None
    assert decision.attributes["event_type"] == "shed"
    await let_pass(1800, 5.0)
    energy = hass.states.get("sensor.heater_energy_shed")
    assert energy is not None
    # 2 kW for half an hour, and what was before.
    assert float(energy.state) == pytest.approx(1.0, abs=0.01)
    guard.state = GuardState.NORMAL
    await let_pass(320, 5.0)
    assert hass.states.is_state(HEATER, "on")
    assert hass.states.is_state("sensor.heater_activity", "running")
    assert "restore" in [event.data["action"] for event in load_events]
    await let_pass(900, 5.0)
    back = hass.states.get("sensor.heater_energy_restored")
    assert back is not None
    # 2 kW for a quarter of an hour, and for what the random delay left of 320 s.
    assert 0.49 < float(back.state) < 2 * (900 + 320) / 3600


async def test_a_person_and_an_automation(
    hass: HomeAssistant,
    hass_admin_user: MockUser,
    add_load: AddLoad,
    guard: Guard,
    let_pass: Pass,
) -> None:
    """A person's switch holds; an automation's is undone."""
    await add_load("heater", minimum_off=0)
    guard.state = GuardState.SHED_1
    await let_pass(2)
    await hass.services.async_call(
        "input_boolean",
        "turn_on",
        {"entity_id": HEATER},
        blocking=True,
        context=Context(parent_id="an-automation"),
    )
    await let_pass(2)
    assert hass.states.is_state(HEATER, "off")
    await hass.services.async_call(
        "input_boolean",
        "turn_on",
        {"entity_id": HEATER},
        blocking=True,
        context=Context(user_id=hass_admin_user.id),
    )
    await let_pass(60)
    assert hass.states.is_state(HEATER, "on")
    assert hass.states.is_state("sensor.heater_activity", "overridden_on")


async def test_the_surplus_reaches_the_boiler(
    hass: HomeAssistant, add_load: AddLoad, let_pass: Pass, server: DeviceServer
) -> None:
    """From the readings of the meter, over the native API, to the switch."""
    await add_load("boiler", **{"class": "surplus", "phase": "l1"})
    server.measure(active_power=-3000.0, active_power_l1=-3000.0)
    await state_is(hass, "sensor.nrj_meter_active_power", "-3000.0")
    await let_pass(70)
    assert hass.states.is_state(BOILER, "on")
    assert hass.states.is_state("sensor.boiler_activity", "surplus")
    server.measure(active_power=-900.0, active_power_l1=-900.0)
    await state_is(hass, "sensor.nrj_meter_active_power", "-900.0")
    await let_pass(1800, 5.0)
    energy = hass.states.get("sensor.boiler_energy_absorbed")
    assert energy is not None
    assert float(energy.state) == pytest.approx(1.0, abs=0.05)


async def test_limits_from_the_options(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    add_load: AddLoad,
    let_pass: Pass,
    server: DeviceServer,
) -> None:
    """The contract is exceeded: the heater goes off; in vain, which is said."""
    await add_load("heater", priority=1)
    await add_load("boiler", **{"class": "shed_2"})
    await hass.services.async_call(
        "input_boolean", "turn_on", {"entity_id": BOILER}, blocking=True
    )
    form = await hass.config_entries.options.async_init(entry.entry_id)
    await hass.config_entries.options.async_configure(
        form["flow_id"],
        {
            CONF_CONTRACT: 6,
            "contract_tolerance": "strict",
            CONF_MAIN_FUSE: 25,
            "grid_profile": "island_50",
        },
    )
    await hass.async_block_till_done()
    server.measure(active_power=6500.0)
    await state_is(hass, "sensor.nrj_meter_active_power", "6500.0")
    await let_pass(15)
    assert hass.states.is_state(HEATER, "off")
    assert hass.states.is_state("sensor.heater_activity", "shed_overload")
    await let_pass(25)
    issues = ir.async_get(hass).issues
    assert (DOMAIN, f"load_futile_{entry.entry_id}") in issues
    server.measure(active_power=100.0)
    await state_is(hass, "sensor.nrj_meter_active_power", "100.0")
    await let_pass(1500, 5.0)
    assert (DOMAIN, f"load_futile_{entry.entry_id}") not in ir.async_get(hass).issues
    assert hass.states.is_state(HEATER, "on")
    assert hass.states.is_state(BOILER, "on")


async def test_sheds_for_the_grid_in_vain_are_to_be_repaired(
    hass: HomeAssistant,
    add_load: AddLoad,
    guard: Guard,
    let_pass: Pass,
    server: DeviceServer,
) -> None:
    """A shed without effect gives an issue, and the next load stays on."""
    await add_load("heater")
    await add_load("router", **{"class": "shed_2"})
    server.measure(active_power=500.0)
    await state_is(hass, "sensor.nrj_meter_active_power", "500.0")
    guard.state = GuardState.SHED_1
    await let_pass(20)
    issues = ir.async_get(hass).issues
    assert [key[1] for key in issues if "no_relief" in key[1]]
    guard.state = GuardState.SHED_2
    await let_pass(20)
    assert hass.states.is_state(HEATER, "off")
    assert hass.states.is_state("input_boolean.router", "on")
    guard.state = GuardState.NORMAL
    await let_pass(2)
    assert not [key for key in issues if "no_relief" in key[1]]


async def test_a_dry_run_touches_nothing(
    hass: HomeAssistant,
    add_load: AddLoad,
    guard: Guard,
    let_pass: Pass,
    load_events: list[Event[Any]],
) -> None:
    """A dry run shows decisions; shed loads return first."""
    await add_load("heater", minimum_off=0)
    guard.state = GuardState.SHED_1
    await let_pass(2)
    assert hass.states.is_state(HEATER, "off")
    switch = {"entity_id": "switch.nrj_meter_dry_run_of_the_loads"}
    await hass.services.async_call("switch", "turn_on", switch, blocking=True)
    assert hass.states.is_state(HEATER, "on")
    await let_pass(30)
    assert hass.states.is_state(HEATER, "on")
    assert hass.states.is_state("sensor.heater_activity", "shed_under_frequency")
    assert load_events[-1].data["dry_run"] is True
    assert describe_load(hass, load_events[-1].data) == "Off: the grid is low (dry run)"
    await hass.services.async_call("switch", "turn_on", switch, blocking=True)
    await hass.services.async_call("switch", "turn_off", switch, blocking=True)
    await let_pass(3)
    assert hass.states.is_state(HEATER, "off")


async def test_a_dry_run_counts_what_would_be_off(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    add_load: AddLoad,
    let_pass: Pass,
    server: DeviceServer,
) -> None:
    """An overload would have been relieved, so shedding is not given up."""
    await add_load("heater", phase="l1")
    hass.config_entries.async_update_entry(entry, options={CONF_CONTRACT: 6})
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.services.async_call(
        "switch",
        "turn_on",
        {"entity_id": "switch.nrj_meter_dry_run_of_the_loads"},
        blocking=True,
    )
    server.measure(active_power=7000.0, active_power_l1=7000.0)
    await state_is(hass, "sensor.nrj_meter_active_power", "7000.0")
    await let_pass(60)
    assert hass.states.is_state("sensor.heater_activity", "shed_overload")
    assert hass.states.is_state(HEATER, "on")
    assert not [key for key in ir.async_get(hass).issues if "futile" in key[1]]


@pytest.fixture
def stored_of(hass: HomeAssistant, hass_storage: dict[str, Any]) -> Stored:
    """Return the stored data after the delay of the store."""

    async def stored() -> dict[str, Any]:
        await asyncio.sleep(DELAY + 0.1)
        await hass.async_block_till_done()
        (entry,) = hass.config_entries.async_entries(DOMAIN)
        kept: dict[str, Any] = hass_storage[f"{DOMAIN}.loads.{entry.entry_id}"]["data"]
        return kept

    return stored


async def test_a_kill_loses_neither_what_was_shed_nor_a_dry_run(
    hass: HomeAssistant,
    add_load: AddLoad,
    guard: Guard,
    let_pass: Pass,
    stored_of: Stored,
) -> None:
    """A kill just after a decision loses neither sheds nor the dry run."""
    load_id = await add_load("heater")
    guard.state = GuardState.SHED_1
    await let_pass(2)
    stored = await stored_of()
    assert stored["arbiter"][load_id]["asked"] is True
    assert stored["arbiter"][load_id]["to_restore"] is True
    await let_pass(1000, 5.0)
    stored = await stored_of()
    # 2 kW for a quarter of an hour.
    assert stored["accounts"][load_id]["shed"] == pytest.approx(0.5, abs=0.06)
    switch = {"entity_id": "switch.nrj_meter_dry_run_of_the_loads"}
    await hass.services.async_call("switch", "turn_on", switch, blocking=True)
    assert (await stored_of())["dry_run"] is True


async def test_a_restart_brings_back_what_was_shed(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    add_load: AddLoad,
    guard: Guard,
    let_pass: Pass,
) -> None:
    """Shed before, restored after: nothing is forgotten, the totals neither."""
    await add_load("heater")
    guard.state = GuardState.SHED_1
    await let_pass(400, 5.0)
    before = hass.states.get("sensor.heater_energy_shed")
    assert before is not None
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    after = hass.states.get("sensor.heater_energy_shed")
    assert after is not None
    assert float(after.state) == pytest.approx(float(before.state), abs=0.01)
    guard.state = GuardState.NORMAL
    await let_pass(400, 5.0)
    assert hass.states.is_state(HEATER, "on")


async def test_a_load_that_is_removed_is_given_back(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    add_load: AddLoad,
    guard: Guard,
    let_pass: Pass,
) -> None:
    """A removed load loses device and entities, and returns to its requested state."""
    load_id = await add_load("heater")
    await add_load("router", **{"class": "never_shed"})
    guard.state = GuardState.SHED_3
    await let_pass(5)
    assert hass.states.is_state(HEATER, "off")
    assert hass.states.is_state("input_boolean.router", "on")
    hass.config_entries.async_remove_subentry(entry, load_id)
    await hass.async_block_till_done()
    assert hass.states.is_state(HEATER, "on")
    assert er.async_get(hass).async_get("sensor.heater_activity") is None
    assert not [
        device
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
        if (DOMAIN, load_id) in device.identifiers
    ]


async def test_a_load_that_does_not_switch_is_complained_of(
    hass: HomeAssistant,
    add_load: AddLoad,
    guard: Guard,
    let_pass: Pass,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A failed command is repeated; the issue goes once the load switches."""
    hass.states.async_set("switch.deaf", "on")
    calls = async_mock_service(
        hass, "switch", "turn_off", raise_exception=HomeAssistantError("no radio")
    )
    load_id = await add_load("deaf", entity="switch.deaf")
    guard.state = GuardState.SHED_1
    await let_pass(130)
    assert len(calls) == 4
    assert "Deaf was not switched: no radio" in caplog.text
    assert hass.states.is_state("sensor.deaf_activity", "disobeying")
    issues = ir.async_get(hass).issues
    assert (DOMAIN, f"load_disobeys_{load_id}") in issues
    hass.states.async_set("switch.deaf", "off")
    await hass.async_block_till_done()
    await let_pass(2)
    assert (DOMAIN, f"load_disobeys_{load_id}") not in ir.async_get(hass).issues


async def test_time_passes_by_itself(
    hass: HomeAssistant,
    add_load: AddLoad,
    guard: Guard,
    clock: list[float],
) -> None:
    """A second of Home Assistant is a decision of the arbiter."""
    await add_load("heater")
    guard.state = GuardState.SHED_1
    clock[0] += 5
    await a_second_passes(hass)
    assert hass.states.is_state(HEATER, "off")


async def test_the_meter_is_lost(
    hass: HomeAssistant,
    add_load: AddLoad,
    let_pass: Pass,
    server: DeviceServer,
    load_events: list[Event[Any]],
) -> None:
    """Loads take their configured state while the meter is lost; entities stay available."""
    await add_load("heater", when_lost="off")
    await server.stop()
    await state_is(hass, "sensor.nrj_meter_active_power", "unavailable")
    await let_pass(70)
    assert hass.states.is_state(HEATER, "off")
    assert hass.states.is_state("sensor.heater_activity", "lost")
    notices = [event.data for event in load_events if event.data["action"] == "notice"]
    assert describe_load(hass, notices[0]).startswith("The meter is lost")


async def test_what_is_stored_is_json(
    hass: HomeAssistant, entry: NrjConfigEntry, add_load: AddLoad, let_pass: Pass
) -> None:
    """Whatever happened."""
    load_id = await add_load("heater")
    loads = entry.runtime_data.loads
    assert loads is not None
    loads.arbiter.override(load_id, True, 60.0, loads.now())
    await let_pass(2)
    json.dumps(loads._data())
    await state_where(
        hass, "sensor.heater_activity", lambda state: state.state == "overridden_on"
    )


async def test_the_meter_s_frequency_reaches_the_loads(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    add_load: AddLoad,
    server: DeviceServer,
    clock: list[float],
) -> None:
    """A meter without a guard of its own is guarded here."""
    server.device.sensors |= {"Frequency": 50.0, "Voltage L1": 230.0}
    assert await hass.config_entries.async_reload(entry.entry_id)
    await add_load("heater")
    grid = "sensor.nrj_meter_grid"

    async def measure(seconds: int, hertz: float) -> None:
        for _ in range(seconds):
            clock[0] += 1.0
            hertz += 1e-4
            server.measure(
                **dict.fromkeys(
                    (
                        "active_power",
                        *(f"active_power_{p}" for p in ("l1", "l2", "l3")),
                    ),
                    0.0,
                ),
                voltage_l1=230.0,
                frequency=hertz,
            )
            channel = CHANNELS["frequency"]
            async with asyncio.timeout(patience(5)):
                while entry.runtime_data.meter.snapshot.get(channel) != pytest.approx(
                    hertz, abs=1e-5
                ):
                    await asyncio.sleep(0.01)

    await measure(13, 50.0)
    await state_is(hass, grid, "normal")
    await measure(4, 49.7)
    await state_is(hass, grid, "shed_1")
    await state_is(hass, HEATER, "off")


async def test_actions_wait_for_slow_loads(
    hass: HomeAssistant, entry: NrjConfigEntry, add_load: AddLoad
) -> None:
    """The response has the state of a load after the command."""
    hass.states.async_set("switch.slow", "on")

    async def slowly(call: ServiceCall) -> None:
        await asyncio.sleep(0.05)
        hass.states.async_set("switch.slow", "off", context=call.context)

    hass.services.async_register("switch", "turn_off", slowly)
    await add_load("slow", entity="switch.slow")
    response = await hass.services.async_call(
        DOMAIN,
        "shed",
        {"load": "switch.slow"},
        blocking=True,
        return_response=True,
    )
    assert response is not None
    assert response["loads"]["switch.slow"]["on"] is False  # type: ignore[index, call-overload]
    assert hass.states.is_state("sensor.slow_activity", "overridden_off")

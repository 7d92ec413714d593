"""The current limit of a charger follows the surplus, from the meter to the number."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import groupby
from typing import Any

from homeassistant.core import Event, HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from custom_components.nrj_monitor.catalog import CHANNELS
from custom_components.nrj_monitor.const import EVENT_LOAD
from custom_components.nrj_monitor.demand import manager as demand_manager
from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from custom_components.nrj_monitor.logbook import async_describe_events, describe_load
from tests.loads.conftest import AddLoad, Guard, Pass
from tests.support.device import DeviceServer
from tests.support.pace import patience
from tests.support.states import state_is

CAR = "input_number.car"
OF_CAR = {
    "entity": CAR,
    "class": "surplus",
    "phase": "l1",
    "power": 3680,
    "value_on": 16,
    "value_off": 0,
    "value_least": 6,
    "value_step": 1,
}


@pytest.fixture(autouse=True)
async def car(hass: HomeAssistant, entry: NrjConfigEntry) -> None:
    """Set up a charger with a limit of 0 to 32 A."""
    assert await async_setup_component(
        hass, "input_number", {"input_number": {"car": {"min": 0, "max": 32}}}
    )


def amperes(hass: HomeAssistant) -> float:
    """Return the current limit of the charger, A."""
    state = hass.states.get(CAR)
    assert state is not None
    return float(state.state)


async def draw(hass: HomeAssistant, server: DeviceServer, watts: float) -> None:
    """Set the measured power, W."""
    server.measure(active_power=watts, active_power_l1=watts)
    await state_is(hass, "sensor.nrj_meter_active_power", str(watts))


async def tell(entry: NrjConfigEntry, server: DeviceServer, watts: float) -> None:
    """Have the meter tell a power, W, whether or not it is another one."""
    told = asyncio.Event()
    unsubscribe = entry.runtime_data.meter.async_add_reading_listener(
        CHANNELS["active_power"], lambda value, now: told.set()
    )
    server.measure(active_power=watts, active_power_l1=watts)
    await asyncio.wait_for(told.wait(), patience(5.0))
    unsubscribe()


async def test_it_is_set_to_what_fits(
    hass: HomeAssistant,
    add_load: AddLoad,
    let_pass: Pass,
    server: DeviceServer,
    load_events: list[Event],
) -> None:
    """The limit is 8 A at 2 kW, 12 A at 3 kW, and 0 A without surplus."""
    await add_load("car", **OF_CAR)
    await draw(hass, server, -2000.0)
    await let_pass(70)
    assert amperes(hass) == 8
    assert load_events[-1].data["power"] == 1840
    assert describe_load(hass, load_events[-1].data) == "On: surplus, with 1840 W"
    await draw(hass, server, -2000.0 + 1840.0)
    await let_pass(60)
    await draw(hass, server, -3000.0 + 1840.0)
    await let_pass(60)
    await draw(hass, server, -3001.0 + 1840.0)
    await let_pass(60)
    assert amperes(hass) == 12
    await draw(hass, server, -3000.0 + 2760.0)
    await let_pass(600, 5.0)
    assert amperes(hass) == 12
    absorbed = hass.states.get("sensor.car_energy_absorbed")
    assert absorbed is not None
    # 12 A for ten minutes, 8 A for some three before.
    assert float(absorbed.state) == pytest.approx(0.46 + 0.09, abs=0.03)
    await draw(hass, server, 2760.0)
    await let_pass(60)
    assert amperes(hass) == 6
    await draw(hass, server, 1380.0)
    await let_pass(120)
    assert amperes(hass) == 0


async def test_the_logbook_has_a_line_for_each_step(
    load_events: list[Event],
    add_load: AddLoad,
    let_pass: Pass,
    hass: HomeAssistant,
    server: DeviceServer,
) -> None:
    """The logbook describes a decision with its level."""
    await add_load("car", **OF_CAR)
    await draw(hass, server, -2000.0)
    await let_pass(70)
    describers: dict[str, Callable[[Event], dict[str, Any]]] = {}
    async_describe_events(
        hass, lambda domain, kind, describe: describers.update({kind: describe})
    )
    assert describers[EVENT_LOAD](load_events[-1]) == {
        "name": "Car",
        "message": "On: surplus, with 1840 W",
        "entity_id": CAR,
    }


async def test_without_a_least_value_it_is_one_step(
    hass: HomeAssistant, add_load: AddLoad, let_pass: Pass, server: DeviceServer
) -> None:
    """A heating rod in percent begins with as little as there is."""
    rest = {key: OF_CAR[key] for key in ("entity", "class", "phase", "power")}
    await add_load("car", **rest, value_on=20, value_off=0)
    await draw(hass, server, -500.0)
    await let_pass(70)
    assert amperes(hass) == 2


async def test_what_a_person_has_set_is_not_forgotten(
    hass: HomeAssistant,
    add_load: AddLoad,
    let_pass: Pass,
    server: DeviceServer,
    guard: Guard,
) -> None:
    """A level set for the surplus is not taken as a person's setting."""
    await add_load("car", **OF_CAR)
    await draw(hass, server, -2000.0)
    await let_pass(70)
    assert amperes(hass) == 8
    await hass.services.async_call(
        "nrj_monitor",
        "override",
        {"load": "sensor.car_activity", "on": True, "duration": {"minutes": 5}},
        blocking=True,
    )
    await let_pass(5)
    assert amperes(hass) == 16


async def test_a_dry_run_sets_nothing(
    hass: HomeAssistant, add_load: AddLoad, let_pass: Pass, server: DeviceServer
) -> None:
    """A dry run shows the level, and continues from the shown level."""
    await add_load("car", **OF_CAR)
    await hass.services.async_call(
        "switch",
        "turn_on",
        {"entity_id": "switch.nrj_meter_dry_run_of_the_loads"},
        blocking=True,
    )
    await draw(hass, server, -2000.0)
    await let_pass(200)
    assert hass.states.is_state("sensor.car_activity", "surplus")
    assert amperes(hass) == 0
    await draw(hass, server, -3000.0)
    await let_pass(100)
    decision = hass.states.get("event.car_decision")
    assert decision is not None
    assert amperes(hass) == 0


async def test_a_meter_that_tells_once_a_minute(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    add_load: AddLoad,
    let_pass: Pass,
    server: DeviceServer,
) -> None:
    """No reading changes the limit twice, and a change has shown before the next."""
    await add_load("car", **OF_CAR)
    limits = []
    for minute in range(20):
        sun = 2000.0 if minute < 10 else 3500.0
        await tell(entry, server, amperes(hass) * 230.0 - sun)
        for _ in range(12):
            await let_pass(5)
            limits.append(amperes(hass))
    assert [limit for limit, _ in groupby(limits)] == [0, 8, 14]


type Bill = Callable[[float, float], Awaitable[NrjConfigEntry]]


@pytest.fixture
def billed(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    add_load: AddLoad,
    clock: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> Bill:
    """Return a function that has the mean of a quarter hour billed beyond some kW.

    It adds a charger that a person has set to some amperes.
    """
    begin = 1_793_620_800.0 - clock[0]
    monkeypatch.setattr(demand_manager, "clock", lambda: begin + clock[0])

    async def bill(contract: float, amps: float) -> NrjConfigEntry:
        form = await hass.config_entries.options.async_init(entry.entry_id)
        await hass.config_entries.options.async_configure(
            form["flow_id"],
            {"contract": contract, "contract_tolerance": "quarter_hour"},
        )
        await hass.async_block_till_done()
        await add_load("car", **OF_CAR | {"class": "shed_1"})
        await hass.services.async_call(
            "input_number",
            "set_value",
            {"entity_id": CAR, "value": amps},
            blocking=True,
        )
        return entry

    return bill


async def test_a_mean_that_is_billed_lowers_it_and_sets_it_back(
    hass: HomeAssistant,
    billed: Bill,
    let_pass: Pass,
    server: DeviceServer,
    load_events: list[Event],
) -> None:
    """A charger that a person has set to 14 A runs with less, and with 14 A again."""
    entry = await billed(3, 14)
    for _ in range(30):
        await tell(entry, server, 500.0 + amperes(hass) * 230.0)
        await let_pass(30, 5.0)
    assert 6 <= amperes(hass) < 14
    assert hass.states.is_state("sensor.car_activity", "limited")
    lowered = [event.data for event in load_events if event.data["action"] == "limit"]
    assert lowered
    assert lowered[0]["power"] < 14 * 230
    for _ in range(60):
        await tell(entry, server, amperes(hass) * 230.0 - 1000.0)
        await let_pass(60, 10.0)
        assert amperes(hass) <= 14
        if hass.states.is_state("sensor.car_activity", "running"):
            break
    assert amperes(hass) == 14
    assert hass.states.is_state("sensor.car_activity", "running")


async def test_a_lowered_charger_is_set_back_where_nobody_controls_it(
    hass: HomeAssistant, billed: Bill, let_pass: Pass, server: DeviceServer
) -> None:
    """A dry run gives back what was lowered, too."""
    entry = await billed(2, 16)
    for _ in range(30):
        await tell(entry, server, amperes(hass) * 230.0)
        await let_pass(30, 5.0)
        if amperes(hass) < 16:
            break
    assert 6 <= amperes(hass) < 16
    await hass.services.async_call(
        "switch",
        "turn_on",
        {"entity_id": "switch.nrj_meter_dry_run_of_the_loads"},
        blocking=True,
    )
    await hass.async_block_till_done()
    assert amperes(hass) == 16

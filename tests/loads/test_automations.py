"""Triggers, conditions and device triggers in running automations."""

from datetime import timedelta
from typing import Any

from homeassistant.components.device_automation import (
    DeviceAutomationType,
    async_get_device_automations,
)
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from custom_components.nrj_monitor.const import CONF_MAIN_FUSE, DOMAIN
from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from custom_components.nrj_monitor.frequency_guard.guard_state import GuardState
from tests.loads.conftest import AddLoad, Guard, Pass
from tests.support.device import DeviceServer
from tests.support.states import state_is

GRID = "sensor.nrj_meter_grid"
HEATER = "sensor.heater_activity"
POWER = "sensor.nrj_meter_active_power"
LINK = "binary_sensor.nrj_meter_link"
QUALITY = "event.nrj_meter_power_quality"


async def automate(
    hass: HomeAssistant,
    trigger: dict[str, Any] | list[dict[str, Any]] | None = None,
    *,
    condition: dict[str, Any] | None = None,
) -> list[ServiceCall]:
    """Set up an automation; return the list of its calls."""
    calls: list[ServiceCall] = async_mock_service(hass, "test", "automation")
    automation = {
        "alias": "test",
        "triggers": trigger or {"trigger": "event", "event_type": "test"},
        "conditions": [] if condition is None else [condition],
        "actions": {"action": "test.automation"},
    }
    assert await async_setup_component(hass, "automation", {"automation": automation})
    await hass.async_block_till_done()
    state = hass.states.get("automation.test")
    assert state is not None
    assert state.state == "on"
    return calls


def trigger(name: str, entity_id: str, **options: Any) -> dict[str, Any]:
    """Return a trigger of the integration."""
    return {
        "trigger": f"{DOMAIN}.{name}",
        "target": {"entity_id": entity_id},
        "options": options,
    }


@pytest.mark.parametrize(
    "case",
    [
        ("frequency_low", {}, GuardState.SHED_1, True),
        ("frequency_low", {}, GuardState.ABSORB_1, False),
        ("frequency_high", {}, GuardState.ABSORB_2, True),
        ("stage_entered", {"stage": "shed_1"}, GuardState.SHED_1, True),
        ("stage_entered", {"stage": ["shed_2"]}, GuardState.SHED_1, False),
        ("stage_left", {"stage": ["normal"]}, GuardState.INVALID, True),
        ("stage_left", {"stage": ["shed_1"]}, GuardState.INVALID, False),
    ],
)
async def test_triggers_of_the_grid(
    hass: HomeAssistant,
    add_load: AddLoad,
    let_pass: Pass,
    guard: Guard,
    case: tuple[str, dict[str, Any], GuardState, bool],
) -> None:
    """States of the guard alone start an automation."""
    name, options, state, fires = case
    await add_load("heater")
    await let_pass(2)
    assert hass.states.is_state(GRID, "normal")
    calls = await automate(hass, trigger(name, GRID, **options))
    guard.state = state
    await let_pass(2)
    assert bool(calls) is fires


async def test_triggers_of_a_load(
    hass: HomeAssistant,
    add_load: AddLoad,
    let_pass: Pass,
    guard: Guard,
) -> None:
    """Shed, and back."""
    await add_load("heater")
    await let_pass(2)
    calls = await automate(
        hass,
        [trigger("load_shed", HEATER), trigger("load_restored", HEATER)],
    )
    guard.state = GuardState.SHED_1
    await let_pass(2)
    assert len(calls) == 1
    guard.state = GuardState.NORMAL
    await let_pass(500, 5.0)
    assert len(calls) == 2


async def test_triggers_of_the_readings(
    hass: HomeAssistant, entry: NrjConfigEntry, server: DeviceServer
) -> None:
    """Surplus above, then below; a phase with too much."""
    hass.states.async_set("sensor.amps", "10", {"device_class": "current"})
    calls = await automate(
        hass,
        [
            trigger("surplus_above", POWER, power=1000),
            trigger("surplus_below", POWER, power=500),
            trigger("phase_overloaded", "sensor.amps", current=25),
        ],
    )
    for power, expected in ((-900.0, 0), (-1500.0, 1), (-2000.0, 1), (-100.0, 2)):
        server.measure(active_power=power)
        await state_is(hass, POWER, str(power))
        await hass.async_block_till_done()
        assert len(calls) == expected, power
    for amperes in ("26", "nonsense", "24", "27"):
        hass.states.async_set("sensor.amps", amperes, {"device_class": "current"})
        await hass.async_block_till_done()
    assert len(calls) == 4


@pytest.mark.parametrize(
    "case",
    [
        ("frequency_is_low", GRID, {}, True),
        ("frequency_is_high", GRID, {}, False),
        ("stage_is", GRID, {"stage": ["shed_1", "shed_2"]}, True),
        ("stage_is", GRID, {"stage": "normal"}, False),
        ("load_is_shed", HEATER, {}, True),
        ("surplus_is_above", POWER, {"power": 1000}, True),
        ("surplus_is_below", POWER, {"power": 1000}, False),
        ("phase_is_overloaded", "sensor.amps", {"current": 25}, True),
        ("load_is_back", HEATER, {}, False),
        ("meter_is_lost", LINK, {}, False),
        ("supply_was_disturbed", QUALITY, {}, False),
    ],
)
async def test_conditions(
    hass: HomeAssistant,
    add_load: AddLoad,
    server: DeviceServer,
    guard: Guard,
    case: tuple[str, str, dict[str, Any], bool],
) -> None:
    """The present state decides whether an automation goes on."""
    guard.state = GuardState.SHED_1
    name, entity_id, options, holds = case
    await add_load("heater")
    hass.states.async_set("sensor.amps", "26", {"device_class": "current"})
    server.measure(active_power=-1500.0)
    await state_is(hass, POWER, "-1500.0")
    await state_is(hass, HEATER, "shed_under_frequency")
    calls = await automate(
        hass,
        condition={
            "condition": f"{DOMAIN}.{name}",
            "target": {"entity_id": entity_id},
            "options": options,
        },
    )
    hass.bus.async_fire("test")
    await hass.async_block_till_done()
    assert bool(calls) is holds


async def test_an_overload_is_counted_from_the_main_fuse(
    hass: HomeAssistant, entry: NrjConfigEntry, server: DeviceServer
) -> None:
    """Without a current of its own the trigger goes by the fuse of the sensor's meter."""
    amps = er.async_get(hass).async_get_or_create(
        "sensor",
        DOMAIN,
        "amps",
        config_entry=entry,
        suggested_object_id="amps",
        original_device_class="current",
    )
    calls = await automate(hass, trigger("phase_overloaded", amps.entity_id))

    async def draw(amperes: int) -> None:
        attributes = {"device_class": "current", "unit_of_measurement": "A"}
        hass.states.async_set(amps.entity_id, str(amperes), attributes)
        await hass.async_block_till_done()

    for amperes in (1, 500, 10):
        await draw(amperes)
    assert not calls, "nobody has said which fuse there is"
    hass.config_entries.async_update_entry(entry, options={CONF_MAIN_FUSE: 25})
    for amperes in (24, 26):
        await draw(amperes)
    assert len(calls) == 1


async def test_a_lost_meter_starts_an_automation(
    hass: HomeAssistant, entry: NrjConfigEntry, server: DeviceServer
) -> None:
    """The link of a meter that answers no more is told, and the condition holds."""
    calls = await automate(
        hass,
        trigger("meter_lost", LINK),
        condition={
            "condition": f"{DOMAIN}.meter_is_lost",
            "target": {"entity_id": LINK},
        },
    )
    assert hass.states.is_state(LINK, "on")
    await server.stop()
    await state_is(hass, LINK, "off")
    await hass.async_block_till_done()
    assert len(calls) == 1


@pytest.mark.parametrize("kind", ["dip", "swell", "interruption", "phase_loss"])
async def test_a_disturbance_of_the_supply_starts_an_automation_once(
    hass: HomeAssistant, entry: NrjConfigEntry, kind: str
) -> None:
    """A long event is told when it begins and when it is over, and fires once."""
    calls = await automate(
        hass,
        trigger(kind, QUALITY),
        condition={
            "condition": f"{DOMAIN}.supply_was_disturbed",
            "target": {"entity_id": QUALITY},
            "options": {"kind": [kind]},
        },
    )

    async def tell(what: str, number: int, *, ongoing: bool) -> None:
        attributes = {
            "event_type": what,
            "boot": "a",
            "number": number,
            "ongoing": ongoing,
        }
        moment = dt_util.utcnow().isoformat(timespec="microseconds")
        hass.states.async_set(QUALITY, moment, attributes)
        await hass.async_block_till_done()

    hass.states.async_set(QUALITY, "unknown")
    await tell(kind, 1, ongoing=True)
    assert len(calls) == 1
    await tell(kind, 1, ongoing=False)
    assert len(calls) == 1, "its end is no second event"
    await tell("overcurrent", 2, ongoing=False)
    assert len(calls) == 1
    await tell(kind, 3, ongoing=False)
    assert len(calls) == 2


async def test_a_disturbance_is_recent_for_a_while(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """The condition holds for the latest event of a kind, for as long as it says."""
    calls = await automate(
        hass,
        condition={
            "condition": f"{DOMAIN}.supply_was_disturbed",
            "target": {"entity_id": QUALITY},
            "options": {"kind": ["dip"], "within": "00:10:00"},
        },
    )
    for age, kind, ongoing, holds in (
        (500, "dip", False, True),
        (700, "dip", False, False),
        (700, "dip", True, True),
        (1, "swell", False, False),
    ):
        calls.clear()
        moment = (dt_util.utcnow() - timedelta(seconds=age)).isoformat()
        attributes = {"event_type": kind, "ongoing": ongoing}
        hass.states.async_set(QUALITY, moment, attributes)
        hass.bus.async_fire("test")
        await hass.async_block_till_done()
        assert bool(calls) is holds, (age, kind, ongoing)


async def test_device_triggers(
    hass: HomeAssistant,
    add_load: AddLoad,
    let_pass: Pass,
    guard: Guard,
) -> None:
    """The stable way: offered for the meter and the load, and they run."""
    load_id = await add_load("heater")
    await let_pass(2)
    registry = dr.async_get(hass)
    entity = er.async_get(hass).async_get(HEATER)
    grid_entity = er.async_get(hass).async_get(GRID)
    assert entity is not None
    assert grid_entity is not None
    devices = [entity.device_id, grid_entity.device_id]
    assert None not in devices
    found: dict[str, list[dict[str, Any]]] = {}
    for device_id in devices:
        assert device_id is not None
        assert registry.async_get(device_id) is not None
        listed = await async_get_device_automations(
            hass, DeviceAutomationType.TRIGGER, [device_id]
        )
        found[device_id] = [
            {key: item[key] for key in item if key != "metadata"}
            for item in listed[device_id]
            if item["domain"] == DOMAIN
        ]
    load_triggers, grid_triggers = found.values()
    assert {item["type"] for item in load_triggers} == {
        "load_shed",
        "load_restored",
        "load_started",
        "load_overridden",
    }
    assert {item["type"] for item in grid_triggers} == {
        "grid_low",
        "grid_high",
        "grid_normal",
        "grid_unknown",
    }
    assert load_id
    wanted = [
        item
        for item in (*load_triggers, *grid_triggers)
        if item["type"] in ("load_shed", "load_restored", "grid_low")
    ]
    calls = await automate(
        hass,
        [
            *wanted,
            {
                **grid_triggers[0],
                "type": "grid_high",
                "for": {"seconds": 1},
            },
        ],
    )
    guard.state = GuardState.SHED_1
    await let_pass(2)
    assert len(calls) == 2
    guard.state = GuardState.NORMAL
    await let_pass(500, 5.0)
    assert len(calls) == 3

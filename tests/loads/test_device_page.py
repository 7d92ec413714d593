"""Device page of a load: its buttons, class, state, power, and until when."""

from datetime import datetime
from typing import Any

from homeassistant.auth.const import GROUP_ID_USER
from homeassistant.core import Context, HomeAssistant, State
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from custom_components.nrj_monitor.frequency_guard.guard_state import GuardState
from tests.loads.conftest import AddLoad, Guard, Pass
from tests.support.device import MAC

HEATER = "input_boolean.heater"


async def press(hass: HomeAssistant, button: str) -> None:
    """Press a button of the page."""
    await hass.services.async_call(
        "button", "press", {"entity_id": button}, blocking=True
    )


async def select(
    hass: HomeAssistant, option: str, context: Context | None = None
) -> None:
    """Select a class of the heater."""
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": "select.heater_class", "option": option},
        blocking=True,
        context=context,
    )
    await hass.async_block_till_done()


def state_of(hass: HomeAssistant, entity_id: str) -> State:
    """Return the state of an entity that exists."""
    state = hass.states.get(entity_id)
    assert state is not None, entity_id
    return state


def seconds_until(state: State) -> float:
    """Return the seconds to the time that a sensor shows."""
    return (datetime.fromisoformat(state.state) - dt_util.utcnow()).total_seconds()


async def test_a_load_stands_under_its_meter(
    hass: HomeAssistant, entry: NrjConfigEntry, add_load: AddLoad
) -> None:
    """The device of a load hangs on that of the meter."""
    load_id = await add_load("heater")
    devices = dr.async_get(hass)
    meter = devices.async_get_device_by_identifier(
        (DOMAIN, MAC.lower()), entry.entry_id
    )
    load = devices.async_get_device_by_identifier((DOMAIN, load_id), entry.entry_id)
    assert meter is not None
    assert load is not None
    assert load.via_device_id == meter.id


async def test_a_load_is_shed_restored_and_let_go_by_buttons(
    hass: HomeAssistant, add_load: AddLoad, let_pass: Pass
) -> None:
    """Each button does what the action of its name does."""
    await add_load("heater", minimum_off=0)
    await press(hass, "button.heater_shed")
    assert hass.states.is_state(HEATER, "off")
    until = state_of(hass, "sensor.heater_until")
    assert 1700 < seconds_until(until) <= 1800
    await let_pass(20)
    assert state_of(hass, "sensor.heater_until").state == until.state
    await press(hass, "button.heater_restore")
    await let_pass(2)
    assert hass.states.is_state(HEATER, "on")
    assert hass.states.is_state("sensor.heater_until", "unknown")
    await press(hass, "button.heater_shed")
    await press(hass, "button.heater_release")
    await let_pass(2)
    assert hass.states.is_state(HEATER, "on")


async def test_the_button_of_a_load_that_is_never_shed_refuses(
    hass: HomeAssistant, add_load: AddLoad
) -> None:
    """What is never shed is not shed by a button either."""
    await add_load("router", **{"class": "never_shed"})
    with pytest.raises(ServiceValidationError, match="never shed"):
        await press(hass, "button.router_shed")
    assert hass.states.is_state("input_boolean.router", "on")


async def test_when_a_load_is_back_at_the_latest(
    hass: HomeAssistant, add_load: AddLoad, guard: Guard, let_pass: Pass
) -> None:
    """A shed load with a longest time off says when that is over."""
    await add_load("heater", longest_off=30)
    guard.state = GuardState.SHED_1
    await let_pass(2)
    assert hass.states.is_state("sensor.heater_activity", "shed_under_frequency")
    assert 1700 < seconds_until(state_of(hass, "sensor.heater_until")) <= 1800


async def test_the_state_and_power_of_the_controlled_entity(
    hass: HomeAssistant, add_load: AddLoad
) -> None:
    """The page shows whether the load is on and what it draws, as they change."""
    hass.states.async_set(
        "sensor.plug_power",
        "1.98",
        {"unit_of_measurement": "kW", "device_class": "power"},
    )
    await add_load("heater", power_sensor="sensor.plug_power")
    assert hass.states.is_state("binary_sensor.heater_state", "on")
    assert float(state_of(hass, "sensor.heater_power").state) == pytest.approx(1980)
    hass.states.async_set("sensor.plug_power", "0", {"unit_of_measurement": "W"})
    await hass.services.async_call(
        "input_boolean", "turn_off", {"entity_id": HEATER}, blocking=True
    )
    await hass.async_block_till_done()
    assert hass.states.is_state("binary_sensor.heater_state", "off")
    assert float(state_of(hass, "sensor.heater_power").state) == 0


async def test_a_load_without_a_measured_power_shows_none(
    hass: HomeAssistant, add_load: AddLoad
) -> None:
    """What is only supposed to be drawn is not shown as if it were measured."""
    load_id = await add_load("heater")
    registry = er.async_get(hass)
    assert registry.async_get_entity_id("sensor", DOMAIN, f"{load_id}_power") is None


async def test_the_class_is_changed_on_the_page(
    hass: HomeAssistant, entry: NrjConfigEntry, add_load: AddLoad
) -> None:
    """A new class is stored and applies; a contradiction is refused with the reason."""
    load_id = await add_load("heater", when_lost="off")
    await select(hass, "shed_3")
    assert entry.subentries[load_id].data["class"] == "shed_3"
    assert hass.states.is_state("select.heater_class", "shed_3")
    attributes = state_of(hass, "sensor.heater_activity").attributes
    assert attributes["load_class"] == "shed_3"
    with pytest.raises(ServiceValidationError, match="contradicts"):
        await select(hass, "never_shed")
    assert entry.subentries[load_id].data["class"] == "shed_3"


async def test_the_class_is_changed_by_administrators_only(
    hass: HomeAssistant, entry: NrjConfigEntry, add_load: AddLoad
) -> None:
    """A user who may control the load does not change its settings."""
    load_id = await add_load("heater")
    groups: Any = [await hass.auth.async_get_group(GROUP_ID_USER)]
    user = MockUser(groups=groups).add_to_hass(hass)
    with pytest.raises(Unauthorized):
        await select(hass, "shed_3", Context(user_id=user.id))
    assert entry.subentries[load_id].data["class"] == "shed_1"

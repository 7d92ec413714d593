"""Meter with loads, and a clock moved by the test."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from homeassistant.core import Event, HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.nrj_monitor.const import EVENT_LOAD
from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from custom_components.nrj_monitor.frequency_guard.grid_view import GridView
from custom_components.nrj_monitor.frequency_guard.guard_state import GuardState
from custom_components.nrj_monitor.loads import manager as manager
from custom_components.nrj_monitor.loads.services import loaded_managers
from tests.conftest import AddMeter
from tests.loads.dialogue import async_answer, async_open
from tests.support.device import DeviceServer
from tests.support.states import state_where

type AddLoad = Callable[..., Awaitable[str]]
type Pass = Callable[..., Awaitable[None]]

POWERS = {f"Active power {phase}": 0.0 for phase in ("L1", "L2", "L3")}


class Guard:
    """A guard whose state the test sets."""

    def __init__(self) -> None:
        """Start in the state normal."""
        self.state = GuardState.NORMAL

    def view(self, now: float) -> GridView:
        """Return the report of the guard."""
        return GridView(
            state=self.state,
            held=self.state,
            may_restore=self.state is GuardState.NORMAL,
        )


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch) -> Guard:
    """Return the guard of the meter."""
    guard = Guard()
    monkeypatch.setattr(manager, "grid_of", lambda meter, profile: guard)
    return guard


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time of the load managers, s, as the only item of a list."""
    now = [1000.0]
    monkeypatch.setattr(manager, "clock", lambda: now[0])
    return now


@pytest.fixture
def let_pass(hass: HomeAssistant, clock: list[float]) -> Pass:
    """Return a function to let seconds pass for the load managers."""

    async def run(seconds: float, step: float = 1.0) -> None:
        left = seconds
        while left > 0:
            clock[0] += min(step, left)
            left -= step
            for load_manager in loaded_managers(hass):
                load_manager.async_tick()
            await hass.async_block_till_done()

    return run


@pytest.fixture
def load_events(hass: HomeAssistant) -> list[Event[Any]]:
    """Return the events on loads as they come."""
    events: list[Event[Any]] = async_capture_events(hass, EVENT_LOAD)
    return events


@pytest.fixture
async def entry(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    clock: list[float],
) -> NrjConfigEntry:
    """Return a meter with powers, and helpers to be switched."""
    server.device.sensors = {**POWERS, "Active power": 0.0}
    assert await async_setup_component(
        hass,
        "input_boolean",
        {
            "input_boolean": {
                name: {"initial": on}
                for name, on in (("heater", True), ("boiler", False), ("router", True))
            }
        },
    )
    return await add_meter(server.port)


DEFAULTS: dict[str, Any] = {
    "class": "shed_1",
    "priority": 50,
    "phase": "all",
    "power": 2000,
    "minimum_on": 60,
    "minimum_off": 180,
    "recovery": 15,
    "when_lost": "hold",
}


@pytest.fixture
def add_load(hass: HomeAssistant, entry: NrjConfigEntry) -> AddLoad:
    """Return a function to add a load as a person does, which returns the load's id."""

    async def add(name: str, **data: Any) -> str:
        step = "load_scripts" if "script_on" in data else "load_entity"
        if step == "load_entity":
            data.setdefault("entity", f"input_boolean.{name}")
        form = await async_open(hass, entry, step)
        before = set(entry.subentries)
        result = await async_answer(
            hass, form, {"name": name.capitalize(), **DEFAULTS, **data}
        )
        assert result["type"] is FlowResultType.CREATE_ENTRY, result
        (load_id,) = set(entry.subentries) - before
        await state_where(
            hass,
            f"sensor.{name}_activity",
            lambda state: state.state != "unavailable",
        )
        return load_id

    return add


async def a_second_passes(hass: HomeAssistant) -> None:
    """Let Home Assistant's own second pass."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=2))
    await hass.async_block_till_done()

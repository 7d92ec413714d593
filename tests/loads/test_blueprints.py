"""Blueprints: accepted by Home Assistant, and effective as described."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
import re
from typing import Any
from urllib.parse import unquote

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.blueprint.models import Blueprint
from homeassistant.components.blueprint.schemas import BLUEPRINT_SCHEMA
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util, yaml as yaml_util
import pytest
from pytest_homeassistant_custom_component.common import (
    async_fire_time_changed,
    async_mock_service,
)

from custom_components.nrj_monitor.frequency_guard.guard_state import GuardState
from custom_components.nrj_monitor.loads.services import loaded_managers
from tests.loads.conftest import AddLoad, Guard, Pass

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "blueprints" / "automation" / "nrj_monitor"
BLUEPRINTS = sorted(FOLDER.glob("*.yaml"))
PAGE = ROOT / "docs" / "load-control.md"

POWER = "sensor.grid"
ON = {"state": "on"}


@pytest.fixture
async def home(hass: HomeAssistant) -> AsyncGenerator[HomeAssistant]:
    """Yield a Home Assistant with its own actions; automations end with the test."""
    assert await async_setup_component(hass, "homeassistant", {})
    yield hass
    await hass.services.async_call(
        "automation", "turn_off", {"entity_id": "all"}, blocking=True
    )


async def settle() -> None:
    """Run all tasks that can run; waiting automations do not block."""
    for _ in range(100):
        await asyncio.sleep(0)


@pytest.fixture
def let_pass_lightly(hass: HomeAssistant, clock: list[float]) -> Pass:
    """Return a function to let seconds pass while automations wait."""

    async def run(seconds: float) -> None:
        for _ in range(round(seconds)):
            clock[0] += 1.0
            for manager in loaded_managers(hass):
                manager.async_tick()
            await settle()

    return run


async def use(
    hass: HomeAssistant, name: str, monkeypatch: pytest.MonkeyPatch, **inputs: Any
) -> None:
    """Make an automation of a blueprint."""
    path = FOLDER / f"{name}.yaml"
    blueprint = Blueprint(
        yaml_util.load_yaml_dict(path),
        path=f"nrj_monitor/{path.name}",
        expected_domain="automation",
        schema=BLUEPRINT_SCHEMA,
    )

    async def get(self: object, blueprint_path: str) -> Blueprint:
        return blueprint

    monkeypatch.setattr(
        "homeassistant.components.blueprint.models.DomainBlueprints.async_get_blueprint",
        get,
    )
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "alias": name,
                "use_blueprint": {"path": f"nrj_monitor/{path.name}", "input": inputs},
            }
        },
    )
    await settle()
    state = hass.states.get(f"automation.{name}")
    assert state is not None
    assert state.state == "on"


async def wait(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, seconds: float
) -> None:
    """Let Home Assistant's own time pass."""
    freezer.tick(timedelta(seconds=seconds))
    async_fire_time_changed(hass, dt_util.utcnow())
    await hass.async_block_till_done()


async def test_there_are_five() -> None:
    """The folder has the five blueprints."""
    assert [path.stem for path in BLUEPRINTS] == [
        "blackout_notification",
        "car_charging_on_surplus",
        "freezer_protection",
        "surplus_water_heating",
        "washing_machine_at_midday",
    ]


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.stem)
def test_each_is_a_blueprint_and_can_be_imported_from_the_page(path: Path) -> None:
    """Every input is named and used; the badge leads to the file."""
    content = yaml_util.load_yaml_dict(path)
    blueprint = Blueprint(
        content, path=path.name, expected_domain="automation", schema=BLUEPRINT_SCHEMA
    )
    assert blueprint.validate() is None
    text = path.read_text()
    for name, described in blueprint.inputs.items():
        assert described is not None
        assert described["name"]
        assert f"!input {name}" in text
    links = re.findall(r"blueprint_url=([^)\s]+)", PAGE.read_text())
    where = f"blob/main/{path.relative_to(ROOT)}"
    assert [link for link in map(unquote, links) if link.endswith(where)]
    assert str(blueprint.metadata["source_url"]).endswith(where)


async def test_surplus_water_heating(
    home: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Water heating starts after two minutes of surplus and stops after three without."""
    assert await async_setup_component(
        home, "input_boolean", {"input_boolean": {"boiler": {"initial": False}}}
    )
    home.states.async_set(POWER, "0")
    await use(
        home,
        "surplus_water_heating",
        monkeypatch,
        grid_power=POWER,
        heater="input_boolean.boiler",
    )
    home.states.async_set(POWER, "-2500")
    await home.async_block_till_done()
    await wait(home, freezer, 60)
    assert home.states.is_state("input_boolean.boiler", "off")
    await wait(home, freezer, 61)
    assert home.states.is_state("input_boolean.boiler", "on")
    home.states.async_set(POWER, "-300")
    await home.async_block_till_done()
    await wait(home, freezer, 600)
    assert home.states.is_state("input_boolean.boiler", "on")
    home.states.async_set(POWER, "900")
    await home.async_block_till_done()
    await wait(home, freezer, 181)
    assert home.states.is_state("input_boolean.boiler", "off")


async def test_car_charging(
    home: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The current limit follows the surplus; below six amperes charging stops."""
    assert await async_setup_component(
        home, "input_boolean", {"input_boolean": {"car": {"initial": False}}}
    )
    assert await async_setup_component(
        home,
        "input_number",
        {"input_number": {"limit": {"min": 0, "max": 32, "initial": 6}}},
    )
    # It looks at each half minute, and would in set-up if that were one.
    now = dt_util.utcnow()
    freezer.move_to(now + timedelta(seconds=31 - now.second % 30))
    home.states.async_set(POWER, "-2400")
    await use(
        home,
        "car_charging_on_surplus",
        monkeypatch,
        grid_power=POWER,
        charger="input_boolean.car",
        current_limit="input_number.limit",
    )

    async def half_a_minute() -> tuple[str, float]:
        await wait(home, freezer, 31)
        car, limit = (
            home.states.get("input_boolean.car"),
            home.states.get("input_number.limit"),
        )
        assert car is not None
        assert limit is not None
        return car.state, float(limit.state)

    assert await half_a_minute() == ("on", 10.0)
    home.states.async_set(POWER, "500")
    assert await half_a_minute() == ("on", 7.0)
    home.states.async_set(POWER, "600")
    assert (await half_a_minute())[0] == "off"
    home.states.async_set(POWER, "-9000")
    assert await half_a_minute() == ("on", 16.0)


async def test_washing_machine(
    home: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A ready machine starts on surplus within the window, or at its end."""
    await home.config.async_set_time_zone("UTC")
    freezer.move_to("2026-06-01T09:00:00+00:00")
    pressed: list[ServiceCall] = async_mock_service(home, "button", "press")
    home.states.async_set(POWER, "-3000")
    home.states.async_set("binary_sensor.ready", "on")
    await use(
        home,
        "washing_machine_at_midday",
        monkeypatch,
        grid_power=POWER,
        ready="binary_sensor.ready",
        machine="button.start",
    )
    await wait(home, freezer, 1800)
    assert not pressed, "before ten o'clock"
    await wait(home, freezer, 1900)
    home.states.async_set(POWER, "-3001")
    await home.async_block_till_done()
    await wait(home, freezer, 301)
    assert len(pressed) == 1
    freezer.move_to("2026-06-02T13:59:50+00:00")
    home.states.async_set(POWER, "100")
    await wait(home, freezer, 11)
    assert len(pressed) == 2
    home.states.async_set("binary_sensor.ready", "off")
    freezer.move_to("2026-06-03T13:59:50+00:00")
    await wait(home, freezer, 11)
    assert len(pressed) == 2


async def test_blackout_notification(
    home: HomeAssistant,
    add_load: AddLoad,
    guard: Guard,
    let_pass_lightly: Pass,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The message has two buttons, and each has its effect."""
    await add_load("heater", minimum_off=0)
    await let_pass_lightly(2)
    sent: list[ServiceCall] = async_mock_service(home, "notify", "mobile_app_phone")
    await use(
        home,
        "blackout_notification",
        monkeypatch,
        grid="sensor.nrj_meter_grid",
        loads=["input_boolean.heater"],
        notify_action="notify.mobile_app_phone",
    )
    for state, title, button, activity in (
        (GuardState.SHED_1, "The grid is low", "KEEP_ON", "overridden_on"),
        (GuardState.SHED_2, "The grid is low", "SHED_NOW", "overridden_off"),
    ):
        sent.clear()
        guard.state = state
        await let_pass_lightly(2)
        (message,) = sent
        assert message.data["title"] == title
        (action,) = [
            item["action"]
            for item in message.data["data"]["actions"]
            if button in item["action"]
        ]
        home.bus.async_fire("mobile_app_notification_action", {"action": action})
        await settle()
        await let_pass_lightly(70)
        assert home.states.is_state("sensor.heater_activity", activity)


async def test_freezer_protection(
    home: HomeAssistant,
    add_load: AddLoad,
    guard: Guard,
    let_pass_lightly: Pass,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A warm freezer runs until cold in spite of a shed; then the grid counts again."""
    await add_load("heater", minimum_off=0)
    home.states.async_set("sensor.inside", "-20")
    await use(
        home,
        "freezer_protection",
        monkeypatch,
        temperature="sensor.inside",
        freezer="input_boolean.heater",
    )
    guard.state = GuardState.SHED_1
    await let_pass_lightly(3)
    assert home.states.is_state("input_boolean.heater", "off")
    home.states.async_set("sensor.inside", "-14")
    await settle()
    await let_pass_lightly(3)
    assert home.states.is_state("input_boolean.heater", "on")
    home.states.async_set("sensor.inside", "-19")
    await settle()
    await let_pass_lightly(3)
    assert home.states.is_state("input_boolean.heater", "off")

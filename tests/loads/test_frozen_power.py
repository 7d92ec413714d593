"""Load control of a meter made of entities, whose power stands still."""

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from custom_components.nrj_monitor.sources import entities as entities_module, timeout
from tests.loads.conftest import AddLoad, Pass
from tests.sources.test_entities import reporting, wait_rhythm
from tests.support.entities_meter import add_entities
from tests.support.pace import patience
from tests.support.states import state_is

POWER = {"sensor.power": (-3000.0, "W")}
BOILER = "input_boolean.boiler"


@pytest.fixture
async def entry(
    hass: HomeAssistant,
    unloaded: None,
    clock: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> NrjConfigEntry:
    """Return a meter made of one entity, and a boiler."""
    monkeypatch.setattr(timeout, "MINIMUM", patience(0.3))
    monkeypatch.setattr(entities_module, "WATCH_INTERVAL", 0.05)
    boiler = {"boiler": {"initial": False}}
    assert await async_setup_component(hass, "input_boolean", {"input_boolean": boiler})
    hass.states.async_set("sensor.power", "-3000", {"unit_of_measurement": "W"})
    return await add_entities(hass, "1", {"active_power_l1": "sensor.power"})


async def test_no_load_runs_on_a_frozen_power(
    hass: HomeAssistant, add_load: AddLoad, let_pass: Pass
) -> None:
    """A surplus that is constant counts; one that is not reported any more ends."""
    await add_load("boiler", **{"class": "surplus"})
    await state_is(hass, "sensor.house_active_power", "-3000.0")
    async with reporting(hass, POWER):
        await wait_rhythm(hass, POWER)
        await let_pass(70)
    assert hass.states.is_state(BOILER, "on")
    await state_is(hass, "sensor.house_active_power", "unavailable", patience(20))
    await let_pass(300, 5.0)
    assert hass.states.is_state(BOILER, "off")
    assert hass.states.is_state("sensor.power", "-3000.0"), "still there, and frozen"

"""A meter with a frequency, powers, a heater, and a recorder with its past."""

from collections.abc import Awaitable, Callable
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from tests.conftest import AddMeter
from tests.loads.conftest import AddLoad, add_load as add_load, clock as clock
from tests.support.device import DeviceServer

type Ask = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def entry(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    clock: list[float],
) -> NrjConfigEntry:
    """Return a meter without a guard of its own, and a heater that is on."""
    server.device.sensors = {
        "Frequency": 50.0,
        "Voltage L1": 230.0,
        "Active power L1": 500.0,
        "Active power": 500.0,
    }
    heater = {"heater": {"initial": True}}
    assert await async_setup_component(hass, "input_boolean", {"input_boolean": heater})
    return await add_meter(server.port)


@pytest.fixture
async def heater(add_load: AddLoad) -> str:
    """Return the id of the heater as a load that is shed first."""
    return await add_load("heater")


@pytest.fixture
def replay(hass: HomeAssistant) -> Ask:
    """Return a function to run the action, which returns the answer."""

    async def run(**data: Any) -> dict[str, Any]:
        answer = await hass.services.async_call(
            DOMAIN, "replay", data, blocking=True, return_response=True
        )
        assert isinstance(answer, dict)
        return answer

    return run

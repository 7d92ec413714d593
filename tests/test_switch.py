"""Show the relay's reported state in its switch, never the commanded state."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from homeassistant.const import (
    ATTR_ENTITY_ID,
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
    Platform,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.nrj_monitor import meter
from tests.conftest import AddMeter
from tests.support.device import DeviceServer
from tests.support.states import state_is

RELAY_1 = "switch.nrj_meter_relay_1"
RELAY_2 = "switch.nrj_meter_relay_2"

type Call = Callable[[str, str], Coroutine[Any, Any, None]]


@pytest.fixture
def call(hass: HomeAssistant) -> Call:
    """Return a function to call a switch action and wait for its end."""

    async def call_switch(action: str, entity_id: str) -> None:
        await hass.services.async_call(
            Platform.SWITCH, action, {ATTR_ENTITY_ID: entity_id}, blocking=True
        )

    return call_switch


async def test_a_relay_is_switched(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer, call: Call
) -> None:
    """When the action is done the relay has switched and the state says so."""
    await add_meter(server.port)
    await state_is(hass, RELAY_1, "off")
    await call(SERVICE_TURN_ON, RELAY_1)
    assert server.device.relays == {"Relay 1": True, "Relay 2": True}
    await state_is(hass, RELAY_1, "on", within=0.1)
    await call(SERVICE_TURN_OFF, RELAY_2)
    assert server.device.relays == {"Relay 1": True, "Relay 2": False}
    await state_is(hass, RELAY_2, "off", within=0.1)


async def test_a_relay_switched_elsewhere_shows(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """The meter's own decisions show as fast as they happen."""
    await add_meter(server.port)
    await state_is(hass, RELAY_1, "off")
    server.switch("Relay 1", True)
    await state_is(hass, RELAY_1, "on", within=0.5)
    server.switch("Relay 1", False)
    await state_is(hass, RELAY_1, "off", within=0.5)


async def test_a_relay_is_unknown_until_its_first_state(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Show a relay without a reported state as unknown."""
    server.device.tells_relays = False
    await add_meter(server.port)
    await state_is(hass, RELAY_1, "unknown")
    server.switch("Relay 1", True)
    await state_is(hass, RELAY_1, "on")


async def test_a_relay_the_meter_holds_is_an_error_and_keeps_its_state(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    call: Call,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A command the device does not follow is not reported as done."""
    monkeypatch.setattr(meter, "RELAY_TIMEOUT", 0.3)
    server.device.refuses.add("Relay 1")
    await add_meter(server.port)
    state = await state_is(hass, RELAY_1, "off")
    with pytest.raises(HomeAssistantError) as refused:
        await call(SERVICE_TURN_ON, RELAY_1)
    assert str(refused.value) == (
        "Relay 1 did not switch: NRJ Meter still reports its old state. "
        "Something in the meter holds it"
    )
    assert hass.states.get(RELAY_1) is state


async def test_a_link_lost_while_switching_is_an_error(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer, call: Call
) -> None:
    """Claim no state for a relay with an unknown outcome."""
    server.device.refuses.add("Relay 1")
    await add_meter(server.port)
    await state_is(hass, RELAY_1, "off")
    switching = asyncio.create_task(call(SERVICE_TURN_ON, RELAY_1))
    await asyncio.sleep(0.05)
    await server.stop()
    with pytest.raises(HomeAssistantError, match="no connection to NRJ Meter"):
        await switching
    await state_is(hass, RELAY_1, "unavailable")


async def test_a_relay_named_in_the_firmware_keeps_its_name(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer, call: Call
) -> None:
    """Use a relay's name from the firmware."""
    server.device.relays = {"Boiler": False}
    await add_meter(server.port)
    state = await state_is(hass, "switch.nrj_meter_boiler", "off")
    assert state.name == "NRJ Meter Boiler"
    await call(SERVICE_TURN_ON, "switch.nrj_meter_boiler")
    assert server.device.relays == {"Boiler": True}


async def test_a_setting_of_the_firmware_is_no_relay(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """A switch among the device's settings does not become something to shed."""
    server.device.settings = {"Guard armed": True}
    await add_meter(server.port)
    await state_is(hass, RELAY_1, "off")
    assert hass.states.async_entity_ids(Platform.SWITCH) == [RELAY_1, RELAY_2]

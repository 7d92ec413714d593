"""The link to the meter is lost, and comes back by itself."""

import asyncio
import time

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest

from custom_components.nrj_monitor.sources import native_api

from .conftest import AddMeter
from .support.device import DeviceServer
from .support.states import state_is

VOLTAGE = "sensor.nrj_meter_voltage_l1"
RELAY = "switch.nrj_meter_relay_1"

WITHIN_SECONDS = 4.0
"""Two seconds between attempts, the rest for a busy test machine."""


async def test_a_meter_that_goes_is_unavailable_at_once_and_comes_back_by_itself(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Nobody sees old readings as new ones, and nobody has to do anything."""
    await add_meter(server.port)
    await state_is(hass, VOLTAGE, "230.0")
    await server.stop()
    await state_is(hass, VOLTAGE, "unavailable", within=1.0)
    await state_is(hass, RELAY, "unavailable", within=1.0)
    server.device.sensors["Voltage L1"] = 231.5
    server.device.relays["Relay 1"] = True
    await server.start()
    await state_is(hass, VOLTAGE, "231.5", within=WITHIN_SECONDS)
    await state_is(hass, RELAY, "on", within=1.0)


async def test_an_unchanged_value_is_back_as_soon_as_the_meter(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """That nothing changed meanwhile is no reason to stay unavailable."""
    await add_meter(server.port)
    await state_is(hass, VOLTAGE, "230.0")
    await server.stop()
    await state_is(hass, VOLTAGE, "unavailable")
    await server.start()
    await state_is(hass, VOLTAGE, "230.0", within=WITHIN_SECONDS)


async def test_a_meter_that_was_away_for_long_is_back_as_fast(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The pause between attempts does not grow: after twenty it is still the same."""
    monkeypatch.setattr(native_api, "RETRY_PAUSE", 0.05)
    await add_meter(server.port)
    await server.stop()
    await state_is(hass, VOLTAGE, "unavailable")
    await asyncio.sleep(1.2)
    await server.start()
    began = time.monotonic()
    await state_is(hass, VOLTAGE, "230.0")
    assert time.monotonic() - began < 0.5


async def test_home_assistant_starts_while_the_meter_is_off(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """All entities are there, unavailable, and live within seconds of the meter."""
    entry = await add_meter(server.port)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await server.stop()
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    state = await state_is(hass, VOLTAGE, "unavailable")
    assert "restored" not in state.attributes
    await server.start()
    await state_is(hass, VOLTAGE, "230.0", within=WITHIN_SECONDS)


async def test_another_meter_at_the_address_is_not_taken_for_this_one(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A swapped address never mixes two meters' energies."""
    await add_meter(server.port)
    await server.stop()
    server.device.mac = "02:4E:52:4A:00:99"
    server.device.sensors["Voltage L1"] = 110.0
    await server.start()
    while "Another meter answers at this address" not in caplog.text:
        await asyncio.sleep(0.05)
    await state_is(hass, VOLTAGE, "unavailable")


async def test_a_cut_cable_is_noticed(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A link that is silent without having been closed counts as lost."""
    monkeypatch.setattr(native_api, "KEEPALIVE", 0.1)
    await add_meter(server.port)
    await state_is(hass, VOLTAGE, "230.0")
    server.frozen = True
    await state_is(hass, VOLTAGE, "unavailable", within=2.0)
    server.frozen = False
    await state_is(hass, VOLTAGE, "230.0", within=WITHIN_SECONDS)


async def test_new_firmware_shows_its_version_and_its_new_entities(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """After an update of the meter nothing has to be added by hand."""
    entry = await add_meter(server.port)
    await server.stop()
    server.device.project_version = "0.2.0"
    server.device.sensors["Voltage L2"] = 229.0
    await server.start()
    await state_is(hass, "sensor.nrj_meter_voltage_l2", "229.0", within=WITHIN_SECONDS)
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert device.sw_version == "0.2.0 (ESPHome 2026.10.0)"


async def test_unloading_leaves_nothing(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """No connection and no task stays behind; removing takes the entities too."""
    entry = await add_meter(server.port)
    tasks = [task for task in asyncio.all_tasks() if task.get_name().startswith("nrj")]
    assert len(tasks) == 1
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert tasks[0].done()
    await server.wait_until_left()
    await hass.config_entries.async_remove(entry.entry_id)
    assert list(dr.async_get(hass).devices) == []
    assert list(er.async_get(hass).entities) == []


async def test_unloading_while_the_meter_is_away(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """The search for the meter ends with its entry."""
    entry = await add_meter(server.port)
    await server.stop()
    await state_is(hass, VOLTAGE, "unavailable")
    assert await hass.config_entries.async_unload(entry.entry_id)
    names = [task.get_name() for task in asyncio.all_tasks()]
    assert not [name for name in names if name.startswith("nrj")]

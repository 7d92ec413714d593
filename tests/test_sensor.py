"""Name, show and write the sensors' states."""

import asyncio
from itertools import pairwise

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from syrupy.assertion import SnapshotAssertion

from custom_components.nrj_monitor import throttle
from custom_components.nrj_monitor.catalog import CHANNELS
from custom_components.nrj_monitor.const import EXPECTED_FIRMWARE
from tests.conftest import AddMeter
from tests.support.device import DeviceServer
from tests.support.states import state_is

VOLTAGE = "sensor.nrj_meter_voltage_l1"
POWER = "sensor.nrj_meter_active_power"


async def test_unique_ids_never_change(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    snapshot: SnapshotAssertion,
) -> None:
    """History, dashboards and automations hang on these ids."""
    server.device.sensors = {
        channel.id.replace("_", " "): 0.0 for channel in CHANNELS.values()
    }
    entry = await add_meter(server.port)
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    assert {
        entity.entity_id: entity.unique_id
        for entity in sorted(entities, key=lambda entity: entity.entity_id)
    } == snapshot


async def test_the_device_shows_its_model_and_versions(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Put all entities in a single device, known by its MAC address."""
    entry = await add_meter(server.port)
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert device.connections == {("mac", "02:4e:52:4a:00:07")}
    assert (device.manufacturer, device.model) == ("NRJ Monitor", "Meter")
    assert device.name == "NRJ Meter"
    assert device.sw_version == f"{EXPECTED_FIRMWARE} (ESPHome 2026.10.0)"


async def test_energy_fits_the_energy_dashboard(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """The dashboard offers sensors with these three attributes."""
    await add_meter(server.port)
    state = await state_is(hass, "sensor.nrj_meter_import_energy", "12.5")
    assert state.attributes["device_class"] == "energy"
    assert state.attributes["state_class"] == "total_increasing"
    assert state.attributes["unit_of_measurement"] == "kWh"


async def test_only_known_channels_of_the_meter_become_entities(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Show no empty phases of a single-phase meter, and leave foreign sensors alone."""
    server.device.sensors["WiFi signal"] = -60.0
    await add_meter(server.port)
    assert hass.states.get("sensor.nrj_meter_voltage_l2") is None
    assert hass.states.get("sensor.nrj_meter_wifi_signal") is None


async def test_frequency_of_a_phase_is_disabled_by_default(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Keep the rarely wanted frequency of a phase disabled in the registry."""
    await add_meter(server.port)
    entity = er.async_get(hass).async_get("sensor.nrj_meter_frequency_l1")
    assert entity is not None
    assert entity.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    assert hass.states.get("sensor.nrj_meter_frequency_l1") is None


async def test_no_valid_measurement_is_unknown_and_not_unavailable(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Show a reading the present meter can not take as unknown."""
    server.device.sensors["Active power"] = None
    await add_meter(server.port)
    await state_is(hass, POWER, "unknown")
    await state_is(hass, VOLTAGE, "230.0")
    server.measure(voltage_l1=float("nan"))
    await state_is(hass, VOLTAGE, "unknown")
    server.measure(voltage_l1=float("inf"))
    server.measure(voltage_l1=229.25)
    await state_is(hass, VOLTAGE, "229.25")


async def test_noise_of_the_wire_format_does_not_show(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """230.12 arrives as the 32-bit float 230.11999512 and is 230.12 again."""
    server.device.sensors["Voltage L1"] = 230.12
    await add_meter(server.port)
    await state_is(hass, VOLTAGE, "230.12")


async def test_a_fast_stream_is_written_once_a_second_and_its_end_is_not_lost(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Write a power received five times a second once a second."""
    await add_meter(server.port)
    await state_is(hass, POWER, "1500.0")
    written: list[tuple[float, str]] = []

    @callback
    def on_change(event: Event[EventStateChangedData]) -> None:
        if event.data["entity_id"] == POWER and (state := event.data["new_state"]):
            written.append((hass.loop.time(), state.state))

    hass.bus.async_listen(EVENT_STATE_CHANGED, on_change)
    for step in range(1, 13):
        server.measure(active_power=1500.0 + 100.0 * step)
        await asyncio.sleep(0.2)
    await state_is(hass, POWER, "2700.0", within=1.5)
    assert 2 <= len(written) <= 4
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(written)]
    assert min(gaps) >= 0.95


async def test_a_change_too_small_to_matter_is_not_written(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Noise of the measurement does not fill the database."""
    await add_meter(server.port)
    before = await state_is(hass, POWER, "1500.0")
    for _ in range(6):
        server.measure(active_power=1500.9)
        await asyncio.sleep(0.2)
    assert hass.states.get(POWER) is before


async def test_a_small_drift_is_written_after_a_minute_without_further_readings(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No state is older than a minute (shortened to three seconds here)."""
    monkeypatch.setattr(throttle, "MAX_INTERVAL", 3.0)
    await add_meter(server.port)
    await state_is(hass, POWER, "1500.0")
    server.measure(active_power=1500.9)
    await asyncio.sleep(1.5)
    await state_is(hass, POWER, "1500.0")
    await state_is(hass, POWER, "1500.9", within=5.0)

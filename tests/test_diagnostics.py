"""Diagnostics of a meter for a bug report."""

from homeassistant.core import HomeAssistant

from custom_components.nrj_monitor.diagnostics import async_get_config_entry_diagnostics
from tests.conftest import HOST, AddMeter
from tests.support.device import KEY, MAC, DeviceServer
from tests.support.states import state_is


async def test_diagnostics_have_readings_and_no_secret(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Readings and relays are there; key, address and MAC are not."""
    server.device.key = KEY
    entry = await add_meter(server.port, KEY)
    await state_is(hass, "sensor.nrj_meter_voltage_l1", "230.0")
    report = await async_get_config_entry_diagnostics(hass, entry)
    assert report["connected"]
    assert report["snapshot"]["voltage_l1"] == 230.0
    assert report["relays"] == {"relay_1": False, "relay_2": True}
    for secret in (KEY, HOST, MAC.lower()):
        assert secret not in str(report)


async def test_diagnostics_of_an_unloaded_entry_have_its_data(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """A meter without a working set-up needs diagnostics most."""
    entry = await add_meter(server.port)
    assert await hass.config_entries.async_unload(entry.entry_id)
    report = await async_get_config_entry_diagnostics(hass, entry)
    assert set(report) == {"entry"}
    assert MAC.lower() not in str(report)

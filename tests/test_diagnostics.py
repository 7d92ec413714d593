"""What can be sent along with a bug report."""

from homeassistant.core import HomeAssistant

from custom_components.nrj_monitor.diagnostics import async_get_config_entry_diagnostics
from tests.conftest import HOST, AddMeter
from tests.support.device import KEY, MAC, DeviceServer
from tests.support.states import state_is


async def test_it_helps_and_holds_no_secret(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Readings and relays are in it; key, address and MAC are not."""
    server.device.key = KEY
    entry = await add_meter(server.port, KEY)
    await state_is(hass, "sensor.nrj_meter_voltage_l1", "230.0")
    report = await async_get_config_entry_diagnostics(hass, entry)
    assert report["connected"]
    assert report["snapshot"]["voltage_l1"] == 230.0
    assert report["relays"] == {"relay_1": False, "relay_2": True}
    for secret in (KEY, HOST, MAC.lower()):
        assert secret not in str(report)


async def test_it_works_for_a_meter_that_is_not_set_up(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """That is when it is needed."""
    entry = await add_meter(server.port)
    assert await hass.config_entries.async_unload(entry.entry_id)
    report = await async_get_config_entry_diagnostics(hass, entry)
    assert set(report) == {"entry"}
    assert MAC.lower() not in str(report)

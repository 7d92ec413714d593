"""Set up a meter in Home Assistant, take the meter away, and bring the meter back."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from tests.conftest import AddMeter
from tests.support.device import DeviceServer
from tests.support.states import state_is


async def test_readings_are_there_after_adding_a_meter(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Readings, units and relay states show as soon as the meter is added."""
    entry = await add_meter(server.port)
    assert entry.state is ConfigEntryState.LOADED
    voltage = await state_is(hass, "sensor.nrj_meter_voltage_l1", "230.0")
    assert voltage.attributes["unit_of_measurement"] == "V"
    await state_is(hass, "sensor.nrj_meter_rejected_frames", "0")
    await state_is(hass, "switch.nrj_meter_relay_1", "off")
    await state_is(hass, "switch.nrj_meter_relay_2", "on")

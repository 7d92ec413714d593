"""Reading and switching of loads of each domain."""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import Context, HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from custom_components.nrj_monitor.loads.managed_device import ManagedDevice

CAR = {"entity": "number.car", "value_on": 16, "value_off": 6}


async def switch(
    hass: HomeAssistant, device: ManagedDevice, on: bool, domain: str, action: str
) -> Mapping[str, Any]:
    """Switch the device, and return the data of the action."""
    calls = async_mock_service(hass, domain, action)
    await device.switch(on, Context())
    assert len(calls) == 1
    data: Mapping[str, Any] = calls[0].data
    return data


def power_now(device: ManagedDevice) -> float | None:
    """Return the measured power of the load, W."""
    return device.power


def level_now(device: ManagedDevice) -> float | None:
    """Return the power to which the load is set, W."""
    return device.level


def on_now(device: ManagedDevice) -> bool | None:
    """Update the device as each tick does; return whether the load is on."""
    device.update()
    return device.is_on


@pytest.mark.parametrize(
    "domain", ["switch", "light", "fan", "humidifier", "input_boolean"]
)
async def test_what_is_on_or_off(hass: HomeAssistant, domain: str) -> None:
    """An unavailable entity is neither on nor off."""
    device = ManagedDevice(hass, {"entity": f"{domain}.it"})
    assert on_now(device) is None
    for state, on in (("on", True), ("off", False), ("unavailable", None)):
        hass.states.async_set(f"{domain}.it", state)
        assert on_now(device) is on
    data = await switch(hass, device, True, domain, "turn_on")
    assert data["entity_id"] in (f"{domain}.it", [f"{domain}.it"])
    await switch(hass, device, False, domain, "turn_off")


async def test_a_climate_goes_back_to_its_mode(hass: HomeAssistant) -> None:
    """A climate returns to its last mode, to the first mode, or is turned on."""
    modes = {"hvac_modes": ["off", "cool", "heat"]}
    device = ManagedDevice(hass, {"entity": "climate.it"})
    hass.states.async_set("climate.it", "off", modes)
    assert on_now(device) is False
    data = await switch(hass, device, True, "climate", "set_hvac_mode")
    assert data["hvac_mode"] == "cool"
    hass.states.async_set("climate.it", "heat", modes)
    assert on_now(device) is True
    data = await switch(hass, device, False, "climate", "set_hvac_mode")
    assert data["hvac_mode"] == "off"
    data = await switch(hass, device, True, "climate", "set_hvac_mode")
    assert data["hvac_mode"] == "heat"
    hass.states.async_set("climate.it", "off", {})
    await switch(hass, device, True, "climate", "turn_on")


async def test_a_water_heater(hass: HomeAssistant) -> None:
    """A water heater is switched by its mode, or turned on and off."""
    device = ManagedDevice(hass, {"entity": "water_heater.it"})
    listed = {"operation_list": ["off", "eco", "performance"], "supported_features": 2}
    hass.states.async_set("water_heater.it", "performance", listed)
    assert on_now(device) is True
    data = await switch(hass, device, False, "water_heater", "set_operation_mode")
    assert data["operation_mode"] == "off"
    data = await switch(hass, device, True, "water_heater", "set_operation_mode")
    assert data["operation_mode"] == "performance"
    hass.states.async_set("water_heater.it", "eco", {"supported_features": 8})
    await switch(hass, device, False, "water_heater", "turn_off")
    await switch(hass, device, True, "water_heater", "turn_on")


@pytest.mark.parametrize(
    ("features", "calls"),
    [
        (3, [("open_valve", {}), ("close_valve", {})]),
        (
            4,
            [
                ("set_valve_position", {"position": 100}),
                ("set_valve_position", {"position": 0}),
            ],
        ),
    ],
)
async def test_a_valve(
    hass: HomeAssistant, features: int, calls: list[tuple[str, dict[str, int]]]
) -> None:
    """A valve is opened and closed, or set to a position where it knows nothing else."""
    device = ManagedDevice(hass, {"entity": "valve.it"})
    for state, on in (("closed", False), ("opening", True), ("open", True)):
        hass.states.async_set("valve.it", state, {"supported_features": features})
        assert on_now(device) is on
    hass.states.async_set("valve.it", "closing", {"supported_features": features})
    assert on_now(device) is False
    for on, (action, fields) in zip((True, False), calls, strict=True):
        data = await switch(hass, device, on, "valve", action)
        assert data == {"entity_id": "valve.it", **fields}


@pytest.mark.parametrize("domain", ["select", "input_select"])
async def test_a_choice(hass: HomeAssistant, domain: str) -> None:
    """A choice is on or off by two of its options; any other tells neither."""
    entity = f"{domain}.it"
    data = {"entity": entity, "option_on": "Comfort", "option_off": "Eco"}
    device = ManagedDevice(hass, data)
    for state, on in (("Comfort", True), ("Eco", False), ("Away", None)):
        hass.states.async_set(entity, state)
        assert on_now(device) is on
    for on, option in ((True, "Comfort"), (False, "Eco")):
        sent = await switch(hass, device, on, domain, "select_option")
        assert sent == {"entity_id": entity, "option": option}


async def test_a_charger_s_current_limit(hass: HomeAssistant) -> None:
    """A limit set by a person returns."""
    device = ManagedDevice(hass, CAR)
    for value, on in (("16", True), ("6", False), ("10", True), ("low", None)):
        hass.states.async_set("number.car", value)
        assert on_now(device) is on, value
    data = await switch(hass, device, False, "number", "set_value")
    assert data["value"] == 6
    data = await switch(hass, device, True, "number", "set_value")
    assert data["value"] == 10
    fresh = ManagedDevice(hass, CAR)
    data = await switch(hass, fresh, True, "number", "set_value")
    assert data["value"] == 16


async def test_a_charger_is_set_to_a_power(hass: HomeAssistant) -> None:
    """A level set by the arbiter does not return as a person's setting."""
    device = ManagedDevice(hass, CAR | {"power": 2300})
    for value, level in (("16", 2300), ("6", 0), ("11", 1150), ("32", 2300)):
        hass.states.async_set("number.car", value)
        assert level_now(device) == level, value
    for value in ("unavailable", "nan"):
        hass.states.async_set("number.car", value)
        assert level_now(device) is None
    hass.states.async_remove("number.car")
    assert level_now(device) is None
    calls = async_mock_service(hass, "number", "set_value")
    await device.switch(True, Context(), 920.0)
    assert calls[0].data["value"] == 10
    hass.states.async_set("number.car", "10")
    assert on_now(device) is True
    await device.switch(True, Context())
    assert calls[1].data["value"] == 16


async def test_scripts_do_not_tell(hass: HomeAssistant) -> None:
    """The state after the last script is assumed."""
    device = ManagedDevice(
        hass, {"script_on": "script.up", "script_off": "script.down"}
    )
    assert on_now(device) is True
    assert device.watched == []
    data = await switch(hass, device, False, "script", "turn_on")
    assert data["entity_id"] == "script.down"
    assert on_now(device) is False
    data = await switch(hass, device, True, "script", "turn_on")
    assert data["entity_id"] == "script.up"


async def test_what_it_draws(hass: HomeAssistant) -> None:
    """The power is in W for each unit of the sensor; unknown without a measurement."""
    device = ManagedDevice(hass, {"entity": "switch.it", "power_sensor": "sensor.it"})
    assert device.watched == ["switch.it", "sensor.it"]
    assert power_now(device) is None
    hass.states.async_set("sensor.it", "1.5", {"unit_of_measurement": "kW"})
    assert power_now(device) == 1500
    hass.states.async_set("sensor.it", "700", {"unit_of_measurement": "W"})
    assert power_now(device) == pytest.approx(700)
    hass.states.async_set("sensor.it", "much")
    assert power_now(device) is None


async def test_a_power_that_is_not_reported_any_more_is_none(
    hass: HomeAssistant,
) -> None:
    """A constant power that is reported counts, a frozen one does not; nothing is nothing."""
    sensor = "sensor.plug"
    device = ManagedDevice(hass, {"entity": "switch.plug", "power_sensor": sensor})
    device.watch_power(0.0)
    assert power_now(device) is None
    for second in range(0, 600, 5):
        hass.states.async_set(sensor, "1.5", {"unit_of_measurement": "kW"})
        device.watch_power(float(second))
    assert power_now(device) == 1500
    device.watch_power(605.0)
    assert power_now(device) == 1500
    device.watch_power(620.0)
    assert power_now(device) is None
    hass.states.async_set(sensor, "1.5")
    device.watch_power(621.0)
    assert power_now(device) == 1500, "and its unit is the one it had"
    for second in range(622, 700):
        hass.states.async_set(sensor, "0")
        device.watch_power(float(second))
    device.watch_power(9000.0)
    assert power_now(device) == 0, "where nothing flows, many report nothing new"

"""Assist's own intents switch relays and read sensors by their aliases."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
import pytest

from custom_components.nrj_monitor.const import DOMAIN
from tests.conftest import AddMeter
from tests.support.assist import answer, async_set_up_assist, expose
from tests.support.device import MAC, Device, DeviceServer
from tests.support.states import state_is, state_where

SENSORS = {
    "Voltage L1": 231.25,
    "Voltage L2": 229.5,
    "Current L2": 6.25,
    "Active power L2": 1400.0,
    "Active power": 2500.0,
    "Frequency": 49.983,
    "Import energy": 1234.5,
}

PHRASES: dict[str, dict[str, Any]] = {
    "en": {
        "on": "turn on {}",
        "off": "turn off {}",
        "relays": ("relay one", "relay 1", "the relay one", "NRJ Meter relay 1"),
        "second": "relay two",
        "queries": {
            "what is the grid power": "Grid power is 2500 W",
            "what's the active power": "Active power is 2500 W",
            "what is the grid frequency": "Grid frequency is 49.983 Hz",
            "what is the voltage on L1": "Voltage on l1 is 231.2 V",
            "what is the voltage of phase two": "Voltage of phase two is 229.5 V",
            "what is the power on phase 2": "Power on phase 2 is 1400 W",
            "what is the current L2": "Current l2 is 6.25 A",
            "what is the energy from the grid": "Energy from the grid is 1234.50 kWh",
        },
    },
    "fr": {
        "on": "allume {}",
        "off": "éteins {}",
        "relays": ("le relais un", "le relais 1", "relais un", "NRJ Meter relais 1"),
        "second": "le relais deux",
        "queries": {
            "quelle est la puissance du réseau": "Puissance du réseau est 2500 W",
            "quelle est la fréquence du réseau": "Fréquence du réseau est 49.983 Hz",
            "quelle est la tension de la phase deux": (
                "Tension de la phase deux est 229.5 V"
            ),
            "quelle est la puissance sur L2": "Puissance sur l2 est 1400 W",
            "quel est le courant de la phase 2": "Courant de la phase 2 est 6.25 A",
        },
    },
}


def meter_sensors(hass: HomeAssistant) -> list[str]:
    """Return the entity ids of all meters' sensors."""
    registry = er.async_get(hass)
    return [
        entity_id
        for entity_id in hass.states.async_entity_ids("sensor")
        if (entity := registry.async_get(entity_id)) and entity.platform == DOMAIN
    ]


def relay(hass: HomeAssistant, number: int, mac: str = MAC) -> str:
    """Return the entity id of a relay, in any language."""
    entity_id = er.async_get(hass).async_get_entity_id(
        "switch", DOMAIN, f"{mac.lower()}_relay_{number}"
    )
    assert entity_id is not None
    return entity_id


def aliases(hass: HomeAssistant, entity_id: str) -> list[str]:
    """Return all names by which Assist finds an entity."""
    registry = er.async_get(hass)
    entity = registry.async_get(entity_id)
    assert entity is not None
    return er.async_get_entity_aliases(hass, entity)


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_relays_are_switched_by_alias(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer, language: str
) -> None:
    """Relays switch on and off, with their number as a digit or a word."""
    phrases = PHRASES[language]
    await async_set_up_assist(hass, language)
    await add_meter(server.port)
    await state_is(hass, relay(hass, 1), "off")
    for name in phrases["relays"]:
        await answer(hass, phrases["on"].format(name))
        assert server.device.relays == {"Relay 1": True, "Relay 2": True}, name
        await answer(hass, phrases["off"].format(name))
        assert server.device.relays == {"Relay 1": False, "Relay 2": True}, name
    await answer(hass, phrases["off"].format(phrases["second"]))
    assert server.device.relays == {"Relay 1": False, "Relay 2": False}


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_sensors_are_read_by_alias(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer, language: str
) -> None:
    """The response about an exposed sensor has its value and unit."""
    server.device.sensors = dict(SENSORS)
    await async_set_up_assist(hass, language)
    await add_meter(server.port)
    for entity_id in meter_sensors(hass):
        await state_where(hass, entity_id, lambda state: state.state != "unavailable")
    expose(hass, *meter_sensors(hass))
    for query, expected in PHRASES[language]["queries"].items():
        assert await answer(hass, query) == expected


async def test_relay_is_found_by_area_and_class(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Relays of a meter in an area are switches of the area."""
    await async_set_up_assist(hass, "en")
    entry = await add_meter(server.port)
    await state_is(hass, relay(hass, 2), "on")
    cellar = ar.async_get(hass).async_create("Cellar")
    devices = dr.async_get(hass)
    for device in dr.async_entries_for_config_entry(devices, entry.entry_id):
        devices.async_update_device(device.id, area_id=cellar.id)
    assert (
        await answer(hass, "turn on relay one in the cellar") == "Turned on the switch"
    )
    assert server.device.relays == {"Relay 1": True, "Relay 2": True}
    await answer(hass, "turn off relay two in the cellar")
    on = await answer(hass, "which switches are on")
    assert on == "NRJ Meter Relay 1"


async def test_relay_named_in_the_firmware_has_that_name(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """A relay named Boiler is switched as boiler."""
    server.device.relays = {"Boiler": False}
    await async_set_up_assist(hass, "en")
    await add_meter(server.port)
    await state_is(hass, "switch.nrj_meter_boiler", "off")
    await answer(hass, "switch on the boiler")
    assert server.device.relays == {"Boiler": True}


async def test_aliases_changed_by_a_person_stay(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Aliases are assigned once, not at each start."""
    await async_set_up_assist(hass, "en")
    entry = await add_meter(server.port)
    assert aliases(hass, relay(hass, 1)) == [
        "NRJ Meter Relay 1",
        "Relay 1",
        "Relay one",
    ]
    registry = er.async_get(hass)
    registry.async_update_entity(relay(hass, 1), aliases=["Pool pump"])
    registry.async_update_entity(relay(hass, 2), aliases=[er.COMPUTED_NAME])
    assert await hass.config_entries.async_reload(entry.entry_id)
    await state_is(hass, relay(hass, 1), "off")
    assert aliases(hass, relay(hass, 1)) == ["Pool pump"]
    assert aliases(hass, relay(hass, 2)) == ["NRJ Meter Relay 2"]
    await answer(hass, "turn on the pool pump")
    assert server.device.relays["Relay 1"]


async def test_alias_of_another_entity_is_not_assigned(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Relay 1 of the second meter has its full name only."""
    await async_set_up_assist(hass, "en")
    await add_meter(server.port)
    mac = "02:4E:52:4A:00:08"
    garage = Device(
        name="nrj-garage",
        friendly_name="Garage",
        mac=mac,
        relays={"Relay 1": False, "Relay 3": False, "Relay 12": False},
    )
    async with DeviceServer(garage) as other:
        await add_meter(other.port)
        await state_is(hass, relay(hass, 1, mac), "off")
        await answer(hass, "turn on relay one")
        assert server.device.relays["Relay 1"]
        assert not garage.relays["Relay 1"]
        await answer(hass, "turn on garage relay 1")
        await answer(hass, "turn on relay three")
        await answer(hass, "turn on relay 12")
        assert garage.relays == {"Relay 1": True, "Relay 3": True, "Relay 12": True}
        for entry in hass.config_entries.async_entries(DOMAIN):
            assert await hass.config_entries.async_unload(entry.entry_id)


async def test_other_languages_have_english_aliases(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """A language without translations has English names and English aliases."""
    await async_set_up_assist(hass, "de-AT")
    await add_meter(server.port)
    await state_is(hass, relay(hass, 1), "off")
    assert "Relay one" in aliases(hass, relay(hass, 1))

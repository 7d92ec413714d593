"""Queries to Assist about the supply, with the sentences of the docs."""

from pathlib import Path
import shutil
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest

from custom_components.nrj_monitor.const import CONF_MAIN_FUSE, DOMAIN
from nrj_tools.firmware import RunningFirmware
from tests.conftest import AddMeter
from tests.support.assist import answer, async_set_up_assist, say
from tests.support.device import MAC, Device, DeviceServer
from tests.support.states import state_is, state_where

SENTENCES = Path(__file__).parents[2] / "docs" / "sentences"

SENSORS: dict[str, float | None] = {
    "Voltage L1": 231.0,
    "Voltage L2": 229.0,
    "Voltage L3": 233.0,
    "Current L1": 1.5,
    "Current L2": 16.5,
    "Current L3": 2.0,
    "Active power L1": 250.0,
    "Active power L2": 3700.0,
    "Active power L3": 280.0,
    "Active power": 4230.0,
    "Frequency": 49.98,
}

QUERIES: dict[str, dict[str, list[str]]] = {
    "en": {
        "grid": [
            "is the grid stable",
            "Is the grid stable?",
            "is the mains okay right now",
            "how is the grid",
            "how stable is the power grid",
            "is anything wrong with the mains",
            "is the grid frequency normal",
        ],
        "power": [
            "what is using the power",
            "What's using all the electricity?",
            "what uses the most power",
            "what is using so much power",
            "what is drawing power right now",
            "where does all the power go",
            "where is my electricity going",
            "which phase carries most",
            "which phase draws the most power",
        ],
        "load": [
            "which phase is overloaded",
            "Which phases are overloaded?",
            "is a phase overloaded",
            "are any of the phases overloaded",
            "is any phase close to being overloaded",
            "how loaded are the phases",
            "is the main fuse overloaded",
        ],
    },
    "fr": {
        "grid": [
            "est-ce que le réseau est stable",
            "Le réseau est-il stable ?",
            "le réseau électrique est stable",
            "comment va le réseau",
            "y a-t-il un problème avec le réseau",
            "est-ce qu'il y a un problème sur le secteur",
            "le réseau va-t-il bien",
        ],
        "power": [
            "qu'est-ce qui consomme",
            "qu'est-ce qui consomme le plus",
            "qu'est-ce qui consomme l'électricité",
            "Qu'est-ce qui consomme autant d'électricité ?",
            "qu'est-ce qui utilise toute l'électricité",
            "où va le courant",
            "où passe toute l'électricité",
            "quelle phase consomme le plus",
            "quelle phase tire le plus de puissance",
        ],
        "load": [
            "quelle phase est en surcharge",
            "Quelle phase est surchargée ?",
            "quelles phases sont surchargées",
            "est-ce qu'une phase est en surcharge",
            "une phase est-elle surchargée",
            "y a-t-il une phase en surcharge",
            "quelle phase est la plus chargée",
        ],
    },
}

RESPONSES: dict[str, dict[str, str]] = {
    "en": {
        "grid": "The grid is stable: 49.98 Hz, 229 to 233 V.",
        "power": (
            "The house draws 4.2 kW from the grid. L2 draws most, 3.7 kW. No device "
            "tells what it uses. Switched on: Relay 2."
        ),
        "load": (
            "I do not know what your main fuse allows: it can be set in the options of "
            "the meter. The most loaded phase is L2, 16.5 A."
        ),
    },
    "fr": {
        "grid": "Le réseau est stable : 49,98 Hz, 229 à 233 V.",
        "power": (
            "La maison soutire 4,2 kW du réseau. L2 soutire le plus, 3,7 kW. Aucun "
            "appareil ne dit ce qu’il consomme. Allumés : Relais 2."
        ),
        "load": (
            "Je ne sais pas ce que permet votre fusible principal : il se règle dans les "
            "options du compteur. La phase la plus chargée est L2, 16,5 A."
        ),
    },
}


@pytest.fixture
def sentences_copied(hass: HomeAssistant, tmp_path: Path) -> None:
    """Copy the sentences to the configuration, as the docs describe."""
    shutil.copytree(SENTENCES, tmp_path / "custom_sentences")
    hass.config.config_dir = str(tmp_path)


async def wait_reading(hass: HomeAssistant, key: str = "active_power") -> None:
    """Wait until a sensor of the meter has a reading, in any language."""
    entity_id = er.async_get(hass).async_get_entity_id(
        "sensor", DOMAIN, f"{MAC.lower()}_{key}"
    )
    assert entity_id is not None
    await state_where(hass, entity_id, lambda state: state.state != "unavailable")


@pytest.mark.usefixtures("sentences_copied")
@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("subject", ["grid", "power", "load"])
async def test_sentences_of_a_query_get_its_response(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    language: str,
    subject: str,
) -> None:
    """Every sentence of a query gets the same response, in the sentence's language."""
    server.device.sensors = dict(SENSORS)
    await async_set_up_assist(hass, language)
    await add_meter(server.port)
    await wait_reading(hass)
    for query in QUERIES[language][subject]:
        response = await answer(hass, query, language)
        assert response == RESPONSES[language][subject], query


@pytest.mark.usefixtures("sentences_copied")
async def test_response_has_the_language_of_the_sentence(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """A house set up in English responds to a French sentence in French."""
    server.device.sensors = dict(SENSORS)
    await async_set_up_assist(hass, "en")
    await add_meter(server.port)
    await wait_reading(hass)
    response = await answer(hass, "le réseau est-il stable", "fr")
    assert response == RESPONSES["fr"]["grid"]


@pytest.mark.usefixtures("sentences_copied")
async def test_response_follows_the_latest_readings(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Responses use the meter's readings, not the states written to the recorder."""
    server.device.sensors = dict(SENSORS)
    await async_set_up_assist(hass, "en")
    entry = await add_meter(server.port)
    await wait_reading(hass)
    server.measure(voltage_l3=198.0, frequency=49.5)
    await state_is(hass, "sensor.nrj_meter_frequency", "49.5")
    assert await answer(hass, "is the grid stable") == (
        "The grid is not normal: L3 has 198 V, less than 207 V and the frequency is "
        "49.50 Hz, below 49.8 Hz."
    )
    hass.config_entries.async_update_entry(entry, options={CONF_MAIN_FUSE: 16.0})
    assert await answer(hass, "which phase is overloaded") == (
        "L2 is overloaded: 16.5 A, the main fuse is for 16 A."
    )


@pytest.mark.usefixtures("sentences_copied")
async def test_main_fuse_of_the_options_is_the_limit(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """The rating entered in the options is the limit in the response."""
    server.device.sensors = dict(SENSORS)
    await async_set_up_assist(hass, "en")
    entry = await add_meter(server.port)
    form = await hass.config_entries.options.async_init(entry.entry_id)
    await hass.config_entries.options.async_configure(
        form["flow_id"], {CONF_MAIN_FUSE: 25}
    )
    await hass.async_block_till_done()
    await wait_reading(hass)
    assert await answer(hass, "which phase is overloaded") == (
        "No phase is overloaded. The most loaded is L2, 16.5 of 25 A."
    )


@pytest.mark.usefixtures("sentences_copied")
async def test_recent_dip_is_part_of_the_response(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """The response names the last disturbance of the meter's event entity."""
    server.device.sensors = dict(SENSORS)
    await async_set_up_assist(hass, "en")
    entry = await add_meter(server.port)
    await wait_reading(hass)
    event = er.async_get(hass).async_get_or_create(
        "event", DOMAIN, f"{MAC.lower()}_told_of", config_entry=entry
    )
    hass.states.async_set(
        event.entity_id,
        dt_util.utcnow().isoformat(timespec="milliseconds"),
        {"event_type": "dip", "phase": "L2"},
    )
    response = await answer(hass, "is the grid stable")
    assert response.endswith("The last disturbance was a voltage dip on L2, just now.")
    hass.states.async_set(event.entity_id, "unknown", {"event_type": None})
    assert await answer(hass, "is the grid stable") == RESPONSES["en"]["grid"]


@pytest.mark.usefixtures("sentences_copied")
async def test_missing_and_offline_meters_have_a_response(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Without a meter or a link the response has no readings."""
    await async_set_up_assist(hass, "en")
    assert await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done()
    assert await answer(hass, "is the grid stable") == "No meter is set up."
    await add_meter(server.port)
    await state_is(hass, "sensor.nrj_meter_voltage_l1", "230.0")
    await server.stop()
    await state_is(hass, "sensor.nrj_meter_voltage_l1", "unavailable")
    assert await answer(hass, "is the grid stable") == "The meter cannot be reached."


@pytest.mark.usefixtures("sentences_copied")
async def test_two_meters_respond_by_name(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """A query gets the response of each meter, with its name."""
    server.device.sensors = dict(SENSORS)
    await async_set_up_assist(hass, "en")
    await add_meter(server.port)
    await wait_reading(hass)
    garage = Device(
        name="garage",
        friendly_name="Garage",
        mac="02:4E:52:4A:00:08",
        sensors={"Voltage L1": 230.0, "Current L1": 3.0},
    )
    async with DeviceServer(garage) as other:
        await add_meter(other.port)
        await state_is(hass, "sensor.garage_voltage_l1", "230.0")
        assert await answer(hass, "is the grid stable") == (
            "Garage: The grid is stable: 230 V. "
            "NRJ Meter: The grid is stable: 49.98 Hz, 229 to 233 V."
        )
        for entry in hass.config_entries.async_entries(DOMAIN):
            assert await hass.config_entries.async_unload(entry.entry_id)


async def test_sentences_need_the_copied_files(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Without the files Assist does not understand the sentences."""
    await async_set_up_assist(hass, "fr")
    await add_meter(server.port)
    response = await say(hass, "qu'est-ce qui consomme le plus")
    assert response.error_code is not None


# The recorder must start before Home Assistant.
@pytest.mark.usefixtures("recorder_mock", "sentences_copied")
async def test_devices_of_the_energy_dashboard_are_named(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    hass_ws_client: Any,
) -> None:
    """Devices of the energy dashboard with a power sensor are part of the response."""
    server.device.sensors = dict(SENSORS)
    await async_set_up_assist(hass, "en")
    assert await async_setup_component(hass, "energy", {})
    await add_meter(server.port)
    await wait_reading(hass)
    kilowatts = {"unit_of_measurement": "kW", "device_class": "power"}
    hass.states.async_set("sensor.oven_power", "2.1", kilowatts)
    hass.states.async_set("sensor.car_power", "unavailable", kilowatts)
    hass.states.async_set("sensor.roof_power", "1", kilowatts)
    client = await hass_ws_client(hass)
    await client.send_json_auto_id(
        {
            "type": "energy/save_prefs",
            "device_consumption": [
                {
                    "stat_consumption": "sensor.oven_energy",
                    "stat_rate": "sensor.oven_power",
                    "name": "Oven",
                },
                {
                    "stat_consumption": "sensor.car_energy",
                    "stat_rate": "sensor.car_power",
                },
                {"stat_consumption": "sensor.fridge_energy"},
            ],
            "energy_sources": [
                {
                    "type": "solar",
                    "stat_energy_from": "sensor.roof_energy",
                    "stat_rate": "sensor.roof_power",
                    "config_entry_solar_forecast": None,
                }
            ],
        }
    )
    assert (await client.receive_json())["success"]
    # 4230 W from the grid and 1000 W from the roof, less 2100 W for the oven.
    assert await answer(hass, "what is using the power") == (
        "The house draws 4.2 kW from the grid. L2 draws most, 3.7 kW. Oven uses 2.1 kW. "
        "3.1 kW more goes to what has no meter of its own. Switched on: Relay 2."
    )


@pytest.mark.usefixtures("sentences_copied")
async def test_real_firmware_responds(
    hass: HomeAssistant, add_meter: AddMeter, firmware: RunningFirmware
) -> None:
    """The simulated house has an ordinary supply, three phases and consumers."""
    await async_set_up_assist(hass, "en")
    await add_meter(firmware.port)
    await state_where(
        hass,
        "sensor.nrj_meter_voltage_l3",
        lambda state: state.state not in ("unavailable", "unknown"),
    )
    response = await answer(hass, "is the grid stable")
    assert response.startswith("The grid is stable: "), response
    assert " Hz, 2" in response
    assert " the grid. L" in await answer(hass, "what is using the power")
    assert "The most loaded phase is L" in await answer(
        hass, "which phase is overloaded"
    )

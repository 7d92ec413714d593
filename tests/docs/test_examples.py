"""Run the rules of their owner over every example in the documents."""

import json
from pathlib import Path
import re
import sys
from typing import Any
from unittest.mock import MagicMock

from homeassistant.components.automation.config import async_validate_config_item
from homeassistant.components.script.config import (
    async_validate_config_item as async_validate_script_item,
)
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.check_config import async_check_ha_config_file
from homeassistant.setup import async_setup_component
import jsonschema
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.sources import mqtt_makes
from custom_components.nrj_monitor.sources.mqtt_layouts import (
    decode_three_phases,
    decoder,
    mapping_decoder,
)
from custom_components.nrj_monitor.sources.mqtt_makes import MAKES
from nrj_replay import house_file, thresholds_file
from tests.conftest import AddMeter
from tests.support.device import DeviceServer
from tests.support.states import state_is

from .pages import PAGES, blocks
from .snippets import KINDS, SNIPPETS, Snippet, kinds_of, snippets

EN_JSON = Path(mqtt_makes.__file__).parents[1] / "translations" / "en.json"
EXAMPLES: list[dict[str, Any]] = [
    snippet.content for snippet in SNIPPETS if snippet.block.page.name == "using.md"
]
AUTOMATIONS = {s.content["alias"]: s.content for s in snippets("automation")}

PROMETHEUS_JOB = {
    "type": "object",
    "additionalProperties": False,
    "required": ["scrape_configs"],
    "properties": {
        "scrape_configs": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["job_name", "static_configs"],
                "properties": {
                    "job_name": {"type": "string"},
                    "metrics_path": {"type": "string", "pattern": "^/"},
                    "scheme": {"enum": ["http", "https"]},
                    "authorization": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["credentials"],
                        "properties": {"credentials": {"type": "string"}},
                    },
                    "static_configs": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["targets"],
                            "properties": {
                                "targets": {
                                    "type": "array",
                                    "items": {
                                        "type": "string",
                                        "pattern": r"^[^:/]+:\d+$",
                                    },
                                }
                            },
                        },
                    },
                },
            },
        }
    },
}
"""Of what Prometheus' documentation lists for `scrape_config`, what the example needs."""


def named(snippet: Snippet) -> str:
    """Return the name of a snippet's test."""
    return snippet.id


@pytest.mark.parametrize("snippet", SNIPPETS, ids=named)
def test_every_snippet_is_judged_by_somebody(snippet: Snippet) -> None:
    """Match exactly a single kind to each snippet; firmware_tests check ESPHome's."""
    assert isinstance(snippet.content, dict)
    assert len(kinds_of(snippet)) == 1


def test_nobody_judges_in_vain() -> None:
    """Every kind has a snippet on some page."""
    assert all(snippets(kind) for kind in KINDS)


@pytest.mark.usefixtures("integration")
@pytest.mark.parametrize("alias", AUTOMATIONS)
async def test_example_is_a_valid_automation(hass: HomeAssistant, alias: str) -> None:
    """Home Assistant accepts the example as written."""
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, DOMAIN, {})
    valid = await async_validate_config_item(hass, alias, AUTOMATIONS[alias])
    assert valid is not None
    assert valid.validation_status == "ok", valid.validation_error


async def test_examples_name_entities_as_the_meter_has_them(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """A meter with its default name has the entities in the examples."""
    sensors = ["Current L1", "Current L2", "Current L3", "Active power", "Frequency"]
    server.device.sensors = dict.fromkeys(sensors, 1.0)
    await add_meter(server.port)
    known = {
        entity.entity_id
        for entity in er.async_get(hass).entities.values()
        if entity.platform == DOMAIN
    }
    named = set(re.findall(r"\b(?:sensor|switch)\.nrj_meter_\w+", str(EXAMPLES)))
    assert named
    assert named <= known


@pytest.mark.parametrize("snippet", snippets("action"), ids=named)
async def test_an_example_is_a_valid_action(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer, snippet: Snippet
) -> None:
    """A script accepts the action, and the action of the integration its fields."""
    config = {"sequence": [snippet.content]}
    script = await async_validate_script_item(hass, "example", config)
    assert script is not None
    assert script.validation_status == "ok", script.validation_error
    await add_meter(server.port)
    domain, _, name = snippet.content["action"].partition(".")
    assert domain == DOMAIN
    action = hass.services.async_services_for_domain(domain)[name]
    assert action.schema is not None
    action.schema(snippet.content["data"])


@pytest.fixture
def influxdb_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for InfluxDB's libraries, which nothing but its integration needs."""
    for name in (
        "influxdb",
        "influxdb_client",
        "influxdb_client.client",
        "influxdb_client.client.write_api",
        "influxdb_client.rest",
    ):
        module = MagicMock()
        module.__path__ = []
        monkeypatch.setitem(sys.modules, name, module)


@pytest.mark.parametrize("snippet", snippets("home_assistant"), ids=named)
@pytest.mark.parametrize("wrong", [False, True])
async def test_an_example_is_a_valid_configuration(
    hass: HomeAssistant,
    influxdb_clients: None,
    tmp_path: Path,
    snippet: Snippet,
    wrong: bool,
) -> None:
    """Home Assistant's configuration check accepts the snippet and refuses a misspelt key."""
    text = snippet.block.text
    slip = text.replace("entity_globs:", "entity_globes:")
    assert slip != text
    (tmp_path / "configuration.yaml").write_text(slip if wrong else text)
    hass.config.config_dir = str(tmp_path)
    found = await async_check_ha_config_file(hass)
    assert bool(found.errors or found.warnings) is wrong, found


@pytest.mark.parametrize("snippet", snippets("prometheus_job"), ids=named)
def test_an_example_is_a_valid_job_of_prometheus(snippet: Snippet) -> None:
    """The schema accepts the job; tests/ngsi start a real Prometheus with the job."""
    jsonschema.validate(snippet.content, PROMETHEUS_JOB)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"scrape_configs": [{"job": "x"}]}, PROMETHEUS_JOB)


@pytest.mark.parametrize("snippet", snippets("replay_loads"), ids=named)
def test_an_example_is_a_house_that_can_be_replayed(
    snippet: Snippet, tmp_path: Path
) -> None:
    """scripts/replay reads the loads."""
    file = tmp_path / "loads.yaml"
    file.write_text(snippet.block.text)
    assert house_file.read(file).loads


@pytest.mark.parametrize("snippet", snippets("replay_thresholds"), ids=named)
def test_an_example_is_a_profile_that_can_be_replayed(
    snippet: Snippet, tmp_path: Path
) -> None:
    """scripts/replay reads the file, which has all thresholds and no other key."""
    file = tmp_path / "thresholds.yaml"
    file.write_text(snippet.block.text)
    assert thresholds_file.read(file)
    assert set(snippet.content) == {"nominal", *thresholds_file.STAGES}


@pytest.mark.parametrize("snippet", snippets("mqtt_mapping"), ids=named)
def test_an_example_is_a_valid_mapping(snippet: Snippet) -> None:
    """The mapping takes its readings out of messages, with the sums and signs it says."""
    decode = mapping_decoder(snippet.content)
    message = {
        "phases": [{"U": 230.1}],
        "total": {"kW": 1.5},
        "deviation": -0.02,
        "1.7.0": "0",
        "2.7.0": "1,5",
        "1.8.1": 100,
        "1.8.2": 50.5,
    }
    readings = decode(json.dumps(message).encode(), "house")
    if "import_energy" in snippet.content:
        readings |= decode(b"230.1", "meter/emeter/0/voltage")
        readings |= decode(b"4.5", "meter/emeter/0/current")
    expected = {
        "voltage_l1": 230.1,
        "current_l1": 4.5,
        "active_power": -1500.0 if "import_energy" in snippet.content else 1500.0,
        "frequency": pytest.approx(49.98),
        "import_energy": 150.5,
    }
    ids = {channel.id: value for channel, value in readings.items()}
    assert len(ids) == len(snippet.content)
    assert ids == {id_: expected[id_] for id_ in ids}


def makers_messages() -> list[tuple[str, str]]:
    """Return make, topic and message of the page's examples; a make is named in bold."""
    texts = json.loads(EN_JSON.read_text())
    names = texts["selector"]["layout"]["options"]
    page = next(page for page in PAGES if page.name == "sources.md").read_text()
    return [
        (make, line)
        for make in MAKES
        for example in re.findall(
            rf"\*\*{re.escape(names[make].replace('’', chr(39)))}\*\*[^`]*(?:`[^`]+`[^`]*)*?```mqtt\n(.*?)```",
            page,
            re.DOTALL,
        )
        for line in example.splitlines()
    ]


MAKERS_MESSAGES = makers_messages()


def test_each_make_has_an_example() -> None:
    """The page of other makes leaves none out."""
    assert {make for make, _ in MAKERS_MESSAGES} == set(MAKES)


@pytest.mark.parametrize(("make", "line"), MAKERS_MESSAGES)
def test_an_example_of_a_makers_message_is_understood(make: str, line: str) -> None:
    """Each line, a topic and a message, is decoded in the layout of its make."""
    topic, payload = line.split(" ", 1)
    readings = decoder(make)(payload.encode(), topic)
    assert readings
    assert all(value is not None for value in readings.values())


@pytest.mark.parametrize(
    "line",
    [
        line
        for page in PAGES
        for block in blocks(page)
        if block.language == "json"
        for line in block.text.splitlines()
    ],
)
def test_an_example_of_a_message_is_understood(line: str) -> None:
    """Each line of JSON is decoded as a message of a three-phase meter."""
    assert len(decode_three_phases(line.encode())) >= 3


async def test_surplus_example_switches_the_relay(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
) -> None:
    """The automation switches the real relay, here without its waiting time."""
    server.device.sensors = {"Active power": -2600.0}
    entry = await add_meter(server.port)
    example = dict(AUTOMATIONS["Water from the sun"])
    example["triggers"] = [
        {key: value for key, value in trigger.items() if key != "for"}
        for trigger in example["triggers"]
    ]
    await state_is(hass, "sensor.nrj_meter_active_power", "-2600.0")
    assert await async_setup_component(hass, "automation", {"automation": example})
    server.measure(active_power=-500.0)
    await state_is(hass, "sensor.nrj_meter_active_power", "-500.0")
    server.measure(active_power=-2700.0)
    await state_is(hass, "switch.nrj_meter_relay_1", "on")
    server.measure(active_power=900.0)
    await state_is(hass, "switch.nrj_meter_relay_1", "off")
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_overload_example_notifies_the_phone(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """The message names phase and current, and offers actions."""
    sent = async_mock_service(hass, "notify", "mobile_app_your_phone")
    server.device.sensors = dict.fromkeys(
        ["Current L1", "Current L2", "Current L3"], 2.0
    )
    await add_meter(server.port)
    example = dict(AUTOMATIONS["A phase is nearly overloaded"])
    example["triggers"] = [{**example["triggers"][0], "for": "00:00:00"}]
    await state_is(hass, "sensor.nrj_meter_current_l2", "2.0")
    assert await async_setup_component(hass, "automation", {"automation": example})
    server.measure(current_l2=24.0)
    await state_is(hass, "sensor.nrj_meter_current_l2", "24.0")
    await hass.async_block_till_done()
    (call,) = sent
    assert call.data["title"] == "NRJ Meter Current L2"
    assert call.data["message"] == "24.00 A of 25 A"
    assert call.data["data"]["actions"][0]["action"] == "BOILER_OFF"


async def test_lost_meter_example_notifies(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """The state in the example is the real state of a lost meter."""
    notified = async_mock_service(hass, "persistent_notification", "create")
    await add_meter(server.port)
    await state_is(hass, "sensor.nrj_meter_active_power", "1500.0")
    example = dict(AUTOMATIONS["The meter is gone"])
    example["triggers"] = [{**example["triggers"][0], "for": "00:00:00"}]
    assert await async_setup_component(hass, "automation", {"automation": example})
    await server.stop()
    await state_is(hass, "sensor.nrj_meter_active_power", STATE_UNAVAILABLE)
    await hass.async_block_till_done()
    assert len(notified) == 1

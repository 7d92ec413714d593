"""The docs: every page is reachable, every link leads somewhere, every example works."""

from pathlib import Path
import re
from typing import Any

from homeassistant.components.automation.config import async_validate_config_item
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service
import yaml

from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.services import ADD_SCHEMA
from tests.conftest import AddMeter
from tests.support.device import DeviceServer
from tests.support.states import state_is

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)

EXAMPLES: list[dict[str, Any]] = [
    yaml.safe_load(block)
    for block in BLOCK.findall((ROOT / "docs/using.md").read_text())
]
AUTOMATIONS = {example["alias"]: example for example in EXAMPLES if "alias" in example}


def anchor(heading: str) -> str:
    """Return the anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Linked files and headings exist."""
    for link in LINK.findall(page.read_text()):
        if link.startswith(("http", "mailto")):
            continue
        name, _, heading = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        if heading:
            headings = map(anchor, HEADING.findall(target.read_text()))
            assert heading in set(headings), link


def test_every_page_can_be_reached_from_the_readme() -> None:
    """Links lead from the README to every page."""
    reached, to_read = set(), [ROOT / "README.md"]
    while to_read:
        page = to_read.pop()
        reached.add(page)
        for link in LINK.findall(page.read_text()):
            target = (page.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.exists() and target not in reached:
                to_read.append(target)
    assert set(PAGES) <= reached


@pytest.mark.parametrize("alias", AUTOMATIONS)
async def test_example_is_a_valid_automation(hass: HomeAssistant, alias: str) -> None:
    """Home Assistant accepts the example as written."""
    assert await async_setup_component(hass, "homeassistant", {})
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


def test_example_of_the_action_is_valid() -> None:
    """The action accepts the fields of the example."""
    (example,) = (e for e in EXAMPLES if e.get("action", "").startswith(DOMAIN))
    ADD_SCHEMA(example["data"])


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

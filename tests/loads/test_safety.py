"""Safety cut-off of loads, and relays with a single master."""

from typing import Any

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er, issue_registry as ir
import pytest

from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from custom_components.nrj_monitor.loads.relay_conflict import class_on_meter
from tests.loads.conftest import DEFAULTS, AddLoad, Guard, Pass
from tests.loads.dialogue import async_answer, async_open
from tests.support.device import MAC, DeviceServer

HEATER = "input_boolean.heater"
LEAK = "binary_sensor.leak"


def repairs(hass: HomeAssistant) -> bool:
    """Return whether a relay is said to have two masters."""
    return any("two_masters" in issue for _, issue in ir.async_get(hass).issues)


async def send(
    hass: HomeAssistant, entry: NrjConfigEntry, **answers: Any
) -> SubentryFlowResult:
    """Return the result of the dialogue for a new load."""
    form = await async_open(hass, entry)
    return await async_answer(
        hass, form, {"name": "Pump", "entity": HEATER, **DEFAULTS, **answers}
    )


async def test_a_sensor_cuts_a_load_off(
    hass: HomeAssistant, add_load: AddLoad, let_pass: Pass, guard: Guard
) -> None:
    """A cut-off beats all reasons, and lasts until the sensor itself ends the alarm."""
    hass.states.async_set(LEAK, "off")
    await add_load("heater", safety_entity=LEAK)
    await let_pass(2)
    assert hass.states.is_state(HEATER, "on")
    hass.states.async_set(LEAK, "on")
    await hass.async_block_till_done()
    assert hass.states.is_state(HEATER, "off"), "no tick is waited for"
    assert hass.states.is_state("sensor.heater_activity", "cut_off")
    state = hass.states.get("sensor.heater_activity")
    assert state is not None
    assert state.attributes["reason"] == "safety"
    # Not even a person, by hand.
    await hass.services.async_call(
        "input_boolean", "turn_on", {"entity_id": HEATER}, blocking=True
    )
    await let_pass(2)
    assert hass.states.is_state(HEATER, "off")
    hass.states.async_set(LEAK, "unavailable")
    await let_pass(400, 5.0)
    assert hass.states.is_state(HEATER, "off")
    hass.states.async_set(LEAK, "off")
    await let_pass(400, 5.0)
    assert hass.states.is_state(HEATER, "on")


async def test_a_cut_off_outlasts_a_restart(
    hass: HomeAssistant, entry: NrjConfigEntry, add_load: AddLoad, let_pass: Pass
) -> None:
    """Though the sensor has nothing to say yet."""
    hass.states.async_set(LEAK, "on")
    await add_load("heater", safety_entity=LEAK)
    await let_pass(2)
    assert hass.states.is_state(HEATER, "off")
    hass.states.async_set(LEAK, "unknown")
    assert await hass.config_entries.async_reload(entry.entry_id)
    await let_pass(400, 5.0)
    assert hass.states.is_state(HEATER, "off")
    hass.states.async_set(LEAK, "off")
    await let_pass(400, 5.0)
    assert hass.states.is_state(HEATER, "on")


async def test_what_is_never_shed_is_never_cut_off(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """The dialogue refuses a safety sensor for a never-shed load."""
    form = await send(hass, entry, safety_entity=LEAK, **{"class": "never_shed"})
    assert form["type"] is FlowResultType.FORM
    assert form["errors"] == {"safety": "never_shed_safety"}


@pytest.fixture
def server(server: DeviceServer) -> DeviceServer:
    """Return a meter with a relay."""
    server.device.relays = {"Relay 1": False}
    return server


@pytest.mark.parametrize(
    ("platform", "unique_id"),
    [
        ("nrj_monitor", f"{MAC.lower()}_relay_1"),
        ("esphome", f"{MAC}-switch-relay_1"),
        ("esphome", f"{MAC}/0/switch/Relay 1"),
    ],
)
async def test_a_relay_that_the_meter_sheds_is_no_load(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    platform: str,
    unique_id: str,
) -> None:
    """A relay shed by the meter is refused as a load, until its class is never-shed."""
    relay = er.async_get(hass).async_get_or_create("switch", platform, unique_id)
    settings: dict[str, Any] = {"relay_1_class": "shed_1"}
    monkeypatch.setattr(entry.runtime_data.meter, "_settings", settings)
    form = await send(hass, entry, entity=relay.entity_id)
    assert form["type"] is FlowResultType.FORM
    assert form["errors"] == {"entity": "relay_of_the_meter"}
    settings["relay_1_class"] = "never_shed"
    done = await async_answer(
        hass, form, {"name": "Pump", "entity": relay.entity_id, **DEFAULTS}
    )
    assert done["type"] is FlowResultType.CREATE_ENTRY
    # And where the class is changed later, it is to be repaired.
    meter = entry.runtime_data.meter
    for told, there in (("shed_1", True), ("never_shed", False), ("absorb", True)):
        meter.on_setting("relay_1_class", told)
        assert repairs(hass) is there
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert not repairs(hass)


async def test_what_is_no_relay_of_a_meter(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """A relay of another device, or of a meter without settings, has no class."""
    registry = er.async_get(hass)
    other = registry.async_get_or_create("switch", "esphome", "AA-switch-relay_1")
    mine = registry.async_get_or_create(
        "switch", "nrj_monitor", f"{MAC.lower()}_relay_1"
    )
    for entity_id in (other.entity_id, mine.entity_id, HEATER):
        assert class_on_meter(hass, entity_id) is None

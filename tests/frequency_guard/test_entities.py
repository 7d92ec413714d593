"""The meter's own guard in Home Assistant: from the real firmware to the pages."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aioesphomeapi.client import APIClient
from aioesphomeapi.model import NumberInfo
from homeassistant.components.number import DOMAIN as NUMBER
from homeassistant.components.select import DOMAIN as SELECT
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.nrj_monitor.const import EVENT_GUARD
from custom_components.nrj_monitor.frequency_guard.event import GuardEvent
from custom_components.nrj_monitor.loads.relay_conflict import class_on_meter
from custom_components.nrj_monitor.logbook import describe_guard
from custom_components.nrj_monitor.meter import Meter
from custom_components.nrj_monitor.sources.errors import LinkDownError
from custom_components.nrj_monitor.sources.settings import Setting
from nrj_tools.firmware import RunningFirmware
from nrj_tools.ports import free_port
from tests.conftest import HOST, AddMeter
from tests.support.device import DeviceServer
from tests.support.states import state_is, state_where
from tests.support.texts import use_language
from tests.test_meter import DESCRIPTION

HOUR = 3600.0
FREQUENCIES = (50.0, 49.7)


@pytest.fixture
def grid_firmware(
    firmware_program: Path, tmp_path: Path, socket_enabled: None
) -> Generator[RunningFirmware]:
    """Run the real firmware in a grid of an hour each at the frequencies."""
    rows = ["time,frequency,voltage_l1,voltage_l2,voltage_l3"]
    for hour, hertz in enumerate(FREQUENCIES):
        rows += [
            f"{hour * HOUR},{hertz},230,230,230",
            f"{(hour + 1) * HOUR - 0.02},{hertz},230,230,230",
        ]
    recording = tmp_path / "grid.csv"
    recording.write_text("\n".join(rows) + "\n")
    with RunningFirmware(
        firmware_program, tmp_path, free_port(), {"NRJ_RECORDING": str(recording)}
    ) as running:
        yield running


async def go(firmware: RunningFirmware, hertz: float) -> None:
    """Let the grid have a frequency from now on."""
    client = APIClient(HOST, firmware.port, None)
    await client.connect(login=True)
    entities, _ = await client.list_entities_services()
    position = next(e for e in entities if e.object_id == "simulation_position")
    assert isinstance(position, NumberInfo)
    client.number_command(position.key, FREQUENCIES.index(hertz) * HOUR + 60)
    await client.disconnect()


async def choose(hass: HomeAssistant, entity_id: str, option: str) -> None:
    """Choose as a person does."""
    await hass.services.async_call(
        SELECT,
        "select_option",
        {ATTR_ENTITY_ID: entity_id, "option": option},
        blocking=True,
    )


async def test_the_guard_and_its_settings(
    hass: HomeAssistant, add_meter: AddMeter, grid_firmware: RunningFirmware
) -> None:
    """Class chosen in Home Assistant, the grid sags, the meter acts and tells."""
    events: list[Event[Any]] = async_capture_events(hass, EVENT_GUARD)
    entry = await add_meter(grid_firmware.port)
    await choose(hass, "select.nrj_meter_relay_1_class", "shed_1")
    assert hass.states.is_state("select.nrj_meter_relay_1_class", "shed_1")
    assert class_on_meter(hass, "switch.nrj_meter_relay_1") == "shed_1"
    assert class_on_meter(hass, "switch.nrj_meter_relay_2") is None
    await choose(hass, "select.nrj_meter_guard_profile", "great_britain_nordic")
    await choose(hass, "select.nrj_meter_guard_profile", "continental_europe")
    await state_is(hass, "switch.nrj_meter_guard", "on")
    for service, state in (("turn_off", "off"), ("turn_on", "on")):
        await hass.services.async_call(
            "switch", service, {ATTR_ENTITY_ID: "switch.nrj_meter_guard"}, blocking=True
        )
        assert hass.states.is_state("switch.nrj_meter_guard", state)
    await hass.services.async_call(
        "switch", "turn_on", {ATTR_ENTITY_ID: "switch.nrj_meter_relay_1"}, blocking=True
    )
    await state_is(hass, "sensor.nrj_meter_grid", "normal", within=20)
    await go(grid_firmware, 49.7)
    await state_is(hass, "switch.nrj_meter_relay_1", "off")
    await state_is(hass, "sensor.nrj_meter_grid", "shed_1")
    await state_is(hass, "sensor.nrj_meter_grid_why", "under_frequency")
    told = await state_where(
        hass,
        "event.nrj_meter_guard",
        lambda state: state.attributes.get("event_type") == "relay_off",
    )
    assert told.attributes["relay"] == "Relay 1"
    assert told.attributes["reason"] == "shed"
    assert told.attributes["frequency"] == pytest.approx(49.7, abs=0.01)
    assert [event.data["kind"] for event in events][-2:] in (
        ["shed_1", "relay_off"],
        ["relay_off", "shed_1"],
    )
    registry = er.async_get(hass)
    thresholds = [
        entity
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id)
        if entity.domain == NUMBER
    ]
    assert len(thresholds) == 16
    assert all(entity.disabled_by for entity in thresholds)
    for entity in thresholds:
        registry.async_update_entity(entity.entity_id, disabled_by=None)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await state_is(hass, "number.nrj_meter_guard_shed_1_frequency", "49.8")
    await state_is(hass, "number.nrj_meter_guard_shed_1_delay", "1.0")

    async def put(value: float) -> None:
        await hass.services.async_call(
            NUMBER,
            "set_value",
            {ATTR_ENTITY_ID: "number.nrj_meter_guard_shed_1_frequency", "value": value},
            blocking=True,
        )

    await put(49.85)
    assert hass.states.is_state("number.nrj_meter_guard_shed_1_frequency", "49.85")
    with pytest.raises(HomeAssistantError, match="did not take"):
        await put(49.3)
    grid_firmware.stop()
    await state_is(hass, "sensor.nrj_meter_grid", "unavailable", within=15)


async def test_a_setting_without_a_link_is_said(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """A command into nothing is an error with a sentence."""
    entry = await add_meter(server.port)
    with pytest.raises(LinkDownError):
        await entry.runtime_data.meter.change_setting("guard", True)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"what": "state", "state": "sunny", "frequency": "50", "on": "0"},
        {"what": "cat", "state": "normal", "frequency": "50", "on": "0"},
        {"what": "state", "state": "normal", "frequency": "fast", "on": "0"},
    ],
)
def test_a_damaged_event_is_left_out(wrong: dict[str, str]) -> None:
    """A damaged event raises an error."""
    with pytest.raises(ValueError, match=r"."):
        GuardEvent.from_device({"reason": "start", "relay": "", **wrong})


NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)

CHANGE = {
    "boot": "7",
    "number": "3",
    "happened_ms_ago": "90000",
    "what": "state",
    "state": "shed_1",
    "reason": "frequency",
    "frequency": "49.7",
    "relay": "",
    "on": "0",
}


def test_a_change_that_was_missed_has_its_own_time() -> None:
    """A missed change has the time given by the meter."""
    event = GuardEvent.from_device(CHANGE, NOON)
    assert event.happened == NOON - timedelta(seconds=90)
    assert event.attributes()["happened"] == "2026-11-01T11:58:30+00:00"
    assert event.id == "7-3"


def test_a_change_is_told_once_and_only_when_somebody_listens() -> None:
    """Those of an outage wait until the entities are there; repetitions are no news."""
    source: Any = None
    meter = Meter(source, DESCRIPTION)
    meter.on_guard_event(GuardEvent.from_device(CHANGE, NOON))
    heard: list[GuardEvent] = []
    meter.async_add_guard_listener(heard.append)
    meter.async_deliver_events()
    meter.on_guard_event(GuardEvent.from_device(CHANGE, NOON))
    meter.on_guard_event(GuardEvent.from_device(CHANGE | {"number": "4"}, NOON))
    assert [event.id for event in heard] == ["7-3", "7-4"]
    assert list(meter.known_guard_events) == ["7-3", "7-4"]


@pytest.mark.usefixtures("enable_custom_integrations")
async def test_the_logbook_describes_a_guard_event(hass: HomeAssistant) -> None:
    """The message has state or relay, reason and frequency."""
    await use_language(hass, "en")
    event = GuardEvent.from_device(
        {
            "what": "state",
            "state": "invalid",
            "reason": "no_voltage",
            "frequency": "nan",
            "relay": "",
            "on": "0",
        }
    )
    assert describe_guard(hass, {"kind": event.kind, **event.attributes()}) == (
        "has no valid frequency and holds (no voltage)"
    )
    assert describe_guard(
        hass,
        {"kind": "relay_off", "reason": "shed", "relay": "Relay 1", "frequency": 49.7},
    ) == ("switched off Relay 1 (shed) at 49.700 Hz")


def test_a_setting_is_stored_as_it_is() -> None:
    """A setting survives storage unchanged."""
    setting = Setting(id="guard_profile", name="P", kind="select", options=("a", "b"))
    assert Setting.from_dict(setting.as_dict()) == setting

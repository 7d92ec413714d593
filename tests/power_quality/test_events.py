"""Events of the supply, from the firmware's simulated line to the entities."""

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import struct
from typing import Any
from xml.etree import ElementTree as ET

from aioesphomeapi.client import APIClient
from aioesphomeapi.core import APIConnectionError
from aioesphomeapi.model import HomeassistantServiceCall, UserService
from homeassistant.components.image import async_get_image
from homeassistant.core import Event, HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from hypothesis import given, strategies as st
import pytest

from custom_components.nrj_monitor.const import EVENT_POWER_QUALITY
from custom_components.nrj_monitor.logbook import describe_power_quality
from custom_components.nrj_monitor.power_quality.event import (
    KINDS,
    Oscillogram,
    PowerQualityEvent,
)
from custom_components.nrj_monitor.power_quality.log import PowerQualityLog
from custom_components.nrj_monitor.power_quality.oscillogram_image import (
    draw_oscillogram,
)
from custom_components.nrj_monitor.sources.native_api import events as device_events
from custom_components.nrj_monitor.sources.native_api.client import NativeApiClient
from nrj_tools.firmware import RunningFirmware
from tests.conftest import AddMeter
from tests.support.pace import patience
from tests.support.states import number_of, state_is, state_where
from tests.support.texts import use_language

EVENT = "event.nrj_meter_power_quality"
IMAGE = "image.nrj_meter_oscillogram"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


async def disturb(
    firmware: RunningFirmware,
    phases: int,
    seconds: float,
    voltage: float,
    current: float = 1.0,
) -> None:
    """Change voltage and current of some phases by factors for some seconds."""
    client = APIClient("127.0.0.1", firmware.port, None)
    await client.connect(login=True)
    _, services = await client.list_entities_services()
    action = next(item for item in services if item.name == "simulate_disturbance")
    await client.execute_service(
        action,
        {
            "phases": phases,
            "voltage_factor": voltage,
            "current_factor": current,
            "wrong_sequence": False,
            "seconds": seconds,
        },
    )
    await client.disconnect()


async def wait_event(hass: HomeAssistant, kind: str) -> State:
    """Wait until the event entity has an event of a kind; return the state."""
    return await state_where(
        hass,
        EVENT,
        lambda state: state.attributes.get("event_type") == kind,
        within=15,
    )


async def test_dip_is_an_event_with_attributes(
    hass: HomeAssistant, add_meter: AddMeter, firmware: RunningFirmware
) -> None:
    """Phase, depth, duration and time are attributes of the event."""
    fired: list[Event] = []
    hass.bus.async_listen(EVENT_POWER_QUALITY, fired.append)
    await add_meter(firmware.port)
    await asyncio.sleep(2)
    before = datetime.now(UTC)
    await disturb(firmware, 0b010, 0.3, voltage=0.5)
    state = await wait_event(hass, "dip")
    assert state.attributes["phase"] == "L2"
    # Half of some 230 V; the house's voltage moves by a few percent.
    assert state.attributes["extreme"] == pytest.approx(115, abs=6)
    assert state.attributes["duration_s"] == pytest.approx(0.3, abs=0.05)
    started = datetime.fromisoformat(state.attributes["started"])
    assert abs(started - before) < timedelta(seconds=1.5)
    await hass.async_block_till_done()
    assert [event.data["kind"] for event in fired] == ["dip"]
    assert fired[0].data["name"] == "NRJ Meter"


async def test_what_is_beyond_the_range_is_told_marked_and_a_repair(
    hass: HomeAssistant, add_meter: AddMeter, firmware: RunningFirmware
) -> None:
    """A current that the simulated converter cuts off: one event, marks, an issue."""
    fired: list[Event] = []
    hass.bus.async_listen(EVENT_POWER_QUALITY, fired.append)
    await add_meter(firmware.port)
    current = "sensor.nrj_meter_current_l2"
    await state_where(hass, current, lambda state: number_of(state) > 0)
    await disturb(firmware, 0b010, 5, voltage=1.0, current=1000.0)
    state = await state_where(
        hass, current, lambda state: state.attributes.get("over_range") is True
    )
    # A square wave of the range's height is all that is left.
    await state_where(hass, current, lambda state: number_of(state) > 106)
    await state_where(
        hass,
        "sensor.nrj_meter_import_energy",
        lambda state: state.attributes.get("over_range") is True,
    )
    for other in ("current_l1", "voltage_l2", "frequency"):
        state = await state_where(hass, f"sensor.nrj_meter_{other}", lambda _: True)
        assert "over_range" not in state.attributes
    issue = next(
        issue
        for issue in ir.async_get(hass).issues.values()
        if issue.translation_key == "over_range"
    )
    assert issue.translation_placeholders is not None
    assert "Current of L2" in issue.translation_placeholders["advice"]
    state = await wait_event(hass, "over_range")
    state = await state_where(
        hass, EVENT, lambda state: state.attributes.get("ongoing") is False, within=15
    )
    assert state.attributes["quantity"] == "current"
    assert state.attributes["phase"] == "L2"
    assert state.attributes["duration_s"] == pytest.approx(5, abs=0.6)
    # Of 1 V peak at the pin, nearly a square wave.
    assert 1.25 * 105.6 < state.attributes["extreme"] < 149.5
    await state_where(
        hass, current, lambda state: "over_range" not in state.attributes, within=15
    )
    told = [event.data for event in fired if event.data["kind"] == "over_range"]
    assert [event["ongoing"] for event in told] == [True, False]


async def test_dip_has_an_image(
    hass: HomeAssistant, add_meter: AddMeter, firmware: RunningFirmware
) -> None:
    """The image of the oscillogram has a line for each conductor."""
    assert await async_setup_component(hass, "image", {})
    entry = await add_meter(firmware.port)
    await asyncio.sleep(2)
    await disturb(firmware, 0b001, 0.5, voltage=0.5)
    state = await state_where(
        hass, IMAGE, lambda state: state.state not in ("unknown", ""), within=20
    )
    image = await async_get_image(hass, IMAGE)
    # In local time, and with the translated kind.
    started = dt_util.as_local(datetime.fromisoformat(state.state))
    assert f"Dip L1 &#183; {started:%Y-%m-%d %H:%M:%S}" in image.content.decode()
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert b"Dip L1" in (await async_get_image(hass, IMAGE)).content
    assert image.content_type == "image/svg+xml"
    lines = ET.fromstring(image.content).findall(  # noqa: S314
        "{http://www.w3.org/2000/svg}polyline"
    )
    # Three voltages, three currents and the neutral's.
    assert len(lines) == 7
    assert all(len(line.attrib["points"].split()) == 512 for line in lines)


async def test_missed_event_is_fired_after_a_restart(
    hass: HomeAssistant, add_meter: AddMeter, firmware: RunningFirmware
) -> None:
    """After a reload the missed event is fired, and the known event is not repeated."""
    fired: list[Event] = []
    hass.bus.async_listen(EVENT_POWER_QUALITY, fired.append)
    entry = await add_meter(firmware.port)
    await asyncio.sleep(2)
    await disturb(firmware, 0b001, 0.2, voltage=0.5)
    await wait_event(hass, "dip")
    assert await hass.config_entries.async_unload(entry.entry_id)
    await disturb(firmware, 0b100, 0.2, voltage=1.2)
    await asyncio.sleep(1)
    assert await hass.config_entries.async_setup(entry.entry_id)
    state = await wait_event(hass, "swell")
    await hass.async_block_till_done()
    assert state.attributes["phase"] == "L3"
    assert [event.data["kind"] for event in fired] == ["dip", "swell"]


async def test_meter_without_power_quality_has_no_event_and_image(
    hass: HomeAssistant, add_meter: AddMeter, server: object
) -> None:
    """A firmware without power_quality has no empty entities."""
    await add_meter(server.port)  # type: ignore[attr-defined]
    registry = er.async_get(hass)
    assert registry.async_get(EVENT) is None
    assert registry.async_get(IMAGE) is None


DATA = {
    "boot": "77",
    "number": "3",
    "kind": "dip",
    "phase": "L1",
    "started_ms_ago": "1500",
    "duration_ms": "300.5",
    "extreme": "115.20",
    "unit": "V",
    "estimated": "0",
    "ongoing": "0",
}


def test_event_is_dated_by_its_age() -> None:
    """Home Assistant's clock dates the event, as the meter's may be wrong."""
    event = PowerQualityEvent.from_device(DATA, NOW)
    assert event.started == NOW - timedelta(seconds=1.5)
    assert event.duration == timedelta(seconds=0.3005)
    assert (event.extreme, event.unit, event.phase) == (115.2, "V", "L1")


@given(
    st.dictionaries(st.sampled_from(sorted(DATA)), st.text(max_size=6)).map(
        lambda wrong: {**DATA, **wrong}
    )
)
def test_damaged_event_is_refused(data: dict[str, str]) -> None:
    """Damaged data raises ValueError and no other error."""
    try:
        event = PowerQualityEvent.from_device(data, NOW)
    except ValueError:
        return
    assert event.kind in KINDS


def test_event_is_new_at_its_begin_and_at_its_end() -> None:
    """A repetition after a reconnection is not new."""
    log = PowerQualityLog()
    ongoing = PowerQualityEvent.from_device(DATA | {"ongoing": "1"}, NOW)
    over = PowerQualityEvent.from_device(DATA, NOW)
    assert [log.add(event) for event in (ongoing, ongoing, over, over, ongoing)] == [
        True,
        False,
        True,
        False,
        False,
    ]
    other_boot = PowerQualityEvent.from_device(DATA | {"boot": "78"}, NOW)
    assert log.add(other_boot)
    restored = PowerQualityLog()
    restored.restore(log.as_dict())
    assert not restored.add(over)


def test_restored_event_has_no_oscillogram_to_request() -> None:
    """After a power cut the meter has the event, and no oscillogram."""
    log = PowerQualityLog()
    event = PowerQualityEvent.from_device(DATA | {"restored": "1"}, NOW)
    assert log.add(event)
    assert not log.add(event)
    assert not log.wants_oscillogram(event)


def test_oscillogram_is_requested_until_received_and_kept_once() -> None:
    """A broken link loses no request, and events of the same capture share an oscillogram."""
    log = PowerQualityLog()
    first = PowerQualityEvent.from_device(DATA, NOW)
    second = PowerQualityEvent.from_device(DATA | {"number": "4", "phase": "L2"}, NOW)
    third = PowerQualityEvent.from_device(DATA | {"number": "5"}, NOW)
    for event in (first, second, third):
        log.add(event)
    again = PowerQualityLog()
    again.restore(log.as_dict())
    assert not again.add(first)
    assert again.wants_oscillogram(first)
    assert again.add_oscillogram(first, WAVE)
    assert not again.wants_oscillogram(first)
    assert not again.add_oscillogram(second, WAVE)
    assert not again.add_oscillogram(third, None)
    assert not again.wants_oscillogram(third)
    assert again.oscillograms == (WAVE,)


WAVE = Oscillogram(
    event_id="77-3",
    title="dip L1 <&>",
    started=NOW,
    points_per_cycle=128,
    channels={"UL1": (0.0, 325.0, -325.0), "IL1": (0.0, 0.0, 0.0)},
)


def test_image_is_valid_whatever_the_oscillogram_has() -> None:
    """Flat lines and strange titles make valid SVG."""
    root = ET.fromstring(draw_oscillogram(WAVE))  # noqa: S314
    texts = [node.text or "" for node in root.iter() if node.text]
    assert any("dip L1 <&>" in text for text in texts)
    assert "200 V" in texts
    assert Oscillogram.from_dict(WAVE.as_dict()) == WAVE


@pytest.mark.usefixtures("enable_custom_integrations")
@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({}, "voltage dip on L1 down to 115.2 V for 300 ms"),
        (
            {"kind": "swell", "extreme": "260", "duration_ms": "2500"},
            "voltage swell on L1 up to 260 V for 2.5 s",
        ),
        (
            {"kind": "phase_loss", "ongoing": "1", "extreme": ""},
            "phase lost on L1 has begun and goes on",
        ),
        (
            {"kind": "wrong_sequence", "phase": "", "unit": "", "extreme": ""},
            "wrong phase sequence for 300 ms",
        ),
        (
            {
                "kind": "over_range",
                "quantity": "current",
                "extreme": "104",
                "unit": "A",
                "duration_ms": "3100",
            },
            "current beyond the meter's range on L1 up to 104 A for 3.1 s",
        ),
        (
            {"kind": "over_range", "quantity": "voltage", "ongoing": "1"},
            "voltage beyond the meter's range on L1 up to 115.2 V has begun and goes on",
        ),
    ],
)
async def test_the_logbook_describes_an_event(
    hass: HomeAssistant, change: dict[str, str], text: str
) -> None:
    """The message has kind, phase, extreme and duration of the event."""
    await use_language(hass, "en")
    event = PowerQualityEvent.from_device(DATA | change, NOW)
    data = {"kind": event.kind, **event.attributes()}
    assert describe_power_quality(hass, data) == text


class ScriptedDevice:
    """Client of a device with scripted pages for an event."""

    def __init__(self, pages: list[dict[str, str] | None]) -> None:
        """Respond with `pages` by number; None is no response."""
        self.pages = pages
        self.send: Any = None

    def subscribe_service_calls(self, on_call: Any) -> None:
        """Record the callback for events."""
        self.send = on_call

    async def execute_service(self, service: Any, arguments: dict[str, int]) -> None:
        """Respond to an action with the events of the device."""
        if service.name == "power_quality_events":
            for data in (DATA | {"kind": "tea"}, DATA):
                self.send(call("esphome.nrj_power_quality", data))
        elif (page := self.pages[arguments["page"]]) is not None:
            stale = call("esphome.nrj_oscillogram", {"number": "2", "page": "0"})
            self.send(stale)
            self.send(HomeassistantServiceCall.from_dict({"service": "light.turn_on"}))
            self.send(call("esphome.nrj_oscillogram", {"number": "3"} | page))


def call(event: str, data: dict[str, str]) -> HomeassistantServiceCall:
    """Return an event as the native API's client passes events on."""
    return HomeassistantServiceCall.from_dict(
        {"service": event, "is_event": True, "data": data}
    )


def actions(*names: str) -> list[UserService]:
    """Return user actions as a device lists its actions."""
    return [
        UserService.from_dict({"name": name, "key": key, "args": []})
        for key, name in enumerate(names)
    ]


def connected(api: Any, listed: list[UserService]) -> NativeApiClient:
    """Return a client that has read the user actions of a device."""
    client = NativeApiClient(api)
    client.actions = {action.name: action for action in listed}
    return client


class RecordingListener:
    """Listener with a record of events and oscillograms."""

    def __init__(self) -> None:
        """Start without events."""
        self.events: list[PowerQualityEvent] = []
        self.waves: list[Oscillogram] = []

    def on_power_quality_event(self, event: PowerQualityEvent) -> bool:
        """Record an event."""
        self.events.append(event)
        return True

    def wants_oscillogram(self, event: PowerQualityEvent) -> bool:
        """Request every oscillogram."""
        return True

    def on_journal_page(self, page: Mapping[str, str]) -> None:
        """Fail: these tests send no journal."""
        raise AssertionError(page)

    def on_oscillogram(
        self, event: PowerQualityEvent, wave: Oscillogram | None
    ) -> None:
        """Record an oscillogram."""
        if wave is not None:
            self.waves.append(wave)


PAGE = {
    "pages": "2",
    "started_ms_ago": "1000",
    "channels": "IL1,UL1",
    "points_per_cycle": "128",
    "volts_per_code": "0.5",
    "amperes_per_code": "0.1",
    "data": base64.b64encode(struct.pack("<4h", 10, 400, -10, -400)).decode(),
}


@pytest.mark.parametrize(
    ("pages", "waves"),
    [
        ([PAGE | {"page": "0"}, PAGE | {"page": "1"}], 1),
        ([{"page": "0", "pages": "0"}, None], 0),
        ([None, None], 0),
        ([PAGE | {"page": "0"}, None], 0),
        ([PAGE | {"page": "0", "data": "=?"}, PAGE | {"page": "1"}], 0),
        ([PAGE | {"page": "0", "volts_per_code": "x"}, PAGE | {"page": "1"}], 0),
        *(
            ([PAGE | {"page": "0"} | changes, PAGE | {"page": "1"}], 0)
            for changes in (
                {"volts_per_code": "nan"},
                {"amperes_per_code": "inf"},
                {"volts_per_code": "-1"},
                {"points_per_cycle": "0"},
                {"points_per_cycle": str(10**15)},
                {"started_ms_ago": str(10**15)},
                {"started_ms_ago": "9" * 400},
                {"channels": "IL1,IL1"},
                {"channels": "IL1,<b>"},
                {"channels": ",".join("U" * 20)},
                {"data": "AAAA" * 2000},
                {"pages": "x"},
                {"pages": "9" * 400},
            )
        ),
    ],
)
async def test_oscillogram_is_complete_or_missing(
    monkeypatch: pytest.MonkeyPatch, pages: list[dict[str, str] | None], waves: int
) -> None:
    """Lost and damaged pages leave the event without an oscillogram."""
    monkeypatch.setattr(device_events, "SETTLING", 0.0)
    monkeypatch.setattr(device_events, "PAGE_TIMEOUT", 0.05)
    services = actions("power_quality_events", "power_quality_oscillogram")
    recording = RecordingListener()
    client: Any = ScriptedDevice(pages)
    listener: Any = recording
    events = device_events.DeviceEvents(
        connected(client, services), listener, lambda: NOW
    )
    events.subscribe()
    task = asyncio.create_task(events.run())
    await asyncio.sleep(0.2)
    task.cancel()
    assert [event.id for event in recording.events] == ["77-3"]
    assert len(recording.waves) == waves
    for wave in recording.waves:
        assert wave.channels["UL1"] == (200.0, -200.0, 200.0, -200.0)
        assert wave.channels["IL1"] == pytest.approx((1.0, -1.0, 1.0, -1.0))
        assert wave.started == NOW - timedelta(seconds=1)


async def test_a_damaged_waveform_ends_neither_the_next_one_nor_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A page number "x" costs its own waveform alone, and a line however often it comes."""
    monkeypatch.setattr(device_events, "SETTLING", 0.0)
    monkeypatch.setattr(device_events, "PAGE_TIMEOUT", 0.05)
    services = actions("power_quality_events", "power_quality_oscillogram")
    recording = RecordingListener()
    client: Any = ScriptedDevice([PAGE | {"page": "0", "pages": "x"}])
    listener: Any = recording
    events = device_events.DeviceEvents(
        connected(client, services), listener, lambda: NOW
    )
    events.subscribe()
    task = asyncio.create_task(events.run())
    for _ in range(5):
        await asyncio.sleep(0.02)
        client.send(call(device_events.EVENT, DATA))
    assert len([r for r in caplog.records if "waveform" in r.getMessage()]) == 1
    client.pages = [PAGE | {"page": "0"}, PAGE | {"page": "1"}]
    client.send(call(device_events.EVENT, DATA))
    async with asyncio.timeout(patience(5)):
        while not recording.waves:
            await asyncio.sleep(0.01)
    task.cancel()


async def test_a_flood_of_events_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """A thousand in an instant are a hundred events and a line.

    The rest waits for the next link, at which the meter tells all again.
    """
    client: Any = ScriptedDevice([])
    recording = RecordingListener()
    listener: Any = recording
    events = device_events.DeviceEvents(connected(client, []), listener, lambda: NOW)
    events.subscribe()
    for number in range(1000):
        client.send(call(device_events.EVENT, DATA | {"number": str(number)}))
    assert 100 <= len(recording.events) <= 110
    assert len(caplog.records) == 1


def ongoing(number: int) -> PowerQualityEvent:
    """Return the begin of an event."""
    data = DATA | {"number": str(number), "ongoing": "1"}
    return PowerQualityEvent.from_device(data, NOW)


def test_ongoing_events_are_bounded() -> None:
    """A meter that begins events and never ends one fills no memory."""
    log = PowerQualityLog()
    for number in range(10_000):
        log.add(ongoing(number))
    assert len(log._ongoing) <= 128
    assert not log.add(ongoing(9_999))
    assert log.add(replace(ongoing(9_999), ongoing=False))


@pytest.mark.parametrize(
    "changes",
    [
        {"started_ms_ago": str(10**15)},
        {"started_ms_ago": "9" * 400},
        {"duration_ms": "nan"},
        {"duration_ms": "1e300"},
        {"number": "9" * 400},
        {"boot": "[x](https://example.com)"},
        {"phase": "L9"},
        {"unit": "<b>"},
        {"extreme": "inf"},
        {"extreme": "1e300"},
        {"kind": "x" * 10_000},
    ],
)
def test_an_event_beyond_any_range_is_refused_in_a_short_sentence(
    changes: dict[str, str],
) -> None:
    """Times, counts and texts of any size."""
    data = {
        "boot": "7",
        "number": "1",
        "kind": "dip",
        "phase": "L1",
        "started_ms_ago": "0",
        "duration_ms": "20",
        "extreme": "115",
        "unit": "V",
    }
    assert PowerQualityEvent.from_device(data, NOW).extreme == 115
    with pytest.raises(ValueError, match=r"no number|unknown|name of a start"):
        PowerQualityEvent.from_device(data | changes, NOW)


async def test_damaged_guard_event_is_ignored(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The damaged event is logged, and later events are received."""
    client: Any = ScriptedDevice([])
    listener: Any = RecordingListener()
    received: list[object] = []
    listener.on_guard_event = received.append
    events = device_events.DeviceEvents(connected(client, []), listener, lambda: NOW)
    events.subscribe()
    sound = {
        "what": "state",
        "state": "normal",
        "reason": "start",
        "frequency": "50",
        "relay": "",
        "on": "0",
    }
    for data in (sound | {"state": "sunny"}, sound):
        client.send(call("esphome.nrj_guard", data))
    assert len(received) == 1
    assert "sunny" in caplog.text


async def test_broken_link_ends_the_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error is suppressed, as the link reports the loss itself."""

    class Broken(ScriptedDevice):
        async def execute_service(self, service: Any, arguments: Any) -> None:
            raise APIConnectionError("gone")

    client: Any = Broken([])
    listener: Any = RecordingListener()
    services = actions("power_quality_events")
    events = device_events.DeviceEvents(
        connected(client, services), listener, lambda: NOW
    )
    events.subscribe()
    await events.run()


def test_image_without_samples_is_empty_and_valid() -> None:
    """An oscillogram without samples makes valid SVG."""
    empty = Oscillogram(
        event_id="1", title="", started=NOW, points_per_cycle=128, channels={"UL1": ()}
    )
    ET.fromstring(draw_oscillogram(empty))  # noqa: S314


async def test_image_is_unknown_without_an_oscillogram(
    hass: HomeAssistant, add_meter: AddMeter, firmware: RunningFirmware
) -> None:
    """Until the first event the entity is unknown, and has no image to fetch."""
    assert await async_setup_component(hass, "image", {})
    await add_meter(firmware.port)
    await state_is(hass, IMAGE, "unknown")
    with pytest.raises(HomeAssistantError):
        await async_get_image(hass, IMAGE)


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_stored_oscillogram_has_finite_samples(value: str) -> None:
    """Samples that are no numbers are refused before they are drawn or stored again."""
    stored = {
        "event_id": "77-1",
        "title": "Dip",
        "started": NOW.isoformat(),
        "points_per_cycle": 128,
        "channels": {"UL1": [1.0, float(value)]},
    }
    with pytest.raises(ValueError, match="no meter measures"):
        Oscillogram.from_dict(stored)


def test_an_event_without_its_fields_is_refused() -> None:
    """What a device leaves out is named."""
    with pytest.raises(ValueError, match="kind"):
        PowerQualityEvent.from_device({}, NOW)


@pytest.mark.parametrize("change", [{"quantity": "power"}, {"quantity": ""}, {}])
def test_what_is_beyond_the_range_is_voltage_or_current(change: dict[str, str]) -> None:
    """Another quantity, or none, is refused."""
    with pytest.raises(ValueError, match="quantity"):
        PowerQualityEvent.from_device(DATA | {"kind": "over_range"} | change, NOW)

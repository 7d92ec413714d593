"""States of a device, with and without the library's fast way."""

import asyncio
from typing import Any

from aioesphomeapi import api_pb2
from aioesphomeapi.client import APIClient
from aioesphomeapi.core import APIConnectionError
from aioesphomeapi.model import (
    DeviceInfo,
    EntityState,
    SelectInfo,
    SensorInfo,
    SensorState,
    SwitchInfo,
    SwitchState,
    TextSensorState,
)
import pytest

from custom_components.nrj_monitor.catalog import CHANNELS, Channel
from custom_components.nrj_monitor.sources import Relay
from custom_components.nrj_monitor.sources.errors import NoAnswerError, NotAMeterError
from custom_components.nrj_monitor.sources.native_api import device_model
from custom_components.nrj_monitor.sources.native_api.client import NativeApiClient
from custom_components.nrj_monitor.sources.native_api.device_model import (
    Entities,
    StateReporter,
)
from tests.support.pace import patience

PB: Any = api_pb2
POWER = CHANNELS["active_power_l1"]
ENTITIES = Entities(
    channels={(0, 1): POWER}, relays={(0, 2): Relay("relay_1", "Relay 1")}
)


class Recorder:
    """A listener of a source that records readings and relay states."""

    def __init__(self) -> None:
        """Start without records."""
        self.records: list[tuple[str, float | None]] = []

    def on_reading(self, channel: Channel, value: float | None) -> None:
        """Record a reading."""
        self.records.append((channel.id, value))

    def on_relay_state(self, relay_id: str, is_on: bool) -> None:
        """Record the state of a relay."""
        self.records.append((relay_id, is_on))


class Library:
    """The library's client, as its public interface has it."""

    def subscribe_states(self, on_state: Any) -> None:
        """Keep the callback."""
        self.on_state = on_state


class Connection:
    """The library's connection, with the handlers of messages."""

    def send_message_callback_response(
        self, request: Any, on_message: Any, kinds: tuple[type, ...]
    ) -> None:
        """Keep the callback."""
        assert type(request) is PB.SubscribeStatesRequest
        assert {PB.SensorStateResponse, PB.SwitchStateResponse} <= set(kinds)
        self.on_message = on_message


class FastLibrary(Library):
    """The library's client with a connection in reach."""

    def __init__(self) -> None:
        """Start with a connection."""
        self.connection = Connection()

    def _get_connection(self) -> Connection:
        return self.connection


EXPECTED = [(POWER.id, 1500.0), (POWER.id, None), (POWER.id, None), ("relay_1", True)]


def test_sensor_messages_become_readings() -> None:
    """Missing readings and readings that are not finite are None."""
    recorder: Any = Recorder()
    api: Any = FastLibrary()
    NativeApiClient(api).subscribe_states(StateReporter(recorder, ENTITIES))
    for message in (
        PB.SensorStateResponse(key=1, state=1500.0),
        PB.SensorStateResponse(key=1, missing_state=True),
        PB.SensorStateResponse(key=1, state=float("nan")),
        PB.SensorStateResponse(key=99, state=1.0),
        PB.SwitchStateResponse(key=2, state=True),
        PB.TextSensorStateResponse(key=3, state="unknown entity"),
    ):
        api.connection.on_message(message)
    assert recorder.records == EXPECTED


def test_a_library_without_its_connection_in_reach_gives_the_same() -> None:
    """The public subscription is used where the fast way is gone."""
    recorder: Any = Recorder()
    api: Any = Library()
    NativeApiClient(api).subscribe_states(StateReporter(recorder, ENTITIES))
    states: tuple[EntityState, ...] = (
        SensorState.from_dict({"key": 1, "state": 1500.0}),
        SensorState.from_dict({"key": 1, "missing_state": True}),
        SensorState.from_dict({"key": 1, "state": float("nan")}),
        SensorState.from_dict({"key": 99, "state": 1.0}),
        SwitchState.from_dict({"key": 2, "state": True}),
        TextSensorState.from_dict({"key": 3, "state": "unknown entity"}),
    )
    for state in states:
        api.on_state(state)
    assert recorder.records == EXPECTED


def test_a_link_lost_before_the_subscription_is_an_error_of_the_source() -> None:
    """No exception of the library gets out."""

    class Broken(Library):
        def subscribe_states(self, on_state: Any) -> None:
            raise APIConnectionError("gone")

    api: Any = Broken()
    reporter = StateReporter(Recorder(), ENTITIES)  # type: ignore[arg-type]
    with pytest.raises(NoAnswerError):
        NativeApiClient(api).subscribe_states(reporter)


def test_the_installed_library_has_the_fast_way() -> None:
    """A release of the library without it costs a quarter more."""
    assert callable(APIClient._get_connection)


async def test_a_flood_of_readings_is_left_out_and_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Twenty thousand in an instant are a thousand, and a line of the log."""
    recorder: Any = Recorder()
    reporter = StateReporter(recorder, ENTITIES)
    for number in range(20_000):
        reporter.on_sensor(PB.SensorStateResponse(key=1, state=float(number)))
    assert 1000 <= len(recorder.records) < 1500
    assert len(caplog.records) == 1


async def test_of_states_that_change_too_fast_the_latest_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A relay that is switched a thousand times in an instant ends as it is."""
    monkeypatch.setattr(device_model, "STATE_RATE", 1000.0)
    recorder: Any = Recorder()
    reporter = StateReporter(recorder, ENTITIES)
    for number in range(9_999):
        reporter.on_state(SwitchState.from_dict({"key": 2, "state": number % 2 == 0}))
    told = len(recorder.records)
    assert 100 <= told < 1000
    async with asyncio.timeout(patience(5)):
        while len(recorder.records) == told:
            await asyncio.sleep(0.001)
    assert recorder.records[-1] == ("relay_1", True)
    assert len(caplog.records) == 1


async def test_nothing_that_waited_is_told_once_the_link_is_lost() -> None:
    """The states are not of now any more."""
    recorder: Any = Recorder()
    reporter = StateReporter(recorder, ENTITIES)
    for _ in range(200):
        reporter.on_state(SwitchState.from_dict({"key": 2, "state": True}))
    told = len(recorder.records)
    reporter.stop()
    await asyncio.sleep(0.25)
    assert len(recorder.records) == told


def test_what_a_device_lists_is_bounded() -> None:
    """No meter has as many relays and settings, and nothing is listed twice."""
    listed: list[Any] = [
        *(
            SwitchInfo.from_dict(
                {"object_id": f"relay_{n}", "key": n, "name": "R" * 500}
            )
            for n in range(1000)
        ),
        *(
            SelectInfo.from_dict(
                {
                    "object_id": f"relay_{n}_class",
                    "key": 2000 + n,
                    "options": [str(option) for option in range(1000)],
                }
            )
            for n in range(1000)
        ),
        *(
            SensorInfo.from_dict({"object_id": POWER.id, "key": 5000 + n})
            for n in range(9)
        ),
        SwitchInfo.from_dict({"object_id": "x" * 1000, "key": 6000}),
    ]
    entities = device_model.pick_entities(listed)
    assert len(entities.relays) == 32
    assert all(len(relay.name) <= 80 for relay in entities.relays.values())
    assert len(entities.settings) == 64
    assert all(len(item.options) == 32 for item in entities.settings.values())
    assert len(entities.channels) == 1


def test_a_device_names_itself_in_short_and_plain_texts() -> None:
    """Whatever it is called, and however often it says so."""
    info = DeviceInfo.from_dict(
        {
            "name": "meter",
            "friendly_name": "N\n" * 10_000,
            "mac_address": "02:4E:52:4A:00:07",
            "project_name": "nrj-monitor.meter" + "x" * 10_000,
            "project_version": "9" * 10_000,
            "model": "m" * 10_000,
        }
    )
    description = device_model.read_device(info, [], ()).description
    assert all(
        len(text) <= 80
        for text in (
            description.name,
            description.model,
            description.hardware,
            description.software,
            description.version or "",
        )
    )


def test_other_firmware_and_a_mac_that_is_none_are_no_meter() -> None:
    """Their names are told as plain text."""
    for project, mac in (
        ("[x](https://example.com)", "02:4E:52:4A:00:07"),
        ("nrj-monitor.meter", "<b>"),
    ):
        info = DeviceInfo.from_dict(
            {"name": "<i>", "mac_address": mac, "project_name": project}
        )
        with pytest.raises(NotAMeterError) as refused:
            device_model.read_device(info, [], ())
        shown = "".join(refused.value.placeholders.values())
        assert not set("[]<>") & set(shown)

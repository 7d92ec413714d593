"""States of a device, with and without the library's fast way."""

from typing import Any

from aioesphomeapi import api_pb2
from aioesphomeapi.client import APIClient
from aioesphomeapi.core import APIConnectionError
from aioesphomeapi.model import EntityState, SensorState, SwitchState, TextSensorState
import pytest

from custom_components.nrj_monitor.catalog import CHANNELS, Channel
from custom_components.nrj_monitor.sources import Relay
from custom_components.nrj_monitor.sources.errors import NoAnswerError
from custom_components.nrj_monitor.sources.native_api.client import NativeApiClient
from custom_components.nrj_monitor.sources.native_api.device_model import (
    Entities,
    StateReporter,
)

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

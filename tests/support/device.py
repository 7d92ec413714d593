"""A scriptable ESPHome device, for behaviour the real firmware can not be made to show.

It refuses commands, holds back states, sends readings at awkward moments, changes
its key and is no meter at all where a test wants that. What a meter measures is
tested against the real firmware, never against this.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, override
import zlib

from aioesphomeapi import api_pb2
from aioesphomeapi.core import MESSAGE_TYPE_TO_PROTO

from custom_components.nrj_monitor.const import EXPECTED_FIRMWARE
from tests.support.framing import Framing, NoiseFraming, PlainFraming
from tests.support.loopback import LoopbackServer
from tests.support.pace import patience

PB: Any = api_pb2
TYPE_OF = {message: number for number, message in MESSAGE_TYPE_TO_PROTO.items()}

KEY = "bjhtdWNoLXNlY3JldC0zMi1ieXRlLWtleSEhMTIzNDU="
OTHER_KEY = "YW5vdGhlci1rZXktdGhhdC1pcy0zMi1ieXRlcy1sbmc="

ARGUMENTS: dict[str, dict[str, Any]] = {
    f"calibrate_{quantity}": {
        "phase": PB.SERVICE_ARG_TYPE_INT,
        argument: PB.SERVICE_ARG_TYPE_FLOAT,
    }
    for quantity, argument in (
        ("voltage", "volts"),
        ("current", "amperes"),
        ("power_factor", "power_factor"),
    )
} | {
    "null_residual_current": {"input": PB.SERVICE_ARG_TYPE_INT},
    "guard_events": {"after": PB.SERVICE_ARG_TYPE_INT},
    "power_quality_events": {"after": PB.SERVICE_ARG_TYPE_INT},
    "power_quality_oscillogram": {
        "event": PB.SERVICE_ARG_TYPE_INT,
        "page": PB.SERVICE_ARG_TYPE_INT,
    },
    "journal_open": {
        "client": PB.SERVICE_ARG_TYPE_STRING,
        "journal": PB.SERVICE_ARG_TYPE_STRING,
        "after": PB.SERVICE_ARG_TYPE_INT,
    },
    "journal_acknowledge": {
        "client": PB.SERVICE_ARG_TYPE_STRING,
        "sequence": PB.SERVICE_ARG_TYPE_INT,
        "done": PB.SERVICE_ARG_TYPE_INT,
    },
    "take_over_calibration": {
        f"{name}_l{phase}": PB.SERVICE_ARG_TYPE_FLOAT
        for phase in (1, 2, 3)
        for name in ("voltage_gain", "current_gain", "phase")
    },
}
"""Arguments of user actions, as the firmware lists them."""

MAC = "02:4E:52:4A:00:07"


@dataclass(kw_only=True)
class Device:
    """A device's identity, entities and behaviour."""

    name: str = "nrj-meter"
    friendly_name: str = "NRJ Meter"
    mac: str = MAC
    project: str = "nrj-monitor.meter"
    project_version: str = EXPECTED_FIRMWARE
    key: str | None = None
    sensors: dict[str, float | None] = field(default_factory=dict)
    """Sensor states by name; None is a sensor that has no state yet."""
    relays: dict[str, bool] = field(default_factory=dict)
    refuses: set[str] = field(default_factory=set)
    """Relays that stay as they are whatever they are told."""
    texts: dict[str, str] = field(default_factory=dict)
    """States of text sensors by name."""
    settings: dict[str, bool] = field(default_factory=dict)
    """Switches the firmware puts among its settings."""
    actions: dict[str, tuple[bool, str]] = field(default_factory=dict)
    """Answers to user actions by name: success, and words."""
    answers_questions: bool = True
    """Whether it says what it is and has after its greeting."""
    tells_relays: bool = True
    """Whether relay states are sent when a client subscribes."""


class DeviceServer(LoopbackServer):
    """Serves a `Device` over the native API."""

    def __init__(self, device: Device) -> None:
        """Prepare to serve `device`."""
        super().__init__()
        self.device = device
        self.frozen = False
        """Whether answers are held back, as by a cut cable."""
        self.ran: list[tuple[str, list[float]]] = []
        """User actions that were run, with their numbers."""
        self.client = ""
        """The client that last asked for the journal."""
        self.pages: list[Mapping[str, str]] = []
        """Pages of the journal that are sent to each client that asks for it."""
        self.told_time: Any = None
        """The last answer to `ask_time`."""
        self._subscribers: set[Framing] = set()

    def measure(self, **readings: float) -> None:
        """Send readings by object id in a single burst, as the firmware does."""
        names = {_object_id(name): name for name in self.device.sensors}
        for object_id, value in readings.items():
            self.device.sensors[names[object_id]] = value
            self._publish(self._sensor_state(names[object_id]))

    def switch(self, relay: str, is_on: bool) -> None:
        """Switch a relay at the device, as its own automation would."""
        self.device.relays[relay] = is_on
        self._publish(self._relay_state(relay))

    def ask_time(self) -> None:
        """Ask for the time, as the firmware's clock does."""
        self._publish(PB.GetTimeRequest())

    def tell(self, kind: str, data: Mapping[str, str]) -> None:
        """Send an event to Home Assistant, as the firmware's components do."""
        self._publish(_event(kind, data))

    async def flood(self, kind: str, events: Sequence[Mapping[str, str]]) -> None:
        """Send events in an instant."""
        messages = await asyncio.to_thread(
            lambda: [_event(kind, data).SerializeToString() for data in events]
        )
        for framing in tuple(self._subscribers):
            for number, message in enumerate(messages):
                framing.write(TYPE_OF[PB.HomeassistantActionRequest], message)
                if number % 100 == 99:
                    # Sending is the device's work, not the client's.
                    await asyncio.sleep(0)

    def state(self, message: Any, name: str) -> None:
        """Send a message with the state of an entity, whatever it says."""
        message.key = _key(name)
        self._publish(message)

    @property
    def is_subscribed(self) -> bool:
        """Return whether a client wants the states."""
        return bool(self._subscribers)

    async def settle(self) -> None:
        """Wait until the client has taken all that was sent, or is gone."""
        self.told_time = None
        self.ask_time()
        async with asyncio.timeout(patience(20)):
            while self.told_time is None and self._subscribers:
                await asyncio.sleep(0.002)

    def garble(self, noise: bytes) -> None:
        """Send bytes outside the protocol."""
        for writer in self._connections.values():
            writer.write(noise)

    @override
    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        device = self.device
        framing: Framing = (
            PlainFraming(reader, writer)
            if device.key is None
            else await NoiseFraming.accept(
                reader,
                writer,
                key=device.key,
                name=device.name,
                mac=device.mac.replace(":", "").lower(),
            )
        )
        try:
            while True:
                number, payload = await framing.read()
                request = MESSAGE_TYPE_TO_PROTO[number].FromString(payload)
                if self.frozen:
                    continue
                for answer in self._answers(request, framing):
                    _send(framing, answer)
                if isinstance(request, PB.DisconnectRequest):
                    return
        finally:
            self._subscribers.discard(framing)

    def _answers(self, request: Any, framing: Framing) -> Iterable[Any]:
        match request:
            case PB.HelloRequest():
                yield PB.HelloResponse(
                    api_version_major=1, api_version_minor=10, name=self.device.name
                )
            case PB.PingRequest():
                yield PB.PingResponse()
            case PB.DisconnectRequest():
                yield PB.DisconnectResponse()
            case PB.DeviceInfoRequest() if self.device.answers_questions:
                yield self._info()
            case PB.ListEntitiesRequest():
                yield from self._entities()
            case PB.SubscribeStatesRequest():
                self._subscribers.add(framing)
                yield from map(self._sensor_state, self.device.sensors)
                for name, text in self.device.texts.items():
                    yield PB.TextSensorStateResponse(key=_key(name), state=text)
                if self.device.tells_relays:
                    yield from map(self._relay_state, self.device.relays)
            case PB.GetTimeResponse():
                self.told_time = request
            case PB.SwitchCommandRequest():
                self._command(request)
            case PB.ExecuteServiceRequest():
                yield self._run(request)
                if _key("journal_open") == request.key:
                    for page in self.pages:
                        yield _event(
                            "esphome.nrj_journal", {**page, "client": self.client}
                        )

    def _command(self, request: Any) -> None:
        relay = next(name for name in self.device.relays if _key(name) == request.key)
        if relay not in self.device.refuses:
            self.switch(relay, request.state)

    def _run(self, request: Any) -> Any:
        name = next(name for name in self.device.actions if _key(name) == request.key)
        numbers = [argument.float_ or argument.int_ for argument in request.args]
        if name.startswith("journal_"):
            self.client = request.args[0].string_
        self.ran.append((name, numbers))
        success, words = self.device.actions[name]
        return PB.ExecuteServiceResponse(
            call_id=request.call_id, success=success, error_message=words
        )

    def _info(self) -> Any:
        device = self.device
        return PB.DeviceInfoResponse(
            name=device.name,
            friendly_name=device.friendly_name,
            mac_address=device.mac,
            model="host",
            esphome_version="2026.10.0",
            project_name=device.project,
            project_version=device.project_version,
        )

    def _entities(self) -> Iterable[Any]:
        for name in self.device.sensors:
            yield PB.ListEntitiesSensorResponse(
                object_id=_object_id(name), key=_key(name), name=name
            )
        for name in self.device.texts:
            yield PB.ListEntitiesTextSensorResponse(
                object_id=_object_id(name), key=_key(name), name=name
            )
        for name in self.device.relays:
            yield PB.ListEntitiesSwitchResponse(
                object_id=_object_id(name), key=_key(name), name=name
            )
        for name in self.device.settings:
            yield PB.ListEntitiesSwitchResponse(
                object_id=_object_id(name),
                key=_key(name),
                name=name,
                entity_category=PB.ENTITY_CATEGORY_CONFIG,
            )
        for name in self.device.actions:
            yield PB.ListEntitiesServicesResponse(
                name=name,
                key=_key(name),
                args=[
                    PB.ListEntitiesServicesArgument(name=argument, type=kind)
                    for argument, kind in ARGUMENTS.get(name, {}).items()
                ],
                supports_response=PB.SUPPORTS_RESPONSE_STATUS,
            )
        yield PB.ListEntitiesDoneResponse()

    def _sensor_state(self, name: str) -> Any:
        value = self.device.sensors[name]
        if value is None:
            return PB.SensorStateResponse(key=_key(name), missing_state=True)
        return PB.SensorStateResponse(key=_key(name), state=value)

    def _relay_state(self, name: str) -> Any:
        return PB.SwitchStateResponse(key=_key(name), state=self.device.relays[name])

    def _publish(self, message: Any) -> None:
        for framing in self._subscribers:
            _send(framing, message)


def _send(framing: Framing, message: Any) -> None:
    framing.write(TYPE_OF[type(message)], message.SerializeToString())


def _event(kind: str, data: Mapping[str, str]) -> Any:
    return PB.HomeassistantActionRequest(
        service=kind,
        is_event=True,
        data=[
            PB.HomeassistantServiceMap(key=key, value=value)
            for key, value in data.items()
        ],
    )


def _object_id(name: str) -> str:
    return name.lower().replace(" ", "_")


def _key(name: str) -> int:
    """Return a key of an entity as arbitrary and stable as the firmware's."""
    return zlib.crc32(name.encode())

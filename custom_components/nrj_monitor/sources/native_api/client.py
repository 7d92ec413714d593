"""A connection to a device: aioesphomeapi's client, with the errors of sources."""

import asyncio
from collections.abc import Callable, Mapping
import errno
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aioesphomeapi import api_pb2
from aioesphomeapi.client import APIClient
from aioesphomeapi.core import (
    ZERO_NOISE_PSK,
    APIConnectionError,
    EncryptionPlaintextAPIError,
    InvalidEncryptionKeyAPIError,
    RequiresEncryptionAPIError,
)
from aioesphomeapi.model import (
    EntityState,
    HomeassistantServiceCall,
    SensorState,
    UserService,
)
from aioesphomeapi.model_conversions import SUBSCRIBE_STATES_RESPONSE_TYPES

from ..errors import (
    ConnectionRefusedSourceError,
    CredentialError,
    HostUnknownError,
    KeyRequiredError,
    LinkDownError,
    NoAnswerError,
    NotEncryptedError,
    NotEsphomeError,
    SourceError,
    UnreachableError,
    WrongKeyError,
)
from ..settings import Setting, SettingValue
from .address import NativeApiAddress, check_key
from .device_model import DeviceModel, EntityAddress, StateReporter, read_device

if TYPE_CHECKING:
    from zeroconf import Zeroconf

MESSAGES: Final[Any] = api_pb2
"""Messages of the protocol; their module is generated and has no types."""

NO_KEY: Final = ZERO_NOISE_PSK
"""Key of zeros: ESPHome's "no key yet" on a link that encrypts all the same."""

RESOLVE_TIMEOUT: Final = 5.0
"""Seconds for a name to become an address; mDNS answers within one."""

CONNECT_TIMEOUT: Final = 4.0
"""Seconds for the TCP connection: the first SYN and its repeats after 1 and 3 s."""

TALK_TIMEOUT: Final = 15.0
"""Seconds for handshake, identity and entity list; an ESP8266 needs a few."""

KEEPALIVE: Final = 2.0
"""Seconds of silence before a ping. The library gives up 4.5 times this after an
unanswered one, so a cut cable is noticed within 11 s."""

ACTION_TIMEOUT: Final = 10.0
"""Seconds the device may take to answer a user action."""

CONNECT_ERRORS: Final[dict[int | None, tuple[type[SourceError], str]]] = {
    errno.ECONNREFUSED: (ConnectionRefusedSourceError, "The connection was refused"),
    errno.ETIMEDOUT: (NoAnswerError, "Nothing answers at the address"),
}
"""Meaning of an operating system's error on connecting; any other is unreachable."""

TALK_ERRORS: Final[
    tuple[tuple[type[APIConnectionError], type[SourceError], str], ...]
] = (
    (RequiresEncryptionAPIError, KeyRequiredError, "The device requires a key"),
    (EncryptionPlaintextAPIError, NotEncryptedError, "The device does not encrypt"),
    (InvalidEncryptionKeyAPIError, WrongKeyError, "The device has another key"),
    (APIConnectionError, NotEsphomeError, "Not ESPHome's native API"),
)
"""Meaning of an error of the handshake; the first match counts, most specific first."""


class ActionAnswer(NamedTuple):
    """Answer of a device to a user action: whether it succeeded, and its words."""

    success: bool
    text: str


def make_client(
    address: NativeApiAddress,
    zeroconf: Zeroconf | None = None,
    time_zone: str | None = None,
) -> NativeApiClient:
    """Return a client, not connected yet.

    `time_zone` (IANA) goes to the device with the time. Raises MalformedKeyError.
    """
    if address.key is not None:
        check_key(address.key)
    return NativeApiClient(
        APIClient(
            address.host,
            address.port,
            None,
            client_info="NRJ Monitor",
            keepalive=KEEPALIVE,
            zeroconf_instance=zeroconf,
            noise_psk=address.key,
            timezone=time_zone,
        )
    )


class NativeApiClient:
    """A single connection to a device: connect, read the device, subscribe.

    The library's errors leave this class as the SourceError that they mean.
    """

    def __init__(self, api: APIClient) -> None:
        """Wrap the library's client, not connected yet."""
        self.api = api
        self.actions: Mapping[str, UserService] = {}
        """User actions of the device by name, empty until the device was read."""

    async def connect(self, on_stop: Callable[[], None] | None = None) -> None:
        """Connect, and call `on_stop` once the connection is lost.

        Each of the three steps has its own time limit and errors.
        """

        async def stopped(expected_disconnect: bool) -> None:
            if on_stop is not None:
                on_stop()

        try:
            async with asyncio.timeout(RESOLVE_TIMEOUT):
                await self.api.start_resolve_host(stopped, log_errors=False)
        except (APIConnectionError, TimeoutError) as error:
            raise HostUnknownError("The host name has no address") from error
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await self.api.start_connection()
        except TimeoutError as error:
            raise NoAnswerError("Nothing answers at the address") from error
        except APIConnectionError as error:
            raise _connect_error(error) from error
        try:
            async with asyncio.timeout(TALK_TIMEOUT):
                await self.api.finish_connection(login=True)
        except TimeoutError as error:
            raise NoAnswerError(
                "Something accepts the connection but is silent"
            ) from error
        except APIConnectionError as error:
            raise _talk_error(error) from error

    async def disconnect(self) -> None:
        """Close the connection without waiting for the device."""
        await self.api.disconnect(force=True)

    async def read_device(self) -> DeviceModel:
        """Read identity, entities and user actions of the connected device.

        Raises NoAnswerError, and NotAMeterError for other firmware.
        """
        try:
            async with asyncio.timeout(TALK_TIMEOUT):
                info, entities, actions = await self.api.device_info_and_list_entities()
        except (APIConnectionError, TimeoutError) as error:
            raise NoAnswerError("The device did not say what it is") from error
        self.actions = {action.name: action for action in actions}
        return read_device(info, entities, self.actions.keys())

    async def read_mac(self) -> str:
        """Read the MAC address of the connected device; raises NoAnswerError."""
        try:
            async with asyncio.timeout(TALK_TIMEOUT):
                return (await self.api.device_info()).mac_address
        except (APIConnectionError, TimeoutError) as error:
            raise NoAnswerError("The device did not say what it is") from error

    def subscribe_states(self, reporter: StateReporter) -> None:
        """Pass each state of an entity to `reporter`; raises NoAnswerError.

        Sensors come as messages of the protocol: the library's copy of each message into
        a model costs as much as a third of the whole event loop's work for a reading. A
        library without the method used for that, which is not public, copies as usual.
        """
        try:
            connection = getattr(self.api, "_get_connection", None)
            if connection is None:
                self.api.subscribe_states(_state_handler(reporter))
            else:
                connection().send_message_callback_response(
                    MESSAGES.SubscribeStatesRequest(),
                    _message_handler(reporter),
                    tuple(SUBSCRIBE_STATES_RESPONSE_TYPES),
                )
        except APIConnectionError as error:
            raise NoAnswerError("The link was lost at once") from error

    def subscribe_events(self, on_event: Callable[[str, dict[str, str]], None]) -> None:
        """Call `on_event` with type and data of each event; raises NoAnswerError."""

        def on_call(call: HomeassistantServiceCall) -> None:
            if call.is_event:
                on_event(call.service, dict(call.data))

        try:
            self.api.subscribe_service_calls(on_call)
        except APIConnectionError as error:
            raise NoAnswerError("The link was lost at once") from error

    def switch_relay(self, address: EntityAddress, is_on: bool) -> None:
        """Send a command to a switch entity; raises LinkDownError."""
        device_id, key = address
        try:
            self.api.switch_command(key, is_on, device_id=device_id)
        except APIConnectionError as error:
            raise LinkDownError("The link to the meter broke") from error

    def change_setting(
        self, address: EntityAddress, setting: Setting, value: SettingValue
    ) -> None:
        """Send a new value to the entity of a setting; raises LinkDownError."""
        device_id, key = address
        try:
            if setting.kind == "select":
                self.api.select_command(key, str(value), device_id=device_id)
            elif setting.kind == "number":
                self.api.number_command(key, float(value), device_id=device_id)
            else:
                self.api.switch_command(key, bool(value), device_id=device_id)
        except APIConnectionError as error:
            raise LinkDownError("The link to the meter broke") from error

    async def send_action(self, name: str, **arguments: int | str) -> None:
        """Run a user action without an answer.

        Raises LinkDownError without a link or where the device has no such action.
        """
        action = self._action(name)
        try:
            await self.api.execute_service(action, {**arguments})
        except APIConnectionError as error:
            raise LinkDownError("The link to the meter broke") from error

    async def run_action(self, name: str, **arguments: float) -> ActionAnswer:
        """Run a user action; return its answer.

        Raises LinkDownError without a link, without an answer within `ACTION_TIMEOUT`
        or where the device has no such action.
        """
        action = self._action(name)
        try:
            answer = await self.api.execute_service(
                action, {**arguments}, return_response=True, timeout=ACTION_TIMEOUT
            )
        except (APIConnectionError, TimeoutError) as error:
            raise LinkDownError("The meter does not answer") from error
        if answer is None:
            return ActionAnswer(True, "")
        return ActionAnswer(answer.success, answer.error_message)

    async def set_encryption_key(self, key: str) -> bool:
        """Set the device's key, "" for none; return whether the device accepts the key.

        Raises NoAnswerError. The key does not reach the library's debug log.
        """
        self.api.set_debug(False)
        try:
            async with asyncio.timeout(TALK_TIMEOUT):
                return await self.api.noise_encryption_set_key(key.encode())
        except (APIConnectionError, TimeoutError) as error:
            raise NoAnswerError(
                "The device did not say whether it accepts the key"
            ) from error

    def _action(self, name: str) -> UserService:
        """Return a user action of the device; raises LinkDownError."""
        if (action := self.actions.get(name)) is None:
            raise LinkDownError("The link to the meter is down")
        return action


def _message_handler(reporter: StateReporter) -> Callable[[Any], None]:
    """Return a handler of messages with states; sensors are passed on as messages."""
    sensor_message = MESSAGES.SensorStateResponse

    def on_message(message: Any) -> None:
        kind = type(message)
        if kind is sensor_message:
            reporter.on_sensor(message)
        else:
            reporter.on_state(SUBSCRIBE_STATES_RESPONSE_TYPES[kind].from_pb(message))

    return on_message


def _state_handler(reporter: StateReporter) -> Callable[[EntityState], None]:
    """Return a handler of the library's models of states."""

    def on_state(state: EntityState) -> None:
        if isinstance(state, SensorState):
            reporter.on_sensor(state)
        else:
            reporter.on_state(state)

    return on_state


def _connect_error(error: APIConnectionError) -> SourceError:
    """Return the meaning of a failed TCP connection."""
    cause = error.__cause__
    number = cause.errno if isinstance(cause, OSError) else None
    kind, message = CONNECT_ERRORS.get(
        number, (UnreachableError, "No way to the address")
    )
    return kind(message)


def _talk_error(error: APIConnectionError) -> SourceError:
    """Return the meaning of a failed handshake."""
    meaning = next(
        kind(message)
        for cause, kind, message in TALK_ERRORS
        if isinstance(error, cause)
    )
    if isinstance(error, InvalidEncryptionKeyAPIError) and isinstance(
        meaning, CredentialError
    ):
        meaning.mac = error.received_mac
    return meaning

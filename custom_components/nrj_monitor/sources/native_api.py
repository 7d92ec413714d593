"""Readings over ESPHome's native API.

With device_events.py and native_settings.py all that knows aioesphomeapi.

The link is kept by a loop of its own rather than by the library's reconnect
logic, which waits up to 60 s between attempts and up to 60 s within one: here an
absent device is looked for every few seconds, so it is back within seconds.
"""

import asyncio
import base64
import binascii
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
import errno
import logging
from math import isfinite
import secrets
from typing import TYPE_CHECKING, Any, Final, Never, override

from aioesphomeapi.client import APIClient
from aioesphomeapi.core import (
    ZERO_NOISE_PSK,
    APIConnectionError,
    EncryptionPlaintextAPIError,
    InvalidEncryptionKeyAPIError,
    RequiresEncryptionAPIError,
)
from aioesphomeapi.model import (
    DeviceInfo,
    EntityCategory,
    EntityInfo,
    EntityState,
    SensorInfo,
    SensorState,
    SwitchInfo,
    SwitchState,
    TextSensorInfo,
    TextSensorState,
    UserService,
)
from homeassistant.util import dt as dt_util

from ..catalog import CHANNELS, Channel
from . import MeterDescription, Relay, Source, SourceListener
from .device_events import EVENTS_ACTION, POWER_QUALITY, DeviceEvents
from .errors import (
    ConnectionRefusedSourceError,
    CredentialError,
    HostUnknownError,
    KeyRefusedError,
    KeyRequiredError,
    LinkDownError,
    MalformedKeyError,
    NoAnswerError,
    NotAMeterError,
    NotEncryptedError,
    NotEsphomeError,
    OtherMeterError,
    SourceError,
    UnreachableError,
    WrongKeyError,
)
from .native_settings import command, setting_of, value_of
from .settings import Setting, SettingValue

if TYPE_CHECKING:
    from zeroconf import Zeroconf

_LOGGER = logging.getLogger(__name__)

PROJECT_PREFIX: Final = "nrj-monitor."
"""What the project name of every firmware of this project begins with."""

KEY_BYTES: Final = 32
"""Length of a Noise pre-shared key, Noise protocol framework section 9."""

RESOLVE_TIMEOUT: Final = 5.0
"""Seconds for a name to become an address; mDNS answers within one."""

CONNECT_TIMEOUT: Final = 4.0
"""Seconds for the TCP connection: the first SYN and its repeats after 1 and 3 s."""

TALK_TIMEOUT: Final = 15.0
"""Seconds for handshake, identity and entity list; an ESP8266 needs a few."""

RETRY_PAUSE: Final = 2.0
"""Seconds between two attempts to reach a device that is away."""

CREDENTIAL_PAUSE: Final = 60.0
"""Seconds between two attempts with a key the device did not accept."""

KEY_TIMEOUT: Final = 5.0
"""Seconds a device may take to use the key it was given; ESPHome takes 0.1 s."""

KEEPALIVE: Final = 2.0
"""Seconds of silence before a ping. The library gives up 4.5 times this after an
unanswered one, so a cut cable is noticed within 11 s."""


OPEN_JOURNAL: Final = "journal_open"
ACKNOWLEDGE_JOURNAL: Final = "journal_acknowledge"

FEATURES: Final = {
    EVENTS_ACTION: POWER_QUALITY,
    "check_wiring": "wiring",
    OPEN_JOURNAL: "journal",
}
"""What a meter can, by the user action of its firmware that goes with it."""

GUARD: Final = "guard"
"""Feature of a meter that guards the grid."""

TEXTS: Final = frozenset({"wiring", "clock", "guard_state", "guard_reason"})
"""Object ids of the texts in which a meter speaks of itself."""

ACTION_TIMEOUT: Final = 10.0
"""Seconds the meter may take over a user action."""


type OnStop = Callable[[bool], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeApiAddress:
    """Where a device is and the key it encrypts with, None without encryption."""

    host: str
    port: int
    key: str | None


@dataclass(frozen=True, slots=True)
class _Entities:
    """Which entity of the device means what, keyed by device id and entity key."""

    channels: dict[tuple[int, int], Channel]
    relays: dict[tuple[int, int], Relay]
    texts: dict[tuple[int, int], str]
    settings: dict[tuple[int, int], Setting]


def check_key(key: str) -> None:
    """Raise MalformedKeyError unless `key` is base64 of 32 bytes."""
    try:
        decoded = base64.b64decode(key, validate=True)
    except binascii.Error, ValueError:
        decoded = b""
    if len(decoded) != KEY_BYTES:
        raise MalformedKeyError("The encryption key is not base64 of 32 bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """A meter that was asked what it is.

    `takes_key` is whether it has no key yet and accepts one.
    """

    description: MeterDescription
    takes_key: bool


async def probe(address: NativeApiAddress, zeroconf: Zeroconf | None = None) -> Probed:
    """Return what the meter at `address` is and has; nothing stays connected.

    Without a key a device that has none yet is found whether it still talks in
    the clear or only through the key of zeros that stands for none, and one that
    has a key tells which device it is.

    Raises the SourceError that says why it cannot be used.
    """
    try:
        return await _probe(address, zeroconf)
    except KeyRequiredError as error:
        try:
            return await _probe(replace(address, key=ZERO_NOISE_PSK), zeroconf)
        except WrongKeyError as wrong:
            error.mac = wrong.mac
            raise error from wrong


async def _probe(address: NativeApiAddress, zeroconf: Zeroconf | None) -> Probed:
    """Ask once, with the key given and no other."""
    client = _client(address, zeroconf, None)
    try:
        await _open(client)
        info, entities, services = await _ask(client)
    finally:
        await client.disconnect(force=True)
    return Probed(
        description=_describe(info, _known(entities), services),
        takes_key=info.api_encryption_provisionable,
    )


def new_key() -> str:
    """Return a key nobody has had before."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


async def give_key(address: NativeApiAddress, zeroconf: Zeroconf | None = None) -> None:
    """Give the key of `address` to the device there, which must have none yet.

    The key is sent encrypted, so it cannot be overheard; the key of zeros under
    which that happens proves nobody's identity, as ESPHome's own set-up does not.
    Returns when the device uses the key.

    Raises KeyRefusedError where the device takes none, WrongKeyError where it has
    one already, and any other SourceError where it cannot be talked to.
    """
    assert address.key is not None
    check_key(address.key)
    await _set_key(replace(address, key=ZERO_NOISE_PSK), address.key, zeroconf)


async def take_key_back(
    address: NativeApiAddress, zeroconf: Zeroconf | None = None
) -> None:
    """Leave the device at `address`, whose key is given there, without a key.

    Raises KeyRefusedError where the device keeps it, and any other SourceError
    where it cannot be talked to.
    """
    await _set_key(address, "", zeroconf)


async def _set_key(
    address: NativeApiAddress, key: str, zeroconf: Zeroconf | None
) -> None:
    """Set the key of the device at `address` and wait until it is in use."""
    dropped = asyncio.Event()

    async def on_stop(expected_disconnect: bool) -> None:
        dropped.set()

    client = _client(address, zeroconf, None)
    # The library's debug log would hold the key.
    client.set_debug(False)
    try:
        await _open(client, on_stop)
        try:
            async with asyncio.timeout(TALK_TIMEOUT):
                taken = await client.noise_encryption_set_key(key.encode())
        except (APIConnectionError, TimeoutError) as error:
            raise NoAnswerError("The device did not say whether it took it") from error
        if not taken:
            raise KeyRefusedError("The device does not take a key")
        # It throws everybody out when it begins to use the key.
        with suppress(TimeoutError):
            async with asyncio.timeout(KEY_TIMEOUT):
                await dropped.wait()
    finally:
        await client.disconnect(force=True)


class NativeApiSource(Source):
    """The meter itself, over its native API."""

    def __init__(
        self,
        address: NativeApiAddress,
        *,
        mac: str,
        zeroconf: Zeroconf | None = None,
        time_zone: str | None = None,
    ) -> None:
        """Prepare a link to the meter with `mac` at `address`.

        `time_zone` (IANA) is told to the device when it asks for the time.
        """
        self._address = address
        self._mac = mac
        self._zeroconf = zeroconf
        self._time_zone = time_zone
        self._client: APIClient | None = None
        self._relays: dict[str, tuple[int, int]] = {}
        self._services: dict[str, UserService] = {}
        self._settings: dict[str, tuple[tuple[int, int], Setting]] = {}

    @override
    async def run(self, listener: SourceListener) -> Never:
        while True:
            pause = RETRY_PAUSE
            try:
                await self._session(listener)
            except CredentialError as error:
                listener.on_connect_error(error)
                pause = CREDENTIAL_PAUSE
            except SourceError as error:
                listener.on_connect_error(error)
            except Exception:
                # Whatever it was, the meter must not be lost for good by it.
                _LOGGER.exception("The session with the meter broke off")
            await asyncio.sleep(pause)

    @override
    def switch_relay(self, relay_id: str, is_on: bool) -> None:
        if self._client is None:
            raise LinkDownError("The link to the meter is down")
        device_id, key = self._relays[relay_id]
        try:
            self._client.switch_command(key, is_on, device_id=device_id)
        except APIConnectionError as error:
            raise LinkDownError("The link to the meter broke") from error

    @override
    def change_setting(self, setting_id: str, value: SettingValue) -> None:
        if self._client is None or setting_id not in self._settings:
            raise LinkDownError("The link to the meter is down")
        at, setting = self._settings[setting_id]
        try:
            command(self._client, at, setting, value)
        except APIConnectionError as error:
            raise LinkDownError("The link to the meter broke") from error

    async def act(self, action: str) -> str | None:
        """Run a user action of the firmware; return what it answers where it fails.

        Raises:
            LinkDownError: there is no link, or the meter has no such action.
        """
        service = self._services.get(action)
        if self._client is None or service is None:
            raise LinkDownError("The link to the meter is down")
        try:
            answer = await self._client.execute_service(
                service, {}, return_response=True, timeout=ACTION_TIMEOUT
            )
        except (APIConnectionError, TimeoutError) as error:
            raise LinkDownError("The meter does not answer") from error
        if answer is None or answer.success:
            return None
        return answer.error_message or "?"

    async def open_journal(self, client: str, journal: str, after: int) -> None:
        """Ask for the records of a journal after one (see JournalSource)."""
        await self._tell(OPEN_JOURNAL, client=client, journal=journal, after=after)

    async def acknowledge_journal(self, client: str, received: int, done: int) -> None:
        """Say which records came, and which are used (see JournalSource)."""
        await self._tell(
            ACKNOWLEDGE_JOURNAL, client=client, sequence=received, done=done
        )

    async def close_journal(self, client: str) -> None:
        """Ask for nothing more (see JournalSource)."""
        await self._tell(OPEN_JOURNAL, client=client, journal="", after=-1)

    async def _tell(self, action: str, **arguments: int | str) -> None:
        """Run a user action that does not answer; raises LinkDownError."""
        service = self._services.get(action)
        if self._client is None or service is None:
            raise LinkDownError("The link to the meter is down")
        try:
            await self._client.execute_service(service, {**arguments})
        except APIConnectionError as error:
            raise LinkDownError("The link to the meter broke") from error

    async def _session(self, listener: SourceListener) -> None:
        """Connect, feed `listener` until the link is lost, and clean up."""
        client = _client(self._address, self._zeroconf, self._time_zone)
        lost = asyncio.Event()

        async def on_stop(expected_disconnect: bool) -> None:
            lost.set()

        try:
            await _open(client, on_stop)
            info, listed, services = await _ask(client)
            entities = _known(listed)
            description = _describe(info, entities, services)
            if description.mac != self._mac:
                raise OtherMeterError(
                    "Another meter answers at this address", {"mac": description.mac}
                )
            self._relays = {relay.id: at for at, relay in entities.relays.items()}
            self._settings = {
                setting.id: (at, setting) for at, setting in entities.settings.items()
            }
            events = DeviceEvents(client, services, listener, dt_util.utcnow)
            try:
                events.subscribe()
                client.subscribe_states(_feed(listener, entities))
            except APIConnectionError as error:
                raise NoAnswerError("The link was lost at once") from error
            self._client = client
            self._services = {service.name: service for service in services}
            listener.on_connected(description)
            asking = asyncio.create_task(events.run())
            try:
                await lost.wait()
            finally:
                asking.cancel()
                self._client = None
                listener.on_disconnected()
        finally:
            await client.disconnect(force=True)


def _client(
    address: NativeApiAddress, zeroconf: Zeroconf | None, time_zone: str | None
) -> APIClient:
    """Return a client that is not connected yet."""
    if address.key is not None:
        check_key(address.key)
    return APIClient(
        address.host,
        address.port,
        None,
        client_info="NRJ Monitor",
        keepalive=KEEPALIVE,
        zeroconf_instance=zeroconf,
        noise_psk=address.key,
        timezone=time_zone,
    )


async def _open(client: APIClient, on_stop: OnStop | None = None) -> None:
    """Connect `client`; each of the three steps has its own time and errors."""
    try:
        async with asyncio.timeout(RESOLVE_TIMEOUT):
            await client.start_resolve_host(on_stop, log_errors=False)
    except (APIConnectionError, TimeoutError) as error:
        raise HostUnknownError("The host name has no address") from error
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            await client.start_connection()
    except TimeoutError as error:
        raise NoAnswerError("Nothing answers at the address") from error
    except APIConnectionError as error:
        raise _connect_error(error) from error
    try:
        async with asyncio.timeout(TALK_TIMEOUT):
            await client.finish_connection(login=True)
    except TimeoutError as error:
        raise NoAnswerError("Something accepts the connection but is silent") from error
    except APIConnectionError as error:
        raise _talk_error(error) from error


async def _ask(
    client: APIClient,
) -> tuple[DeviceInfo, list[EntityInfo], list[UserService]]:
    """Ask a connected device what it is, and which entities and actions it has."""
    try:
        async with asyncio.timeout(TALK_TIMEOUT):
            return await client.device_info_and_list_entities()
    except (APIConnectionError, TimeoutError) as error:
        raise NoAnswerError("The device did not say what it is") from error


CONNECT_ERRORS: Final[dict[int | None, tuple[type[SourceError], str]]] = {
    errno.ECONNREFUSED: (ConnectionRefusedSourceError, "The connection was refused"),
    errno.ETIMEDOUT: (NoAnswerError, "Nothing answers at the address"),
}
"""What an operating system's error on connecting means; anything else: unreachable."""

TALK_ERRORS: Final[
    tuple[tuple[type[APIConnectionError], type[SourceError], str], ...]
] = (
    (RequiresEncryptionAPIError, KeyRequiredError, "The device requires a key"),
    (EncryptionPlaintextAPIError, NotEncryptedError, "The device does not encrypt"),
    (InvalidEncryptionKeyAPIError, WrongKeyError, "The device has another key"),
    (APIConnectionError, NotEsphomeError, "Not ESPHome's native API"),
)
"""What an error of the handshake means; the first that fits, most specific first."""


def _connect_error(error: APIConnectionError) -> SourceError:
    """Return what a failed TCP connection means."""
    cause = error.__cause__
    number = cause.errno if isinstance(cause, OSError) else None
    kind, message = CONNECT_ERRORS.get(
        number, (UnreachableError, "No way to the address")
    )
    return kind(message)


def _talk_error(error: APIConnectionError) -> SourceError:
    """Return what a failed handshake means."""
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


def _known(entities: list[EntityInfo]) -> _Entities:
    """Pick the entities that mean something here.

    A relay is a switch the firmware puts among the controls; those it puts
    among settings or diagnostics are not.
    """
    known = _Entities({}, {}, {}, {})
    for entity in entities:
        at = (entity.device_id, entity.key)
        match entity:
            case SensorInfo() if entity.object_id in CHANNELS:
                known.channels[at] = CHANNELS[entity.object_id]
            case TextSensorInfo() if entity.object_id in TEXTS:
                known.texts[at] = entity.object_id
            case SwitchInfo(entity_category=EntityCategory.NONE):
                known.relays[at] = Relay(entity.object_id, entity.name)
            case _ if (setting := setting_of(entity)) is not None:
                known.settings[at] = setting
    return known


def _describe(
    info: DeviceInfo, entities: _Entities, services: list[UserService]
) -> MeterDescription:
    """Return what the meter is, or raise NotAMeterError with what it is instead."""
    name = info.friendly_name or info.name
    if not info.project_name.startswith(PROJECT_PREFIX):
        raise NotAMeterError(
            "The device does not run the meter's firmware",
            {"name": name, "project": info.project_name or "ESPHome"},
        )
    return MeterDescription(
        mac=info.mac_address.lower(),
        name=name,
        manufacturer="NRJ Monitor",
        model=info.project_name.removeprefix(PROJECT_PREFIX).capitalize(),
        hardware=info.model,
        software=f"{info.project_version} (ESPHome {info.esphome_version})",
        channels=tuple(entities.channels.values()),
        relays=tuple(entities.relays.values()),
        features=frozenset(
            feature
            for action, feature in FEATURES.items()
            if any(service.name == action for service in services)
        )
        | ({GUARD} if "guard_state" in entities.texts.values() else frozenset()),
        version=info.project_version,
        settings=tuple(entities.settings.values()),
    )


def _feed(
    listener: SourceListener, entities: _Entities
) -> Callable[[EntityState], None]:
    """Return the function that hands the device's states on to `listener`."""

    def on_state(state: EntityState) -> None:
        at = (state.device_id, state.key)
        if type(state) is SensorState:
            if (channel := channels.get(at)) is not None:
                valid = not state.missing_state and isfinite(state.state)
                listener.on_reading(channel, state.state if valid else None)
        elif (
            type(state) is SwitchState
            and not state.missing_state
            and (relay := relays.get(at)) is not None
        ):
            listener.on_relay_state(relay.id, state.state)
        elif (
            type(state) is TextSensorState
            and not state.missing_state
            and (text := texts.get(at)) is not None
        ):
            listener.on_text(text, state.state)
        elif (setting := settings.get(at)) is not None and (
            value := value_of(state)
        ) is not None:
            listener.on_setting(setting.id, value)

    channels, relays, texts = entities.channels, entities.relays, entities.texts
    settings = entities.settings
    return on_state

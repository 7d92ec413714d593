"""The meter over its native API: the link, readings and commands.

The link is kept by a loop of its own rather than by the library's reconnect
logic, which waits up to 60 s between attempts and up to 60 s within one: here an
absent device is looked for every few seconds, so it is back within seconds.
"""

import asyncio
import logging
from typing import TYPE_CHECKING, Final, Never, override

from homeassistant.util import dt as dt_util

from ...device_text import plain
from ...quiet_log import QuietLog
from .. import Source, SourceListener
from ..errors import CredentialError, LinkDownError, OtherMeterError, SourceError
from ..settings import Setting, SettingValue
from .address import NativeApiAddress
from .client import ActionAnswer, NativeApiClient, make_client
from .device_model import DeviceModel, EntityAddress, StateReporter
from .events import DeviceEvents
from .provisioning import identify

if TYPE_CHECKING:
    from zeroconf import Zeroconf

_LOGGER = logging.getLogger(__name__)

RETRY_PAUSE: Final = 2.0
"""Seconds between two attempts to reach a device that is away."""

OTHER_PAUSE: Final = 20.0
"""Seconds between two attempts at an address where another device answers: its log would
otherwise fill with strangers."""

CREDENTIAL_PAUSE: Final = 60.0
"""Seconds between two attempts with a key the device did not accept."""

OPEN_JOURNAL: Final = "journal_open"
ACKNOWLEDGE_JOURNAL: Final = "journal_acknowledge"


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

        `time_zone` (IANA) goes to the device when the device asks for the time.
        """
        self._address = address
        self._mac = mac
        self._zeroconf = zeroconf
        self._time_zone = time_zone
        self._log = QuietLog(_LOGGER, mac)
        self._client: NativeApiClient | None = None
        self._relays: dict[str, EntityAddress] = {}
        self._settings: dict[str, tuple[EntityAddress, Setting]] = {}

    @override
    async def run(self, listener: SourceListener) -> Never:
        """Keep the link up and report to `listener` until cancelled."""
        while True:
            pause = RETRY_PAUSE
            try:
                await self._session(listener)
            except SourceError as error:
                told = await self._other_meter(error) or error
                listener.on_connect_error(told)
                pause = _pause_after(told)
            except Exception as error:  # noqa: BLE001
                # An unforeseen error must not end the loop: the meter would be lost.
                self._log.exception(
                    "The session with the meter broke off", about=type(error)
                )
            await asyncio.sleep(pause)

    @override
    def switch_relay(self, relay_id: str, is_on: bool) -> None:
        """Send a command to a relay; raises LinkDownError."""
        self._connected_client().switch_relay(self._relays[relay_id], is_on)

    @override
    def change_setting(self, setting_id: str, value: SettingValue) -> None:
        """Send a new value of a setting; raises LinkDownError."""
        client = self._connected_client()
        if setting_id not in self._settings:
            raise LinkDownError("The link to the meter is down")
        client.change_setting(*self._settings[setting_id], value)

    async def run_action(self, action: str, **arguments: float) -> ActionAnswer:
        """Run a user action of the firmware; return its answer.

        Raises LinkDownError without a link or where the meter has no such action.
        """
        return await self._connected_client().run_action(action, **arguments)

    async def open_journal(self, client: str, journal: str, after: int) -> None:
        """Request the records of a journal after a sequence number (JournalSource)."""
        await self._connected_client().send_action(
            OPEN_JOURNAL, client=client, journal=journal, after=after
        )

    async def acknowledge_journal(self, client: str, received: int, done: int) -> None:
        """Acknowledge records that arrived and records in use (JournalSource)."""
        await self._connected_client().send_action(
            ACKNOWLEDGE_JOURNAL, client=client, sequence=received, done=done
        )

    async def close_journal(self, client: str) -> None:
        """End the delivery of records (JournalSource)."""
        await self._connected_client().send_action(
            OPEN_JOURNAL, client=client, journal="", after=-1
        )

    async def _other_meter(self, error: SourceError) -> OtherMeterError | None:
        """Return the error that another device answers, if that is what `error` means.

        Whatever its firmware, key or encryption: the key of another device is nothing a
        person should be asked for.
        """
        mac = await identify(error, self._address, self._zeroconf)
        return None if mac is None or mac == self._mac else _other_meter(mac)

    def _connected_client(self) -> NativeApiClient:
        """Return the client of the current session; raises LinkDownError."""
        if self._client is None:
            raise LinkDownError("The link to the meter is down")
        return self._client

    async def _session(self, listener: SourceListener) -> None:
        """Connect, report to `listener` until the link is lost, and clean up."""
        lost = asyncio.Event()
        client = make_client(self._address, self._zeroconf, self._time_zone)
        try:
            await client.connect(lost.set)
            device = await client.read_device()
            self._accept(device)
            events = DeviceEvents(client, listener, dt_util.utcnow, self._log)
            events.subscribe()
            reporter = StateReporter(listener, device.entities, self._log)
            client.subscribe_states(reporter)
            self._client = client
            listener.on_connected(device.description)
            requests = asyncio.create_task(events.run())
            try:
                await lost.wait()
            finally:
                requests.cancel()
                reporter.stop()
                self._client = None
                listener.on_disconnected()
        finally:
            await client.disconnect()

    def _accept(self, device: DeviceModel) -> None:
        """Store where a device has its entities; raises OtherMeterError by the MAC."""
        mac = device.description.mac
        if mac != self._mac:
            raise _other_meter(mac)
        entities = device.entities
        self._relays = {relay.id: at for at, relay in entities.relays.items()}
        self._settings = {
            setting.id: (at, setting) for at, setting in entities.settings.items()
        }


def _other_meter(mac: str) -> OtherMeterError:
    return OtherMeterError("Another meter answers at this address", {"mac": plain(mac)})


def _pause_after(error: SourceError) -> float:
    """Return the seconds to the next attempt after a failed one."""
    match error:
        case CredentialError():
            return CREDENTIAL_PAUSE
        case OtherMeterError():
            return OTHER_PAUSE
    return RETRY_PAUSE

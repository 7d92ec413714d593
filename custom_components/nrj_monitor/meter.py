"""The meter as the rest of the integration sees it, whatever its source.

Holds the latest snapshot, the true states of the relays and whether the link is
up, and tells those who listen. Nothing here writes a state or knows a protocol.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from functools import partial
import logging
from types import MappingProxyType

from .catalog import Channel
from .frequency_guard.event import GuardEvent
from .power_quality.event import Oscillogram, PowerQualityEvent
from .power_quality.log import PowerQualityLog
from .sources import MeterDescription, Source
from .sources.errors import (
    CredentialError,
    LinkDownError,
    RelayRefusedError,
    SettingRefusedError,
    SourceError,
)
from .sources.settings import SettingValue

_LOGGER = logging.getLogger(__name__)

SNAPSHOT_WINDOW = 0.1
"""Seconds from the first reading of a burst to the snapshot. The firmware sends a
burst of some forty readings every 200 ms at most; the network may cut it in pieces."""

RELAY_TIMEOUT = 3.0
"""Seconds the device may take to report the state it was told to switch to."""

KNOWN_GUARD_EVENTS = 128
"""Changes of the guard that are remembered as told; the meter itself keeps 32."""

type Listener = Callable[[], None]
type ReadingListener = Callable[[float | None, float], None]
"""Takes a reading, None where there is no valid one, and the event loop's time."""

type JournalListener = Callable[[Mapping[str, str]], None]
"""Takes a page of the meter's journal as the meter sent it."""

type EventListener = Callable[[PowerQualityEvent], None]
type GuardListener = Callable[[GuardEvent], None]
type Unsubscribe = Callable[[], None]


class Meter:
    """One meter, fed by one source (it is the source's listener)."""

    def __init__(self, source: Source, description: MeterDescription) -> None:
        """Take `description` as true until the source knows better."""
        self._source = source
        self._description = description
        self._connected = False
        self._error: SourceError | None = None
        self._outcome = asyncio.Event()
        self._gathering: dict[Channel, float | None] = {}
        self._gather_timer: asyncio.TimerHandle | None = None
        self._snapshot: dict[Channel, float | None] = {}
        self._snapshot_view = MappingProxyType(self._snapshot)
        self._relays: dict[str, bool] = {}
        # Replaced, never changed: readings are told while others come and go.
        self._channel_listeners: dict[Channel, tuple[ReadingListener, ...]] = {}
        self._relay_listeners: defaultdict[str, list[Listener]] = defaultdict(list)
        self._link_listeners: list[Listener] = []
        self._texts: dict[str, str] = {}
        self._text_listeners: list[Listener] = []
        self._log = PowerQualityLog()
        self._event_listeners: list[EventListener] = []
        self._untold: list[PowerQualityEvent] | None = []
        self._wave_listeners: list[Listener] = []
        self._settings: dict[str, SettingValue] = {}
        self._setting_listeners: defaultdict[str, list[Listener]] = defaultdict(list)
        self._guard_listeners: list[GuardListener] = []
        self.known_guard_events: deque[str] = deque(maxlen=KNOWN_GUARD_EVENTS)
        """Which changes of the guard have been told, by their ids."""
        self._untold_guard: list[GuardEvent] | None = []
        self._journal_listeners: list[JournalListener] = []

    @property
    def description(self) -> MeterDescription:
        """Return what the meter is and has."""
        return self._description

    @property
    def connected(self) -> bool:
        """Return whether the link is up."""
        return self._connected

    @property
    def error(self) -> SourceError | None:
        """Return why the link is down, where an attempt has failed since it was up."""
        return self._error

    @property
    def snapshot(self) -> Mapping[Channel, float | None]:
        """Return the latest readings; None is no valid measurement.

        All readings of one update change together. Channels not yet read since
        the link came up are missing.
        """
        return self._snapshot_view

    @property
    def relays(self) -> Mapping[str, bool]:
        """Return the true states of the relays by id; untold ones are missing."""
        return MappingProxyType(self._relays)

    @property
    def settings(self) -> Mapping[str, SettingValue]:
        """Return what is set on the device by id; what it has not told is missing."""
        return MappingProxyType(self._settings)

    @property
    def source(self) -> Source:
        """Return where the readings come from."""
        return self._source

    @property
    def texts(self) -> Mapping[str, str]:
        """Return what the meter says of itself, by the key of the sentence."""
        return MappingProxyType(self._texts)

    @property
    def log(self) -> PowerQualityLog:
        """Return what has happened to the supply."""
        return self._log

    async def run(self) -> None:
        """Keep the source running until cancelled, then forget what it said."""
        try:
            await self._source.run(self)
        finally:
            self.link_down()

    async def wait_first_outcome(self) -> None:
        """Wait until the first attempt to reach the meter succeeded or failed."""
        await self._outcome.wait()

    async def switch_relay(self, relay_id: str, is_on: bool) -> None:
        """Switch a relay and wait until the device says that it did.

        Raises LinkDownError without a link and RelayRefusedError where the
        device does not report the new state within `RELAY_TIMEOUT`.
        """
        await self._confirmed(
            lambda: self._source.switch_relay(relay_id, is_on),
            lambda: self._relays.get(relay_id) is is_on,
            self._relay_listeners[relay_id],
            RelayRefusedError("The relay did not switch"),
        )

    async def change_setting(self, setting_id: str, value: SettingValue) -> None:
        """Change a setting and wait until the device says that it did.

        Raises LinkDownError without a link and SettingRefusedError where the
        device does not report the new value within `RELAY_TIMEOUT`.
        """
        await self._confirmed(
            lambda: self._source.change_setting(setting_id, value),
            lambda: self._settings.get(setting_id) == value,
            self._setting_listeners[setting_id],
            SettingRefusedError("The setting stays as it is"),
        )

    async def _confirmed(
        self,
        ask: Callable[[], None],
        is_done: Callable[[], bool],
        listeners: list[Listener],
        refused: SourceError,
    ) -> None:
        """Ask for something and wait until it is done, or raise `refused`."""
        changed = asyncio.Event()
        unsubscribes = (
            _listen(listeners, changed.set),
            self.listen_link(changed.set),
        )
        try:
            ask()
            async with asyncio.timeout(RELAY_TIMEOUT):
                while not is_done():
                    await changed.wait()
                    changed.clear()
                    if not self._connected:
                        raise LinkDownError("The link to the meter broke")
        except TimeoutError as error:
            raise refused from error
        finally:
            for unsubscribe in unsubscribes:
                unsubscribe()

    def listen_channel(
        self, channel: Channel, listener: ReadingListener
    ) -> Unsubscribe:
        """Call `listener` with each reading of `channel` once its snapshot is there."""
        listeners = self._channel_listeners
        listeners[channel] = (*listeners.get(channel, ()), listener)

        def unsubscribe() -> None:
            kept = list(listeners[channel])
            kept.remove(listener)
            listeners[channel] = tuple(kept)

        return unsubscribe

    def listen_relay(self, relay_id: str, listener: Listener) -> Unsubscribe:
        """Call `listener` each time the device tells the state of a relay."""
        return _listen(self._relay_listeners[relay_id], listener)

    def listen_link(self, listener: Listener) -> Unsubscribe:
        """Call `listener` each time the link comes up or goes down."""
        return _listen(self._link_listeners, listener)

    def listen_text(self, listener: Listener) -> Unsubscribe:
        """Call `listener` each time the meter says something of itself."""
        return _listen(self._text_listeners, listener)

    def listen_setting(self, setting_id: str, listener: Listener) -> Unsubscribe:
        """Call `listener` when a setting is told."""
        return _listen(self._setting_listeners[setting_id], listener)

    def listen_guard(self, listener: GuardListener) -> Unsubscribe:
        """Call `listener` with each event of the device's own guard."""
        self._guard_listeners.append(listener)
        return lambda: self._guard_listeners.remove(listener)

    def listen_power_quality(self, listener: EventListener) -> Unsubscribe:
        """Call `listener` with each event of the supply that is news."""
        self._event_listeners.append(listener)
        return lambda: self._event_listeners.remove(listener)

    def listen_oscillogram(self, listener: Listener) -> Unsubscribe:
        """Call `listener` each time there is a new waveform in the log."""
        return _listen(self._wave_listeners, listener)

    def listen_journal(self, listener: JournalListener) -> Unsubscribe:
        """Call `listener` with each page of the meter's journal."""
        self._journal_listeners.append(listener)
        return lambda: self._journal_listeners.remove(listener)

    def journal(self, page: Mapping[str, str]) -> None:
        """Take a page of the meter's journal."""
        for listener in tuple(self._journal_listeners):
            listener(page)

    def text(self, key: str, text: str) -> None:
        """Take a sentence the device says about itself."""
        self._texts[key] = text
        _call(self._text_listeners)

    def setting(self, setting_id: str, value: SettingValue) -> None:
        """Take what a setting of the device really is."""
        self._settings[setting_id] = value
        _call(self._setting_listeners[setting_id])

    def guard_event(self, event: GuardEvent) -> None:
        """Take what the device's own guard tells; what was told before is no news."""
        if event.id is not None:
            if event.id in self.known_guard_events:
                return
            self.known_guard_events.append(event.id)
        if self._untold_guard is not None:
            self._untold_guard.append(event)
        else:
            self._tell_guard(event)

    def _tell_guard(self, event: GuardEvent) -> None:
        _call([partial(listener, event) for listener in self._guard_listeners])

    def power_quality(self, event: PowerQualityEvent) -> bool:
        """Take an event of the supply; return whether it is news."""
        if not self._log.add(event):
            return False
        if self._untold is not None:
            self._untold.append(event)
        else:
            self._tell_event(event)
        return True

    def tell_events(self) -> None:
        """Tell events from now on, first those of until now.

        Called once those who want to hear of them listen.
        """
        guard, self._untold_guard = self._untold_guard or [], None
        for change in guard:
            self._tell_guard(change)
        untold, self._untold = self._untold or [], None
        for event in untold:
            self._tell_event(event)

    def _tell_event(self, event: PowerQualityEvent) -> None:
        for listener in tuple(self._event_listeners):
            try:
                listener(event)
            except Exception:
                _LOGGER.exception("A listener of the meter failed")

    def wants_oscillogram(self, event: PowerQualityEvent) -> bool:
        """Return whether the waveform around an event is still to be fetched."""
        return self._log.wants_oscillogram(event)

    def oscillogram(self, event: PowerQualityEvent, wave: Oscillogram | None) -> None:
        """Take the waveform around an event, None where there is none."""
        if self._log.add_oscillogram(event, wave):
            _call(self._wave_listeners)

    def link_up(self, description: MeterDescription) -> None:
        """Take the link as up."""
        if self._error is not None:
            _LOGGER.info("%s is back", description.name)
        self._description = description
        self._connected = True
        self._error = None
        self._outcome.set()
        _call(self._link_listeners)

    def link_down(self) -> None:
        """Take the link as down; nothing known of the meter is current any more."""
        self._cancel_gathering()
        self._gathering.clear()
        self._snapshot.clear()
        self._relays.clear()
        self._texts.clear()
        self._settings.clear()
        if self._connected:
            self._connected = False
            _call(self._link_listeners)

    def link_failed(self, error: SourceError) -> None:
        """Remember why the meter cannot be reached; say so once."""
        known = self._error
        self._error = error
        self._outcome.set()
        if type(known) is type(error):
            return
        worth_saying = known is None or isinstance(error, CredentialError)
        level = logging.WARNING if worth_saying else logging.DEBUG
        _LOGGER.log(level, "%s is unavailable: %s", self._description.name, error)
        _call(self._link_listeners)

    def reading(self, channel: Channel, value: float | None) -> None:
        """Add a reading to the snapshot being gathered.

        A channel's second reading belongs to the next snapshot; with a reading of each
        channel a snapshot is complete.
        """
        if channel in self._gathering:
            self._publish_snapshot()
        self._gathering[channel] = value
        if len(self._gathering) == len(self._description.channels):
            self._publish_snapshot()
        elif self._gather_timer is None:
            self._gather_timer = asyncio.get_running_loop().call_later(
                SNAPSHOT_WINDOW, self._publish_snapshot
            )

    def relay_state(self, relay_id: str, is_on: bool) -> None:
        """Take a relay's state as the device told it, at once."""
        self._relays[relay_id] = is_on
        _call(self._relay_listeners[relay_id])

    def _publish_snapshot(self) -> None:
        """Make what was gathered the current snapshot and tell the listeners."""
        self._cancel_gathering()
        gathered, self._gathering = self._gathering, {}
        self._snapshot.update(gathered)
        now = asyncio.get_running_loop().time()
        for channel, value in gathered.items():
            for listener in self._channel_listeners.get(channel, ()):
                try:
                    listener(value, now)
                except Exception:
                    _LOGGER.exception("A listener of the meter failed")

    def _cancel_gathering(self) -> None:
        """Stop waiting for the end of a burst."""
        if self._gather_timer is not None:
            self._gather_timer.cancel()
            self._gather_timer = None


def _listen(listeners: list[Listener], listener: Listener) -> Unsubscribe:
    """Add a listener; the function returned takes it off again."""
    listeners.append(listener)
    return lambda: listeners.remove(listener)


def _call(listeners: list[Listener]) -> None:
    """Call each listener; they may unsubscribe meanwhile.

    One that fails is logged and does not keep the others from being told.
    """
    for listener in tuple(listeners):
        try:
            listener()
        except Exception:
            _LOGGER.exception("A listener of the meter failed")

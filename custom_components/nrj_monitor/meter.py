"""The meter as the rest of the integration sees it, whatever its source.

Holds the latest snapshot, the reported states of relays and settings and whether the
link is up, and notifies listeners. Nothing here writes a state or knows a protocol.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
import logging
from types import MappingProxyType

from .catalog import Channel
from .frequency_guard.event import GuardEvent
from .listeners import Listeners, Unsubscribe
from .over_range import OVER_RANGE, Excursion, parse_over_range
from .power_quality.event import Oscillogram, PowerQualityEvent
from .power_quality.log import PowerQualityLog
from .quiet_log import QuietLog
from .reading_gate import ReadingGate, is_possible
from .sources import JournalSource, MeterDescription, Source
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
"""Seconds the device may take to report the state of a commanded relay or setting."""

KNOWN_GUARD_EVENTS = 128
"""Ids of delivered guard events that are kept; the meter itself keeps 32 events."""

HELD = 128
"""Events that are held until somebody listens."""

type ReadingListener = Callable[[float | None, float], None]
"""Called with a reading, None without a valid measurement, and the event loop's time, s."""

type JournalListener = Callable[[Mapping[str, str]], None]
"""Called with a page of the meter's journal as the meter sent the page."""


class Meter:
    """A meter and its source, to which the meter is the listener."""

    def __init__(self, source: Source, description: MeterDescription) -> None:
        """Assume `description` until the source has connected and knows better."""
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
        self._texts: dict[str, str] = {}
        self._settings: dict[str, SettingValue] = {}
        self._over_range: tuple[Excursion, ...] = ()
        self._log = PowerQualityLog()
        self._quiet_log = QuietLog(_LOGGER, description.mac)
        self.gate = ReadingGate(believes_falls=isinstance(source, JournalSource))
        """Gate of all readings, which counts those it refuses."""
        self.entity_keys: set[str] = set()
        """Keys of the entities that were made for the meter, disabled ones too."""
        self.known_guard_events: deque[str] = deque(maxlen=KNOWN_GUARD_EVENTS)
        """Ids of the guard events that were delivered, the oldest first."""
        self._held_power_quality: deque[PowerQualityEvent] | None = deque(maxlen=HELD)
        self._held_guard: deque[GuardEvent] | None = deque(maxlen=HELD)
        self._reading_listeners: defaultdict[
            Channel, Listeners[float | None, float]
        ] = defaultdict(Listeners)
        self._relay_listeners: defaultdict[str, Listeners[()]] = defaultdict(Listeners)
        self._setting_listeners: defaultdict[str, Listeners[()]] = defaultdict(
            Listeners
        )
        self._connection_listeners: Listeners[()] = Listeners()
        self._text_listeners: Listeners[()] = Listeners()
        self._over_range_listeners: Listeners[()] = Listeners()
        self._power_quality_listeners: Listeners[PowerQualityEvent] = Listeners()
        self._oscillogram_listeners: Listeners[()] = Listeners()
        self._guard_listeners: Listeners[GuardEvent] = Listeners()
        self._journal_listeners: Listeners[Mapping[str, str]] = Listeners()
        self._refusal_listeners: Listeners[()] = Listeners()

    @property
    def description(self) -> MeterDescription:
        """Return the meter's identity, channels, relays and settings."""
        return self._description

    @property
    def connected(self) -> bool:
        """Return whether the link is up."""
        return self._connected

    @property
    def error(self) -> SourceError | None:
        """Return the reason of the latest failed connection attempt, None once up."""
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
        """Return the reported states of the relays by id; unreported ones are missing."""
        return MappingProxyType(self._relays)

    @property
    def settings(self) -> Mapping[str, SettingValue]:
        """Return the device's settings by id; unreported ones are missing."""
        return MappingProxyType(self._settings)

    @property
    def source(self) -> Source:
        """Return the source of the readings."""
        return self._source

    @property
    def texts(self) -> Mapping[str, str]:
        """Return the states of the meter's text sensors by object id."""
        return MappingProxyType(self._texts)

    @property
    def over_range(self) -> tuple[Excursion, ...]:
        """Return what is beyond the meter's range, so that readings are too low."""
        return self._over_range

    @property
    def log(self) -> PowerQualityLog:
        """Return the log of power quality events."""
        return self._log

    async def run(self) -> None:
        """Run the source until cancelled, then clear the readings."""
        try:
            await self._source.run(self)
        finally:
            self.on_disconnected()

    async def wait_first_outcome(self) -> None:
        """Wait until the first attempt to reach the meter succeeded or failed."""
        await self._outcome.wait()

    async def switch_relay(self, relay_id: str, is_on: bool) -> None:
        """Switch a relay and wait until the device reports the new state.

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
        """Change a setting and wait until the device reports the new value.

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
        send: Callable[[], None],
        is_done: Callable[[], bool],
        listeners: Listeners[()],
        refused: SourceError,
    ) -> None:
        """Send a command and wait until the device reports success, or raise `refused`."""
        changed = asyncio.Event()
        unsubscribes = (
            listeners.async_add(changed.set),
            self.async_add_connection_listener(changed.set),
        )
        try:
            send()
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

    def async_add_reading_listener(
        self, channel: Channel, listener: ReadingListener
    ) -> Unsubscribe:
        """Call `listener` with each reading of `channel`, once its snapshot is current."""
        return self._reading_listeners[channel].async_add(listener)

    def async_add_relay_listener(
        self, relay_id: str, listener: Callable[[], None]
    ) -> Unsubscribe:
        """Call `listener` each time the device reports the state of a relay."""
        return self._relay_listeners[relay_id].async_add(listener)

    def async_add_setting_listener(
        self, setting_id: str, listener: Callable[[], None]
    ) -> Unsubscribe:
        """Call `listener` each time the device reports the value of a setting."""
        return self._setting_listeners[setting_id].async_add(listener)

    def async_add_connection_listener(
        self, listener: Callable[[], None]
    ) -> Unsubscribe:
        """Call `listener` when the link comes up or goes down, or the error changes."""
        return self._connection_listeners.async_add(listener)

    def async_add_refusal_listener(self, listener: Callable[[], None]) -> Unsubscribe:
        """Call `listener` when a reading of a channel is refused for the first time."""
        return self._refusal_listeners.async_add(listener)

    def async_add_text_listener(self, listener: Callable[[], None]) -> Unsubscribe:
        """Call `listener` each time a text sensor of the meter reports a state."""
        return self._text_listeners.async_add(listener)

    def async_add_over_range_listener(
        self, listener: Callable[[], None]
    ) -> Unsubscribe:
        """Call `listener` each time what is beyond the meter's range changes."""
        return self._over_range_listeners.async_add(listener)

    def async_add_guard_listener(
        self, listener: Callable[[GuardEvent], None]
    ) -> Unsubscribe:
        """Call `listener` with each new event of the device's frequency guard."""
        return self._guard_listeners.async_add(listener)

    def async_add_power_quality_listener(
        self, listener: Callable[[PowerQualityEvent], None]
    ) -> Unsubscribe:
        """Call `listener` with each new power quality event."""
        return self._power_quality_listeners.async_add(listener)

    def async_add_oscillogram_listener(
        self, listener: Callable[[], None]
    ) -> Unsubscribe:
        """Call `listener` each time the log has a new oscillogram."""
        return self._oscillogram_listeners.async_add(listener)

    def async_add_journal_listener(self, listener: JournalListener) -> Unsubscribe:
        """Call `listener` with each page of the meter's journal."""
        return self._journal_listeners.async_add(listener)

    def async_deliver_events(self) -> None:
        """Deliver events from now on, first the events held until now.

        Called once all listeners of events have been added.
        """
        held_guard, self._held_guard = self._held_guard or (), None
        for guard_event in held_guard:
            self._guard_listeners.async_notify(guard_event)
        held, self._held_power_quality = self._held_power_quality or (), None
        for event in held:
            self._power_quality_listeners.async_notify(event)

    def wants_oscillogram(self, event: PowerQualityEvent) -> bool:
        """Return whether the oscillogram of an event is still to be fetched."""
        return self._log.wants_oscillogram(event)

    def on_connected(self, description: MeterDescription) -> None:
        """Set the link up and replace the meter's description."""
        if self._error is not None:
            self._quiet_log.info("%s is back", description.name)
        self._description = description
        self._connected = True
        self._error = None
        self._outcome.set()
        self._connection_listeners.async_notify()

    def on_disconnected(self) -> None:
        """Set the link down and clear readings, relay states, texts and settings."""
        self._cancel_gathering()
        self._gathering.clear()
        self._snapshot.clear()
        self._relays.clear()
        self._texts.clear()
        self._update_over_range()
        self._settings.clear()
        if self._connected:
            self._connected = False
            self._connection_listeners.async_notify()

    def on_connect_error(self, error: SourceError) -> None:
        """Store the reason of a failed connection attempt; log each reason once."""
        known = self._error
        self._error = error
        self._outcome.set()
        if type(known) is type(error):
            return
        is_news = known is None or isinstance(error, CredentialError)
        if is_news:
            self._quiet_log.warning(
                "%s is unavailable: %s",
                self._description.name,
                error,
                about=type(error),
            )
        self._connection_listeners.async_notify()

    def on_reading(self, channel: Channel, value: float | None) -> None:
        """Add a reading to the snapshot being gathered.

        A channel's second reading belongs to the next snapshot; with a reading of each
        channel a snapshot is complete. An impossible reading is none: a measurement is
        then unknown, and a total is the one before.
        """
        if value is not None and not self._is_believed(channel, value):
            if channel.quantity.limits.rate is not None:
                return
            value = None
        if channel in self._gathering:
            self._publish_snapshot()
        self._gathering[channel] = value
        if len(self._gathering) == len(self._description.channels):
            self._publish_snapshot()
        elif self._gather_timer is None:
            self._gather_timer = asyncio.get_running_loop().call_later(
                SNAPSHOT_WINDOW, self._publish_snapshot
            )

    def _is_believed(self, channel: Channel, value: float) -> bool:
        """Return whether the gate takes a reading."""
        if is_possible(channel, value):
            return channel.quantity.limits.rate is None or self.gate.believes(
                channel, value, asyncio.get_running_loop().time()
            )
        self.on_impossible(channel, value)
        return False

    def on_impossible(self, channel: Channel, value: float) -> None:
        """Count an impossible value that is left out; *Repairs* names each channel."""
        is_first = self.gate.refuse(channel, value)
        self._quiet_log.warning(
            "%s told an impossible value, which is left out: %s is %s",
            self._description.name,
            channel.id,
            value,
        )
        if is_first:
            self._refusal_listeners.async_notify()

    def on_relay_state(self, relay_id: str, is_on: bool) -> None:
        """Store the state of a relay and notify its listeners at once."""
        self._relays[relay_id] = is_on
        self._relay_listeners[relay_id].async_notify()

    def on_setting(self, setting_id: str, value: SettingValue) -> None:
        """Store the value of a setting and notify its listeners."""
        self._settings[setting_id] = value
        self._setting_listeners[setting_id].async_notify()

    def on_text(self, key: str, text: str) -> None:
        """Store the state of a text sensor and notify the listeners of texts."""
        self._texts[key] = text
        self._text_listeners.async_notify()
        if key == OVER_RANGE:
            self._update_over_range()

    def _update_over_range(self) -> None:
        """Take what is beyond the meter's range from its text, and notify of a change."""
        excursions = parse_over_range(self._texts.get(OVER_RANGE))
        if excursions == self._over_range:
            return
        self._over_range = excursions
        self._over_range_listeners.async_notify()

    def on_guard_event(self, event: GuardEvent) -> None:
        """Deliver a frequency guard event, unless its id was delivered before."""
        if event.id is not None:
            if event.id in self.known_guard_events:
                return
            self.known_guard_events.append(event.id)
        if self._held_guard is not None:
            self._held_guard.append(event)
        else:
            self._guard_listeners.async_notify(event)

    def on_power_quality_event(self, event: PowerQualityEvent) -> bool:
        """Log and deliver a power quality event; return whether the event is new."""
        if not self._log.add(event):
            return False
        if self._held_power_quality is not None:
            self._held_power_quality.append(event)
        else:
            self._power_quality_listeners.async_notify(event)
        return True

    def on_oscillogram(
        self, event: PowerQualityEvent, wave: Oscillogram | None
    ) -> None:
        """Log the oscillogram of an event, None where the meter has none."""
        if self._log.add_oscillogram(event, wave):
            self._oscillogram_listeners.async_notify()

    def on_journal_page(self, page: Mapping[str, str]) -> None:
        """Deliver a page of the meter's journal."""
        self._journal_listeners.async_notify(page)

    def _publish_snapshot(self) -> None:
        """Make the gathered readings the current snapshot and notify the listeners."""
        self._cancel_gathering()
        gathered, self._gathering = self._gathering, {}
        self._snapshot.update(gathered)
        now = asyncio.get_running_loop().time()
        for channel, value in gathered.items():
            if (listeners := self._reading_listeners.get(channel)) is not None:
                listeners.async_notify(value, now)

    def _cancel_gathering(self) -> None:
        """Cancel the timer of a burst's end."""
        if self._gather_timer is not None:
            self._gather_timer.cancel()
            self._gather_timer = None

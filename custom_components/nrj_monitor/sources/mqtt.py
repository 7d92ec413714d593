"""Readings from an MQTT topic, through Home Assistant's MQTT integration."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import ExitStack
import logging
from typing import Final, override

from homeassistant.components import mqtt
from homeassistant.components.mqtt.models import ReceiveMessage
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from ..allowance import Allowance
from ..catalog import Channel
from ..quiet_log import QuietLog
from . import MeterDescription, Source, SourceListener
from .derived_totals import DerivedTotals
from .errors import BrokerAwayError, LinkDownError, SilentError
from .mqtt_layouts import Decoder, MessageError, Readings
from .mqtt_mapping import MappingDecoder
from .silence import SilenceWatch, needs_news
from .timeout import AdaptiveTimeout

_LOGGER = logging.getLogger(__name__)

RETRY_PAUSE: Final = 5.0
"""Seconds between two attempts to subscribe while MQTT is not there."""

WATCH_INTERVAL: Final = 1.0
"""Seconds between two looks at how long it has been silent."""

MAX_RATE: Final = 400
"""Messages a second that are looked at: thirty values of a meter a dozen times."""

MAX_BYTES: Final = 128 * 1024
"""Bytes a second that are looked at: a message of 10 kB a dozen times."""


async def listen(
    hass: HomeAssistant, topic: str, on_message: Callable[[bytes, str], None]
) -> Callable[[], None]:
    """Call `on_message` with each payload and its topic; return the unsubscribe function.

    Retained messages are left out: they are not of now.

    Raises:
        BrokerAwayError: Home Assistant has no connection to a broker.
    """
    # MQTT may be removed at any time, and what it keeps of itself is gone then.
    try:
        is_there = await mqtt.async_wait_for_mqtt_client(hass)
        is_there = is_there and mqtt.is_connected(hass)
    except HomeAssistantError, LookupError:
        is_there = False
    if not is_there:
        raise BrokerAwayError("Home Assistant is not connected to an MQTT broker")

    @callback
    def on_receive(message: ReceiveMessage) -> None:
        payload = message.payload
        if not message.retain and isinstance(payload, (bytes, bytearray)):
            on_message(bytes(payload), message.topic)

    try:
        return await mqtt.async_subscribe(hass, topic, on_receive, qos=0, encoding=None)
    except (HomeAssistantError, LookupError) as error:
        raise BrokerAwayError("The connection to MQTT was removed") from error


class _Topics:
    """Topics of a meter by their own rhythm: what a silent one told is not of now."""

    def __init__(self, decoder: Decoder) -> None:
        """Start without messages; values that `decoder` remembers of topics are forgotten."""
        self._decoder = decoder if isinstance(decoder, MappingDecoder) else None
        self._watch = SilenceWatch()
        self._told_by: dict[Channel, str] = {}
        if self._decoder is not None:
            self._decoder.reset()

    def update(self, topic: str, readings: Iterable[Channel], now: float) -> None:
        """Add a message on a topic at `now`, s, which told the channels of `readings`."""
        self._watch.update(topic, now)
        self._told_by |= dict.fromkeys(readings, topic)

    def pop_stale(self, now: float) -> set[Channel]:
        """Return the channels whose topic has fallen silent since the last call."""
        stale: set[Channel] = set()
        for topic in self._watch.pop_fallen(now):
            if self._decoder is not None:
                stale |= self._decoder.forget(topic) & self._told_by.keys()
            stale |= {c for c, teller in self._told_by.items() if teller == topic}
        return set(filter(needs_news, stale))


class MqttSource(Source):
    """A meter publishing its readings on a topic, without relays."""

    def __init__(
        self,
        hass: HomeAssistant,
        topic: str,
        decoder: Decoder,
        description: MeterDescription,
        measured: Iterable[Channel],
    ) -> None:
        """Prepare to subscribe to `topic`, whose messages hold the `measured` channels."""
        self._hass = hass
        self._topic = topic
        self._decoder = decoder
        self._description = description
        self._totals = DerivedTotals(measured, description.phases)
        self._known = frozenset(description.channels)
        self._log = QuietLog(_LOGGER, topic)
        self._messages = Allowance(MAX_RATE, MAX_RATE)
        self._bytes = Allowance(MAX_BYTES, MAX_BYTES)

    @override
    async def run(self, listener: SourceListener) -> None:
        """Report the topic's readings until cancelled."""
        while True:
            try:
                await self._follow(listener)
            except BrokerAwayError as error:
                listener.on_connect_error(error)
            await asyncio.sleep(RETRY_PAUSE)

    async def _follow(self, listener: SourceListener) -> None:
        """Report to `listener` until the connection to the broker is lost."""
        loop = asyncio.get_running_loop()
        timeout = AdaptiveTimeout(loop.time())
        topics = _Topics(self._decoder)
        lost = asyncio.Event()
        is_up = False

        @callback
        def report(readings: Readings) -> None:
            for channel, value in (readings | self._totals.update(readings)).items():
                if channel in self._known:
                    listener.on_reading(channel, value)

        @callback
        def on_message(payload: bytes, topic: str) -> None:
            nonlocal is_up
            if not self._takes(loop.time(), len(payload)):
                return
            readings = self._decode(payload, topic)
            if readings is None:
                return
            topics.update(topic, readings, loop.time())
            if not readings:
                return
            timeout.update(loop.time())
            if not is_up:
                is_up = True
                listener.on_connected(self._description)
            report(readings)

        @callback
        def on_connection(connected: bool) -> None:
            if not connected:
                lost.set()

        with ExitStack() as stack:
            stack.callback(await listen(self._hass, self._topic, on_message))
            stack.callback(
                mqtt.async_subscribe_connection_status(self._hass, on_connection)
            )
            while not lost.is_set():
                if loop.time() > timeout.deadline():
                    if is_up:
                        is_up = False
                        listener.on_disconnected()
                        self._totals.reset()
                    listener.on_connect_error(SilentError("Nothing comes on the topic"))
                stale = topics.pop_stale(loop.time())
                if is_up and stale:
                    report(dict.fromkeys(stale))
                await self._wait(lost)
        if is_up:
            listener.on_disconnected()
        self._totals.reset()
        raise BrokerAwayError("The connection to the MQTT broker was lost")

    async def _wait(self, lost: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(WATCH_INTERVAL):
                await lost.wait()
        except TimeoutError:
            pass

    def _takes(self, now: float, size: int) -> bool:
        """Return whether a message is looked at: no meter sends as many as a flood."""
        if self._messages.takes(now) and self._bytes.takes(now, size):
            return True
        self._log.warning(
            "More than %d messages a second, or %d bytes, come on %s: those beyond are"
            " left out",
            MAX_RATE,
            MAX_BYTES,
            self._topic,
        )
        return False

    def _decode(self, payload: bytes, topic: str) -> Readings | None:
        """Return the readings of a message, None for a damaged message."""
        try:
            return self._decoder(payload, topic)
        except MessageError as error:
            self._log.warning("A message on %s is left out: %s", self._topic, error)
            return None

    @override
    def switch_relay(self, relay_id: str, is_on: bool) -> None:
        """Raise LinkDownError: a meter on a topic has no relays."""
        raise LinkDownError("A meter on an MQTT topic has no relays")

"""Takes the readings of a meter in regular intervals, each with its own time."""

import asyncio
from collections.abc import Callable
import time
from typing import Final

from ..catalog import Channel
from ..meter import Meter
from .sample import Sample

type Offer = Callable[[Sample], None]

SLACK: Final = 0.02
"""Seconds after a whole interval at which is looked, so that it is surely over."""


class Sampler:
    """Offers what a meter told last, once in each interval in which it told something.

    The time of a sample is that of its latest reading, not that of the interval's end.
    """

    def __init__(
        self, meter: Meter, channels: tuple[Channel, ...], interval: float, offer: Offer
    ) -> None:
        """Prepare to take `channels` every `interval` seconds."""
        self._meter = meter
        self._channels = channels
        self._interval = interval
        self._offer = offer
        self._read_at = 0.0
        self._offered = 0
        self._timer: asyncio.TimerHandle | None = None
        self._unsubscribes: list[Callable[[], None]] = []

    def start(self) -> None:
        """Begin."""
        listen = self._meter.async_add_reading_listener
        self._unsubscribes = [listen(c, self._on_reading) for c in self._channels]
        if self._meter.snapshot:
            self._read_at = time.time()
        self._arm()

    def stop(self) -> None:
        """Stop."""
        for unsubscribe in self._unsubscribes:
            unsubscribe()
        self._unsubscribes = []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_reading(self, value: float | None, now: float) -> None:
        self._read_at = time.time()

    def _arm(self) -> None:
        """Look again when the next whole interval of the clock is over."""
        loop = asyncio.get_running_loop()
        left = self._interval - time.time() % self._interval
        self._timer = loop.call_later(left + SLACK, self._on_timer)

    def _on_timer(self) -> None:
        self._arm()
        snapshot = self._meter.snapshot
        sample = Sample.of(
            self._read_at, {c.id: snapshot.get(c) for c in self._channels}
        )
        if sample.values and sample.time > self._offered:
            self._offered = sample.time
            self._offer(sample)

"""Sampling of a meter at regular intervals."""

import asyncio
from collections.abc import Callable
import time
from typing import Final

from ..catalog import Channel
from ..meter import Meter
from .sample import Sample

SLACK: Final = 0.02
"""Seconds after the end of an interval, so that a coarse timer never fires before it."""


class Sampler:
    """Sampler of a meter's latest readings, at most once an interval.

    A sample has the time of its latest reading, not that of the interval's end. An
    interval without a new reading yields no sample.
    """

    def __init__(
        self,
        meter: Meter,
        channels: tuple[Channel, ...],
        interval: float,
        add_sample: Callable[[Sample], None],
    ) -> None:
        """Prepare to sample `channels` every `interval` seconds into `add_sample`."""
        self._meter = meter
        self._channels = channels
        self._interval = interval
        self._add_sample = add_sample
        self._read_at = 0.0
        self._latest = 0
        self._timer: asyncio.TimerHandle | None = None
        self._removers: list[Callable[[], None]] = []

    def start(self) -> None:
        """Start to listen for readings, and the timer."""
        listen = self._meter.async_add_reading_listener
        self._removers = [listen(c, self._on_reading) for c in self._channels]
        if self._meter.snapshot:
            self._read_at = time.time()
        self._start_timer()

    def stop(self) -> None:
        """Remove the listeners, and cancel the timer."""
        for remove in self._removers:
            remove()
        self._removers = []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_reading(self, value: float | None, now: float) -> None:
        self._read_at = time.time()

    def _start_timer(self) -> None:
        """Start the timer for the end of the current interval, aligned to the clock."""
        loop = asyncio.get_running_loop()
        left = self._interval - time.time() % self._interval
        self._timer = loop.call_later(left + SLACK, self._on_timer)

    def _on_timer(self) -> None:
        self._start_timer()
        snapshot = self._meter.snapshot
        sample = Sample.of(
            self._read_at, {c.id: snapshot.get(c) for c in self._channels}
        )
        if sample.values and sample.time > self._latest:
            self._latest = sample.time
            self._add_sample(sample)

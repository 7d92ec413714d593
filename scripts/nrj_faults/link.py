"""The cable between the meter and Home Assistant, with faults."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
import random
from typing import Any

from .nonsense import falsify_page, falsify_state
from .protocol import DEVICE_INFO, SENSOR_STATE, Frame, read_frame


class FaultyLink:
    """Forwards connections to the meter; knows its protocol well enough to lose parts.

    `lost` is the share of acknowledgements that never arrive, `delay` the longest time,
    s, that a message takes. `mac` is the address that the meter says it has, None for
    its own. `nonsense` is the share of states of the totals, of the entities in
    `total_keys`, and of pages that say what no meter measures.
    """

    def __init__(
        self, meter_port: int, seed: int, on_nonsense: Callable[[str], None]
    ) -> None:
        """Prepare a link to a meter on a loopback port.

        `on_nonsense` is called with what is wrong with a page that was passed on.
        """
        self.meter_port = meter_port
        self.port = 0
        self.up = True
        self.lost = 0.0
        self.delay = 0.0
        self.mac: str | None = None
        self.nonsense = 0.0
        self.total_keys: frozenset[int] = frozenset()
        self._on_nonsense = on_nonsense
        self._random = random.Random(seed)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._under_way = 0
        self._skips = 0
        self._flowing = asyncio.Event()
        self._flowing.set()

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(
            self._on_connection, "127.0.0.1", self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, and cut."""
        if self._server is not None:
            self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Cut every connection."""
        for task in self._tasks:
            task.cancel()

    async def hold(self) -> None:
        """Hold back new frames, once those under way have arrived."""
        self._flowing.clear()
        while self._under_way:
            await asyncio.sleep(0.005)

    def release(self) -> None:
        """Let every held frame through.

        Readings and pages of the journal are dropped: time was skipped since they were
        sent, and no real link holds one for so long. The meter sends pages again.
        """
        self._skips += 1
        self._flowing.set()

    async def _on_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if not self.up:
                return
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._forward(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        meter_reader, meter_writer = await asyncio.open_connection(
            "127.0.0.1", self.meter_port
        )
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, meter_writer, True))
                group.create_task(self._pump(meter_reader, writer, False))
        except* OSError, asyncio.IncompleteReadError:
            pass
        finally:
            meter_writer.transport.abort()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        to_meter: bool,
    ) -> None:
        frames: asyncio.Queue[tuple[Frame, int]] = asyncio.Queue()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._receive(reader, frames))
            group.create_task(self._send(frames, writer, to_meter))

    async def _receive(
        self,
        reader: asyncio.StreamReader,
        frames: asyncio.Queue[tuple[Frame, int]],
    ) -> None:
        while True:
            frames.put_nowait((await read_frame(reader), self._skips))

    async def _send(
        self,
        frames: asyncio.Queue[tuple[Frame, int]],
        writer: asyncio.StreamWriter,
        to_meter: bool,
    ) -> None:
        while True:
            frame, received = await frames.get()
            await self._flowing.wait()
            self._under_way += 1
            try:
                # What is dropped holds nothing up.
                is_lost = received != self._skips and not to_meter and frame.is_dated
                if self.delay and not is_lost and self._random.random() < 0.1:
                    await asyncio.sleep(self._random.random() * self.delay)
                if to_meter:
                    is_lost = self._loses(frame)
                elif not is_lost:
                    frame = self._falsified(frame)
                if not is_lost:
                    writer.write(frame.encode())
                    await writer.drain()
            finally:
                self._under_way -= 1

    def _loses(self, frame: Frame) -> bool:
        """Decide whether to lose a frame to the meter."""
        return self._random.random() < self.lost and frame.is_acknowledgement

    def _falsified(self, frame: Frame) -> Frame:
        """Return what Home Assistant is told in place of a frame of the meter."""
        if frame.number == DEVICE_INFO and self.mac is not None:
            message = frame.message()
            message.mac_address = self.mac
            return Frame(DEVICE_INFO, message.SerializeToString())
        if not self.nonsense or self._random.random() >= self.nonsense:
            return frame
        if frame.number == SENSOR_STATE and frame.message().key in self.total_keys:
            return falsify_state(frame, self._random)
        if frame.is_page:
            name, frame = falsify_page(frame, self._random)
            self._on_nonsense(name)
        return frame

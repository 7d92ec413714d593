"""The cable between the meter and Home Assistant, with faults."""

import asyncio
from contextlib import suppress
import random
from typing import Any

from aioesphomeapi.core import MESSAGE_TYPE_TO_PROTO

EXECUTE_SERVICE = next(
    number
    for number, message in MESSAGE_TYPE_TO_PROTO.items()
    if message.__name__ == "ExecuteServiceRequest"
)


JOURNAL_EVENT = b"esphome.nrj_journal"

type Frame = tuple[bytes, int, bytes]
"""A message of the plain-text protocol: all of it, its type, its contents."""


class FaultyLink:
    """Forwards connections to the meter; knows its protocol well enough to lose parts.

    `lost` is the share of acknowledgements that never arrive, `delay` the longest time,
    s, that a message takes.
    """

    def __init__(self, meter_port: int, seed: int) -> None:
        """Prepare a link to a meter on a loopback port."""
        self.meter_port = meter_port
        self.port = 0
        self.up = True
        self.lost = 0.0
        self.delay = 0.0
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

        Pages of the journal are dropped: time was skipped since they were sent, and no real
        link holds one for so long. The meter sends them again.
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
            frames.put_nowait((await _read_frame(reader), self._skips))

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
                if self.delay and self._random.random() < 0.1:
                    await asyncio.sleep(self._random.random() * self.delay)
                if to_meter:
                    is_lost = self._loses(frame)
                else:
                    is_lost = received != self._skips and JOURNAL_EVENT in frame[2]
                if not is_lost:
                    writer.write(frame[0])
                    await writer.drain()
            finally:
                self._under_way -= 1

    def _loses(self, frame: Frame) -> bool:
        """Decide whether to lose a frame to the meter."""
        _, number, payload = frame
        return (
            number == EXECUTE_SERVICE
            and self._random.random() < self.lost
            and _is_acknowledgement(payload)
        )


async def _read_number(reader: asyncio.StreamReader, read: bytearray) -> int:
    value = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        read.append(byte)
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
        shift += 7


async def _read_frame(reader: asyncio.StreamReader) -> Frame:
    frame = bytearray(await reader.readexactly(1))
    size = await _read_number(reader, frame)
    number = await _read_number(reader, frame)
    payload = await reader.readexactly(size)
    return bytes(frame) + payload, number, payload


def _is_acknowledgement(payload: bytes) -> bool:
    """Tell whether an action is the journal's acknowledgement: of a record, by number.

    Opening a journal has three arguments too, and the second may be an empty text.
    """
    request = MESSAGE_TYPE_TO_PROTO[EXECUTE_SERVICE].FromString(payload)
    return len(request.args) == 3 and request.args[1].int_ > 0

"""Encryption in front of a device built without it.

The firmware for Linux cannot be built with encryption offline. The proxy ends the
encryption and passes every message to the real firmware and back.
"""

import asyncio
from typing import override

from .framing import Framing, NoiseFraming, PlainFraming
from .loopback import LoopbackServer


class NoiseProxy(LoopbackServer):
    """Asks for `key` and passes messages on to the device at `upstream`."""

    def __init__(self, upstream: int, key: str) -> None:
        """Prepare to stand in front of the loopback port `upstream`."""
        super().__init__()
        self._upstream = upstream
        self._key = key

    @override
    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        client = await NoiseFraming.accept(
            reader, writer, key=self._key, name="nrj-meter", mac="024e524a0001"
        )
        device_reader, device_writer = await asyncio.open_connection(
            "127.0.0.1", self._upstream
        )
        device = PlainFraming(device_reader, device_writer)
        directions = (
            asyncio.create_task(_pass_on(client, device)),
            asyncio.create_task(_pass_on(device, client)),
        )
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)
            device_writer.close()


async def _pass_on(source: Framing, sink: Framing) -> None:
    while True:
        sink.write(*await source.read())

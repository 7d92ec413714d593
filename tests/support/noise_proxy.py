"""Encrypt in front of a device built without encryption.

The firmware for Linux cannot be built with encryption offline. The proxy ends the
encryption and passes every message to the real firmware and back. It keeps the key
as ESPHome 2026.10 does where the configuration says `encryption:` without a key
(api_connection.cpp: upgrade_helper_to_noise_, send_noise_encryption_set_key_response_;
api_server.cpp: update_noise_psk_).
"""

import asyncio
import base64
import binascii
from typing import Any, override

from aioesphomeapi import api_pb2
from aioesphomeapi.core import MESSAGE_TYPE_TO_PROTO

from tests.support.framing import (
    Frame,
    Framing,
    NoiseFraming,
    PeekingReader,
    PlainFraming,
)
from tests.support.loopback import LoopbackServer

PB: Any = api_pb2
TYPE_OF = {message: number for number, message in MESSAGE_TYPE_TO_PROTO.items()}
SET_KEY = TYPE_OF[PB.NoiseEncryptionSetKeyRequest]
DEVICE_INFO = TYPE_OF[PB.DeviceInfoResponse]

NO_KEY = bytes(32)
"""The key of zeros under which a device without a key takes one."""

NEW_KEY_PAUSE = 0.1
"""Seconds from storing a key to using it, APIServer::update_noise_psk_."""


class NoiseProxy(LoopbackServer):
    """Asks for `key` and passes messages on to the device at `upstream`.

    Without a key it talks in the clear or under the key of zeros, and takes a
    key. With `plaintext` off it talks in no clear at all, as ESPHome will from
    2027.2 on.
    """

    def __init__(
        self, upstream: int, key: str | None, *, plaintext: bool = True
    ) -> None:
        """Prepare to stand in front of the loopback port `upstream`."""
        super().__init__()
        self._upstream = upstream
        self._plaintext = plaintext
        self.key = key
        self.takes_keys = True
        """Whether a key is taken, which it is not after the time for that."""
        self.loses_answers = False
        """Whether the connection breaks after a key was stored."""
        self._new_key: asyncio.Task[None] | None = None

    def current_key(self) -> str | None:
        """Return the key in use now, which a client may have given."""
        return self.key

    @override
    async def stop(self) -> None:
        if self._new_key is not None:
            self._new_key.cancel()
        await super().stop()

    @override
    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        client = await self._accept(PeekingReader(reader), writer)
        device_reader, device_writer = await asyncio.open_connection(
            "127.0.0.1", self._upstream
        )
        device = PlainFraming(device_reader, device_writer)
        directions = (
            asyncio.create_task(self._to_device(client, device, writer)),
            asyncio.create_task(self._to_client(device, client)),
        )
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)
            device_writer.close()

    async def _accept(
        self, reader: PeekingReader, writer: asyncio.StreamWriter
    ) -> Framing:
        if self.key is None and self._plaintext and await reader.peek() == b"\x00":
            return PlainFraming(reader, writer)
        return await NoiseFraming.accept(
            reader,
            writer,
            key=self.key or base64.b64encode(NO_KEY).decode(),
            name="nrj-meter",
            mac="024e524a0001",
        )

    async def _to_device(
        self, client: Framing, device: Framing, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            number, payload = await client.read()
            if number != SET_KEY:
                device.write(number, payload)
                continue
            request = PB.NoiseEncryptionSetKeyRequest.FromString(payload)
            taken = self._take(request.key)
            if taken and self.loses_answers:
                writer.transport.abort()
                return
            _send(client, PB.NoiseEncryptionSetKeyResponse(success=taken))

    async def _to_client(self, device: Framing, client: Framing) -> None:
        while True:
            client.write(*self._encrypting(await device.read()))

    def _encrypting(self, frame: Frame) -> Frame:
        """Return a message in the form of a firmware built with encryption."""
        number, payload = frame
        if number != DEVICE_INFO:
            return frame
        info = PB.DeviceInfoResponse.FromString(payload)
        info.api_encryption_supported = True
        info.api_encryption_provisionable = self.key is None
        return number, info.SerializeToString()

    def _take(self, encoded: bytes) -> bool:
        if not self.takes_keys:
            return False
        if encoded:
            try:
                key = base64.b64decode(encoded, validate=True)
            except binascii.Error:
                return False
            if len(key) != len(NO_KEY) or key == NO_KEY:
                return False
        self._new_key = asyncio.create_task(self._use(encoded.decode() or None))
        return True

    async def _use(self, key: str | None) -> None:
        await asyncio.sleep(NEW_KEY_PAUSE)
        self.key = key
        for writer in self._connections.values():
            writer.close()


def _send(framing: Framing, message: Any) -> None:
    framing.write(TYPE_OF[type(message)], message.SerializeToString())

"""The device's side of the two framings of ESPHome's native API.

Written from the protocol description in ESPHome's developer documentation: a
plain frame is a zero byte, two varints (length, message type) and the payload; an
encrypted one is 0x01, a 16-bit length and a Noise message
(Noise_NNpsk0_25519_ChaChaPoly_SHA256) that holds type, length and payload.
"""

import asyncio
import base64
from typing import Protocol, Self

from cryptography.exceptions import InvalidTag
from noise.connection import NoiseConnection

NOISE_PROTOCOL = b"Noise_NNpsk0_25519_ChaChaPoly_SHA256"
PROLOGUE = b"NoiseAPIInit\x00\x00"

type Frame = tuple[int, bytes]


class HandshakeRefusedError(Exception):
    """The client was turned away, and told the reason."""


class Framing(Protocol):
    """Frames over a connection."""

    async def read(self) -> Frame:
        """Return the next message's type and payload; EOFError at the end."""

    def write(self, message_type: int, payload: bytes) -> None:
        """Send a message."""


class Reader(Protocol):
    """The source of frames."""

    async def readexactly(self, length: int) -> bytes:
        """Return the next `length` bytes; EOFError where there are fewer."""


class PeekingReader:
    """A stream with a first byte to be peeked at before the reading."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        """Read from `reader`."""
        self._reader = reader
        self._peeked = b""

    async def peek(self) -> bytes:
        """Return the next byte and leave the byte in the stream."""
        if not self._peeked:
            self._peeked = await self._reader.readexactly(1)
        return self._peeked

    async def readexactly(self, length: int) -> bytes:
        """Return the next `length` bytes."""
        taken, self._peeked = self._peeked[:length], self._peeked[length:]
        return taken + await self._reader.readexactly(length - len(taken))


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


async def _read_varint(reader: Reader) -> int:
    value = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
        shift += 7


class PlainFraming:
    """Frames in the clear."""

    def __init__(self, reader: Reader, writer: asyncio.StreamWriter) -> None:
        """Speak over an open connection."""
        self._reader = reader
        self._writer = writer

    async def read(self) -> Frame:
        """Return the next message's type and payload."""
        indicator = await self._reader.readexactly(1)
        if indicator != b"\x00":
            self._writer.write(b"\x00Bad indicator byte")
            raise HandshakeRefusedError
        length = await _read_varint(self._reader)
        message_type = await _read_varint(self._reader)
        return message_type, await self._reader.readexactly(length)

    def write(self, message_type: int, payload: bytes) -> None:
        """Send a message."""
        self._writer.write(
            b"\x00" + _varint(len(payload)) + _varint(message_type) + payload
        )


class NoiseFraming:
    """Encrypted frames, after `accept` has shaken hands."""

    def __init__(
        self,
        reader: Reader,
        writer: asyncio.StreamWriter,
        noise: NoiseConnection,
    ) -> None:
        """Speak over an open connection whose handshake `noise` has yet to do."""
        self._reader = reader
        self._writer = writer
        self._noise = noise

    @classmethod
    async def accept(
        cls,
        reader: Reader,
        writer: asyncio.StreamWriter,
        *,
        key: str,
        name: str,
        mac: str,
    ) -> Self:
        """Shake hands with a client expected to know `key`, or turn the client away."""
        noise = NoiseConnection.from_name(NOISE_PROTOCOL)
        noise.set_as_responder()
        noise.set_psks(base64.b64decode(key))
        noise.set_prologue(PROLOGUE)
        noise.start_handshake()
        framing = cls(reader, writer, noise)
        await framing._read_raw()
        framing._write_raw(b"\x01" + f"{name}\0{mac}\0".encode())
        greeting = await framing._read_raw()
        try:
            noise.read_message(greeting[1:])
        except InvalidTag as error:
            framing._write_raw(b"\x01Handshake MAC failure")
            raise HandshakeRefusedError from error
        framing._write_raw(b"\x00" + bytes(noise.write_message()))
        return framing

    async def _read_raw(self) -> bytes:
        indicator = await self._reader.readexactly(1)
        if indicator != b"\x01":
            self._write_raw(b"\x01Bad indicator byte")
            raise HandshakeRefusedError
        length = int.from_bytes(await self._reader.readexactly(2))
        return await self._reader.readexactly(length)

    def _write_raw(self, data: bytes) -> None:
        self._writer.write(b"\x01" + len(data).to_bytes(2) + data)

    async def read(self) -> Frame:
        """Return the next message's type and payload."""
        message = bytes(self._noise.decrypt(await self._read_raw()))
        return int.from_bytes(message[:2]), message[4:]

    def write(self, message_type: int, payload: bytes) -> None:
        """Send a message."""
        self._write_raw(
            bytes(
                self._noise.encrypt(
                    message_type.to_bytes(2) + len(payload).to_bytes(2) + payload
                )
            )
        )

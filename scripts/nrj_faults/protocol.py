"""The parts of ESPHome's plain-text protocol that a faulty link has to know."""

import asyncio
from dataclasses import dataclass
from typing import Any

from aioesphomeapi.core import MESSAGE_TYPE_TO_PROTO

NUMBERS = {
    message.__name__: number for number, message in MESSAGE_TYPE_TO_PROTO.items()
}
"""Types of the messages by name."""

DEVICE_INFO = NUMBERS["DeviceInfoResponse"]
EVENT = NUMBERS["HomeassistantActionRequest"]
EXECUTE_SERVICE = NUMBERS["ExecuteServiceRequest"]
SENSOR_STATE = NUMBERS["SensorStateResponse"]

JOURNAL_EVENT = b"esphome.nrj_journal"


@dataclass(frozen=True, slots=True)
class Frame:
    """A message: its type, and its contents."""

    number: int
    payload: bytes

    @property
    def is_page(self) -> bool:
        """Return whether this is a page of the journal."""
        return self.number == EVENT and JOURNAL_EVENT in self.payload

    @property
    def is_dated(self) -> bool:
        """Return whether the message is of the time at which it was sent."""
        return self.number == SENSOR_STATE or self.is_page

    @property
    def is_acknowledgement(self) -> bool:
        """Return whether this acknowledges the journal's records, by number.

        Opening a journal has three arguments too, and the second may be an empty text.
        """
        if self.number != EXECUTE_SERVICE:
            return False
        arguments = self.message().args
        return len(arguments) == 3 and arguments[1].int_ > 0

    def message(self) -> Any:
        """Return the message, decoded."""
        return MESSAGE_TYPE_TO_PROTO[self.number].FromString(self.payload)

    def encode(self) -> bytes:
        """Return the bytes on the line."""
        return b"\0" + leb128(len(self.payload)) + leb128(self.number) + self.payload


def leb128(value: int) -> bytes:
    """Encode an unsigned number (DWARF specification, 7.6)."""
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


async def read_frame(reader: asyncio.StreamReader) -> Frame:
    """Read the next message; raises IncompleteReadError at the end of the connection."""
    await reader.readexactly(1)
    size = await _read_number(reader)
    number = await _read_number(reader)
    return Frame(number, await reader.readexactly(size))


async def _read_number(reader: asyncio.StreamReader) -> int:
    value = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
        shift += 7

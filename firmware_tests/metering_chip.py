"""A BL0942 metering chip at the other end of a serial line, as its data sheet (V1.06) describes it."""

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import pty
import select
import threading
import tty

READ = 0x58
WRITE = 0xA8
ALL_RESULTS = 0xAA
WRITE_LENGTH = 6
"""Bytes of a write: command, register, three of the value, checksum."""


class MeteringChip:
    """Answers a plug's firmware, until it falls silent."""

    def __init__(self) -> None:
        """Begin with an idle supply of 230 V and 50 Hz."""
        self.silent = False
        self.volts = 230.0
        self.amperes = 2.0
        self.watts = 460.0
        self.hertz = 50.0
        self.pulses = 1000
        self._registers: dict[int, bytes] = {}

    def answer(self, received: bytearray) -> bytes:
        """Take the complete commands off what was received, and return the answers."""
        answers = b""
        while len(received) >= 2:
            command, register = received[0], received[1]
            if command == WRITE:
                if len(received) < WRITE_LENGTH:
                    break
                self._registers[register] = bytes(received[2:5])
                del received[:WRITE_LENGTH]
            elif command == READ:
                del received[:2]
                answers += self._read(register)
            else:
                del received[:1]
        return b"" if self.silent else answers

    def _read(self, register: int) -> bytes:
        if register != ALL_RESULTS:
            value = self._registers.get(register, bytes(3))
            return value + _checksum(bytes([READ, register]) + value)
        # Counts per volt and ampere of the plug's divider and shunt (plug-bl0942.yaml);
        # per watt as the data sheet derives it from the two.
        per_volt, per_ampere = 15883.34, 251065.7
        per_watt = per_volt * per_ampere * 3537 / 305978 / 73989
        packet = (
            b"\x55"
            + _three(self.amperes * per_ampere)
            + _three(self.volts * per_volt)
            + _three(0)
            + _three(self.watts * per_watt)
            + _three(self.pulses)
            + round(1e6 / self.hertz).to_bytes(2, "little")
            + bytes(4)
        )
        return packet + _checksum(bytes([READ]) + packet)


def _three(value: float) -> bytes:
    return round(value).to_bytes(3, "little", signed=value < 0)


def _checksum(message: bytes) -> bytes:
    return bytes([~sum(message) & 0xFF])


@contextmanager
def on_serial_line(port: Path) -> Iterator[MeteringChip]:
    """Yield a chip that answers on a serial port of this path."""
    chip = MeteringChip()
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    port.unlink(missing_ok=True)
    port.symlink_to(os.ttyname(theirs))
    stopped = threading.Event()

    def serve() -> None:
        received = bytearray()
        while not stopped.is_set():
            if select.select([ours], [], [], 0.05)[0]:
                received += os.read(ours, 256)
                os.write(ours, chip.answer(received))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield chip
    finally:
        stopped.set()
        thread.join()
        os.close(ours)
        os.close(theirs)

"""Encoder of journal pages in the firmware's format, apart from the decoder."""

import base64
from collections.abc import Mapping, Sequence

from custom_components.nrj_monitor.backfill.journal import Flag

NO_ENERGY = (0,) * 8
NO_FLAG = Flag(0)


def leb128(value: int) -> bytes:
    """Encode an unsigned number in LEB128 (DWARF specification, 7.6)."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def zigzag(value: int) -> bytes:
    """Encode a signed number: zigzag, then LEB128."""
    return leb128(2 * value if value >= 0 else -2 * value - 1)


def record(
    span: int = 60,
    energy: Sequence[int] = NO_ENERGY,
    *,
    count: int = 1,
    flags: Flag = NO_FLAG,
    start: int = 0,
    boot: int = 0,
    start_uptime: int = 0,
    powers: Sequence[tuple[int, int] | None] = (None,) * 4,
    voltages: Sequence[tuple[int, int, int] | None] = (None,) * 3,
    frequency: tuple[int, int, int] | None = None,
) -> bytes:
    """Encode a record; triples are mean, least and greatest in the journal's steps."""
    body = bytearray([flags])
    body += leb128(count) + leb128(span)
    if Flag.START in flags:
        body += leb128(start)
        if start:
            body += leb128(boot) + leb128(start_uptime)
    for gain in energy:
        body += leb128(gain)
    readings = [*powers, *voltages, frequency]
    body.append(
        sum(1 << bit for bit, reading in enumerate(readings) if reading is not None)
    )
    for power in powers:
        if power is not None:
            body += zigzag(power[0]) + leb128(power[1] - power[0])
    for triple in (*voltages, frequency):
        if triple is not None:
            mean, least, greatest = triple
            body += zigzag(mean) + zigzag(mean - least) + zigzag(greatest - mean)
    return bytes([len(body) + 1]) + bytes(body)


def page(records: Sequence[bytes] = (), **overrides: object) -> Mapping[str, str]:
    """Return the data of a page's event."""
    data: dict[str, object] = {
        "client": "0000beef",
        "journal": "11223344",
        "boot": "7",
        "boot_time": "",
        "uptime_ms": "0",
        "start_uptime": "0",
        "after": "0",
        "last": str(len(records)),
        "newest": str(len(records)),
        "begin_time": "",
        "begin_uptime": "",
        "counters": ",".join("0" * 8),
        "data": base64.b64encode(b"".join(records)).decode(),
    }
    return {key: str(value) for key, value in (data | overrides).items()}

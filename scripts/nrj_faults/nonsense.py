"""What no meter measures, put into the messages of one: states, and records of the journal."""

import base64
from collections.abc import Callable, Iterator, Mapping
import math
import random

from .protocol import EVENT, SENSOR_STATE, Frame, leb128

STATES = (math.nan, math.inf, -5.0, 3.4e38, 1e12)
"""kWh that a total can not have."""

MUCH = 10**15
"""mWh that no record can have."""

ENERGIES = 8
"""Energies in a record."""

START_FLAG = 2
"""Flag of a record that says when it begins."""

DECADE = 10 * 365 * 86400
"""Seconds by which a time is in the future."""

type Page = dict[str, str]


def falsify_state(frame: Frame, rng: random.Random) -> Frame:
    """Return the state of a total with a value that it can not have."""
    message = frame.message()
    message.state = rng.choice(STATES)
    return Frame(SENSOR_STATE, message.SerializeToString())


def falsify_page(frame: Frame, rng: random.Random) -> tuple[str, Frame]:
    """Return what is wrong with a page of the journal now, and the page."""
    message = frame.message()
    page: Page = {item.key: item.value for item in message.data}
    name = rng.choice(tuple(FALSIFIERS))
    FALSIFIERS[name](page, rng)
    for item in message.data:
        item.value = page[item.key]
    return name, Frame(EVENT, message.SerializeToString())


def _much_energy(page: Page, rng: random.Random) -> None:
    """Give a record more energy than there is."""
    records = list(_records(base64.b64decode(page["data"])))
    if not records:
        return
    index = rng.randrange(len(records))
    records[index] = _with_energy(records[index], rng.randrange(ENERGIES))
    page["data"] = base64.b64encode(b"".join(records)).decode()


def _records(data: bytes) -> Iterator[bytes]:
    """Yield the records, each with its byte of length."""
    while data:
        yield data[: data[0]]
        data = data[data[0] :]


def _with_energy(record: bytes, which: int) -> bytes:
    """Return a record with `MUCH` in place of one of its energies."""
    numbers = 2 + ENERGIES
    if record[1] & START_FLAG:
        start, _ = _number(record, _skip(record, 2, 2))
        numbers += 3 if start else 1
    begin = _skip(record, 2, numbers - ENERGIES + which)
    end = _skip(record, begin, 1)
    changed = record[1:begin] + leb128(MUCH) + record[end:]
    return bytes([len(changed) + 1]) + changed


def _skip(record: bytes, position: int, numbers: int) -> int:
    """Return the position behind so many numbers."""
    for _ in range(numbers):
        _, position = _number(record, position)
    return position


def _number(record: bytes, position: int) -> tuple[int, int]:
    """Return the number at a position, and the position behind it."""
    value = shift = 0
    while True:
        byte = record[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7


def _set(
    key: str, value: Callable[[random.Random], str]
) -> Callable[[Page, random.Random], None]:
    """Return a falsifier that puts a value into a field."""

    def falsify(page: Page, rng: random.Random) -> None:
        page[key] = value(rng)

    return falsify


def _total(value: str) -> Callable[[Page, random.Random], None]:
    """Return a falsifier of one of the totals."""

    def falsify(page: Page, rng: random.Random) -> None:
        totals = page["counters"].split(",")
        totals[rng.randrange(len(totals))] = value
        page["counters"] = ",".join(totals)

    return falsify


def _future(page: Page, rng: random.Random) -> None:
    """Date the page, if it has a date, in ten years."""
    for key in ("begin_time", "boot_time"):
        if page[key]:
            page[key] = str(int(page[key]) + DECADE)


def _past(page: Page, rng: random.Random) -> None:
    """Date the page, if it has a date, in 1970."""
    for key in ("begin_time", "boot_time"):
        if page[key]:
            page[key] = str(rng.randrange(1000))


FALSIFIERS: Mapping[str, Callable[[Page, random.Random], None]] = {
    "10^15 mWh in a record": _much_energy,
    "a total of 10^15 mWh": _total(str(MUCH)),
    "a negative total": _total("-5"),
    "a total that is no number": _total("nan"),
    "records of 1970": _past,
    "records of the future": _future,
    "bytes that are no records": _set(
        "data", lambda rng: base64.b64encode(rng.randbytes(40)).decode()
    ),
}

"""Pages of a meter's journal, decoded: the counterpart of the firmware's energy_journal."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntFlag
from typing import Final, Self

from ..catalog import CHANNELS
from ..device_number import number_name, whole_number
from ..reading_gate import greatest_energy, is_possible

COUNTERS: Final = (
    "import_energy_l1",
    "import_energy_l2",
    "import_energy_l3",
    "import_energy",
    "export_energy_l1",
    "export_energy_l2",
    "export_energy_l3",
    "export_energy",
)
"""Ids of the channels whose totals a journal keeps, in the order of the records."""

POWERS: Final = (
    "active_power_l1",
    "active_power_l2",
    "active_power_l3",
    "active_power",
)
VOLTAGES: Final = ("voltage_l1", "voltage_l2", "voltage_l3")
FREQUENCY: Final = "frequency"

VOLTAGE_STEP: Final = 0.02
"""Volts for each step of a recorded voltage."""

FREQUENCY_STEP: Final = 0.001
"""Hertz for each step of a recorded frequency."""

LONGEST_NUMBER: Final = 10
"""Bytes of the greatest 64-bit number in LEB128."""

LARGEST_PAGE: Final = 48 * 1024
"""Bytes of a page's records, four times what the firmware sends at most: some 30 ms."""

LATEST: Final = 2**32 - 1
"""Greatest time, s since 1970, or uptime, s."""

LARGEST_TOTAL: Final = 2**64 - 1
"""Greatest total, mWh."""

MILLIWATTHOURS: Final = 1e6
"""Milliwatt-hours in a kilowatt-hour."""

type Counters = tuple[int, ...]
"""Totals of the channels in `COUNTERS`, mWh."""


class Flag(IntFlag):
    """Flags of a journal record."""

    GAP = 1
    """The meter was off: the energy belongs to a time without measurements."""
    START = 2
    """The first record after a start of the meter."""
    INCOMPLETE = 4
    CLOCK_SET = 8
    EVENT = 16
    HOLE = 32
    OVER_RANGE = 64
    """Something was beyond the meter's range: what was measured is too low."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Mean, least and greatest reading; without a mean where energy gives the mean."""

    mean: float | None
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRecord:
    """Record of the energy counted and the values measured in `span` seconds.

    `energy` is the gain of the counters, mWh. `start` is when a record with
    `Flag.START` begins, seconds since 1970, 0 where the uptime of the page gives the
    time. Otherwise `boot` is the name of the start, as pages have it ("0" if unknown),
    and `start_uptime` the meter's uptime at the begin of the record, s. `measured` has
    the valid measurements by channel id, and `refused` impossible values that were left
    out. A record that the meter has merged stands for `count` records.
    """

    count: int
    flags: Flag
    span: int
    start: int
    boot: str
    start_uptime: int
    energy: Counters
    measured: Mapping[str, Summary]
    refused: Mapping[str, float] = field(default_factory=dict)


class _Reader:
    """Reader of LEB128 numbers; raises ValueError at the end of the bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def byte(self) -> int:
        try:
            value = self._data[self.position]
        except IndexError:
            raise ValueError("a record ends early") from None
        self.position += 1
        return value

    def number(self) -> int:
        value = 0
        for index in range(LONGEST_NUMBER):
            byte = self.byte()
            value |= (byte & 0x7F) << 7 * index
            if byte < 0x80:
                return value
        raise ValueError("a number is too long")

    def signed(self) -> int:
        value = self.number()
        return (value >> 1) ^ -(value & 1)

    def summary(self, step: float) -> Summary:
        mean = self.signed()
        minimum = mean - self.signed()
        maximum = mean + self.signed()
        return Summary(mean * step, minimum * step, maximum * step)


def decode_records(data: bytes) -> tuple[JournalRecord, ...]:
    """Decode the records of a page.

    Raises:
        ValueError: the bytes are no records.
    """
    records = []
    offset = 0
    while offset < len(data):
        size = data[offset]
        if size == 0 or offset + size > len(data):
            raise ValueError(f"the record at byte {offset} has no length of its own")
        records.append(_decode_record(data[offset + 1 : offset + size]))
        offset += size
    return tuple(records)


def _decode_record(data: bytes) -> JournalRecord:
    """Decode a record, leaving out impossible values; raises ValueError."""
    reader = _Reader(data)
    flags = Flag(reader.byte())
    count = reader.number()
    span = reader.number()
    start = reader.number() if Flag.START in flags else 0
    boot, start_uptime = (reader.number() if start else 0 for _ in range(2))
    energy = tuple(reader.number() for _ in COUNTERS)
    refused: dict[str, float] = {}
    if not are_possible_gains(energy, span):
        most = max(range(len(energy)), key=energy.__getitem__)
        refused[COUNTERS[most]] = energy[most] / MILLIWATTHOURS
        energy = (0,) * len(COUNTERS)
    mask = reader.byte()
    measured = {}
    for bit, channel in enumerate((*POWERS, *VOLTAGES, FREQUENCY)):
        if not mask & 1 << bit:
            continue
        if channel in POWERS:
            minimum = reader.signed()
            measured[channel] = Summary(None, minimum, minimum + reader.number())
        else:
            measured[channel] = reader.summary(
                FREQUENCY_STEP if channel == FREQUENCY else VOLTAGE_STEP
            )
    if reader.position != len(data) or not count:
        raise ValueError("a record is not what its length says")
    for channel, summary in measured.items():
        for extreme in (summary.minimum, summary.maximum):
            if not is_possible(CHANNELS[channel], extreme):
                refused[channel] = extreme
    return JournalRecord(
        count=count,
        flags=flags,
        span=span,
        start=start,
        boot=str(boot),
        start_uptime=start_uptime,
        energy=energy,
        measured={
            channel: summary
            for channel, summary in measured.items()
            if channel not in refused
        },
        refused=refused,
    )


def are_possible_gains(gains: Counters, seconds: float) -> bool:
    """Return whether a meter can count these gains of its totals, mWh, in a time."""
    return all(
        gain / MILLIWATTHOURS <= greatest_energy(CHANNELS[channel].quantity, seconds)
        for channel, gain in zip(COUNTERS, gains, strict=True)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalPage:
    """Page of consecutive records, with the totals and the time of its begin.

    `after` and `last` are the sequence numbers before the first and of the last record,
    `newest` the number of the newest record in the meter. `counters` are the totals at
    the begin of the page, whose time is `begin_time`, s since 1970, or `begin_uptime`,
    s, or unknown. `boot` is the name of the meter's present start, `uptime` the seconds
    from that start to the sending of the page, and `boot_time` the start by the meter's
    own clock, s since 1970. `start_uptime` is the uptime, s, at the first record of the
    present start.
    """

    client: str
    journal: str
    boot: str
    boot_time: int | None
    uptime: float
    start_uptime: int
    after: int
    last: int
    newest: int
    begin_time: int | None
    begin_uptime: int | None
    counters: Counters
    records: tuple[JournalRecord, ...]

    @classmethod
    def from_device(cls, data: Mapping[str, str]) -> Self:
        """Decode the data of the firmware's event.

        Raises:
            ValueError: a field is missing, damaged, too long or beyond its range.
        """
        head = PageHead.from_device(data)
        try:
            if len(data["data"]) > LARGEST_PAGE * 4 // 3:
                raise ValueError(f"its records are more than {LARGEST_PAGE} bytes")
            counters = tuple(
                whole_number(text, LARGEST_TOTAL)
                for text in data["counters"].split(",", len(COUNTERS))
            )
            records = decode_records(base64.b64decode(data["data"], validate=True))
            page = cls(
                client=head.client,
                journal=head.journal,
                boot=number_name(data["boot"]),
                boot_time=_number_or_none(data["boot_time"]),
                uptime=whole_number(data["uptime_ms"], 1000 * LATEST) / 1000,
                start_uptime=whole_number(data["start_uptime"], LATEST),
                after=head.after,
                last=head.last,
                newest=head.newest,
                begin_time=_number_or_none(data["begin_time"]),
                begin_uptime=_number_or_none(data["begin_uptime"]),
                counters=counters,
                records=records,
            )
        except KeyError as error:
            raise ValueError(f"{error} is missing") from error
        except binascii.Error as error:
            raise ValueError("the records are not base64") from error
        if len(counters) != len(COUNTERS):
            raise ValueError(f"{len(counters)} totals, not {len(COUNTERS)}")
        if page.after + sum(record.count for record in records) != page.last:
            raise ValueError("the records are not as many as they say")
        return page


@dataclass(frozen=True, slots=True, kw_only=True)
class PageHead:
    """Place of a page in a journal, which a page has whose records are of no use."""

    client: str
    journal: str
    after: int
    last: int
    newest: int

    @classmethod
    def from_device(cls, data: Mapping[str, str]) -> Self:
        """Read the place of a page from the data of the firmware's event.

        Raises:
            ValueError: it has none.
        """
        try:
            head = cls(
                client=number_name(data["client"]),
                journal=number_name(data["journal"]),
                after=whole_number(data["after"]),
                last=whole_number(data["last"]),
                newest=whole_number(data["newest"]),
            )
        except KeyError as error:
            raise ValueError(f"{error} is missing") from error
        if head.last < head.after:
            raise ValueError(f"it has records {head.after} to {head.last}")
        return head


def _number_or_none(text: str) -> int | None:
    return whole_number(text, LATEST) if text else None

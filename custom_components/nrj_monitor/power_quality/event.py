"""Power-quality events and oscillograms of a meter."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
import re
from typing import Any, Final, Self

from ..catalog import Phase
from ..device_number import decimal_number, number_name, whole_number

KINDS: Final = (
    "dip",
    "swell",
    "interruption",
    "phase_loss",
    "overcurrent",
    "wrong_sequence",
    "over_range",
)
"""Kinds of events of the firmware's component power_quality."""

LONGEST_AGO: Final = 10 * 365 * 86400 * 1000
"""Milliseconds before its message at which an event may have begun, or how long it may
have lasted."""

LARGEST_EXTREME: Final = 1e6
"""Greatest extreme, V or A, that is no nonsense."""

UNITS: Final = ("", "V", "A", "%")
"""Units of an extreme."""

CHANNEL: Final = re.compile(r"[UI](?:L[123]|N)")
"""Names of the channels of an oscillogram."""

MOST_SAMPLES: Final = 8192
"""Samples of all channels of an oscillogram; the chip's buffer has 2048."""

MOST_POINTS: Final = 4096
"""Samples of a cycle of the line."""

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2200
"""Years of a stored waveform: those of a clock that was never set, and of any other."""

LONGEST_TITLE: Final = 64
"""Characters of the title of an oscillogram, and of the id of its event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerQualityEvent:
    """Event of the supply.

    `boot` and `number` together name the event. `extreme` is the lowest or highest rms
    of one cycle, in `unit`; None for a kind without one. `estimated` marks a time that
    is only a bound. A long event is sent a first time while `ongoing`.
    """

    boot: str
    number: int
    kind: str
    phase: str | None
    started: datetime
    duration: timedelta
    extreme: float | None
    unit: str
    estimated: bool
    ongoing: bool
    quantity: str | None = None
    """What was beyond the meter's range, "voltage" or "current"; None for other kinds."""
    restored: bool = False
    """The meter has been restarted since, and has lost the waveform of the event."""

    @property
    def id(self) -> str:
        """Return the id of the event, unique among the events of its meter."""
        return f"{self.boot}-{self.number}"

    @classmethod
    def from_device(cls, data: Mapping[str, str], now: datetime) -> Self:
        """Decode the data of the firmware's event, received at `now`.

        Raises:
            ValueError: a field is missing, unknown or beyond its range.
        """
        try:
            if data["kind"] not in KINDS:
                raise ValueError(f"unknown kind {data['kind']!r}")
            quantity = data["quantity"] if data["kind"] == "over_range" else None
            if quantity not in (None, "voltage", "current"):
                raise ValueError(f"unknown quantity {quantity!r}")
            if (phase := data["phase"] or None) not in (None, *Phase):
                raise ValueError(f"unknown phase {phase!r}")
            if (unit := data.get("unit", "")) not in UNITS:
                raise ValueError(f"unknown unit {unit!r}")
            extreme = data.get("extreme", "")
            return cls(
                boot=number_name(data["boot"]),
                number=whole_number(data["number"]),
                kind=data["kind"],
                phase=phase,
                started=now
                - timedelta(
                    milliseconds=whole_number(data["started_ms_ago"], LONGEST_AGO)
                ),
                duration=timedelta(
                    milliseconds=decimal_number(data["duration_ms"], 0.0, LONGEST_AGO)
                ),
                extreme=(
                    decimal_number(extreme, -LARGEST_EXTREME, LARGEST_EXTREME)
                    if unit and extreme
                    else None
                ),
                unit=unit,
                estimated=data.get("estimated") == "1",
                ongoing=data.get("ongoing") == "1",
                quantity=quantity,
                restored=data.get("restored") == "1",
            )
        except KeyError as error:
            raise ValueError(f"{error} is missing") from error

    def attributes(self) -> dict[str, Any]:
        """Return the attributes of the event entity."""
        attributes = {
            "boot": self.boot,
            "number": self.number,
            "phase": self.phase,
            "started": self.started.isoformat(),
            "duration_s": round(self.duration.total_seconds(), 4),
            "extreme": self.extreme,
            "unit": self.unit or None,
            "estimated": self.estimated,
            "ongoing": self.ongoing,
        }
        if self.quantity is not None:
            attributes["quantity"] = self.quantity
        return attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class Oscillogram:
    """Waveform around an event.

    `channels` maps names like "UL1" and "IL1" to one sample after the other, in V and A;
    `points_per_cycle` samples are one cycle of the line.
    """

    event_id: str
    title: str
    started: datetime
    points_per_cycle: int
    channels: Mapping[str, tuple[float, ...]]

    def __post_init__(self) -> None:
        """Raise ValueError unless the waveform can be one of a meter."""
        if len(self.event_id) > LONGEST_TITLE or len(self.title) > LONGEST_TITLE:
            raise ValueError("Its title is too long")
        if not 0 < self.points_per_cycle <= MOST_POINTS:
            raise ValueError(f"{self.points_per_cycle} samples are no cycle")
        if sum(map(len, self.channels.values())) > MOST_SAMPLES:
            raise ValueError("It has too many samples")
        if not all(map(CHANNEL.fullmatch, self.channels)):
            raise ValueError("It has channels that no meter has")
        if not all(
            abs(value) <= LARGEST_EXTREME
            for value in chain.from_iterable(self.channels.values())
        ):
            raise ValueError("It has samples that no meter measures")

    def as_dict(self) -> dict[str, Any]:
        """Return the oscillogram as JSON data."""
        return {
            "event_id": self.event_id,
            "title": self.title,
            "started": self.started.isoformat(),
            "points_per_cycle": self.points_per_cycle,
            "channels": {
                name: [round(value, 2) for value in samples]
                for name, samples in self.channels.items()
            },
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Return the oscillogram written by `as_dict`.

        Raises one of ArithmeticError, AttributeError, LookupError, TypeError and
        ValueError for other data.
        """
        channels = {
            str(name): tuple(float(value) for value in samples)
            for name, samples in stored["channels"].items()
        }
        started = datetime.fromisoformat(stored["started"])
        if started.tzinfo is None or not FIRST_YEAR <= started.year < LAST_YEAR:
            raise ValueError(f"{started} is no time of a waveform")
        return cls(
            event_id=str(stored["event_id"]),
            title=str(stored["title"]),
            started=started,
            points_per_cycle=int(stored["points_per_cycle"]),
            channels=channels,
        )

"""Power-quality events and oscillograms of a meter."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Any, Final, Self

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
            ValueError: a field is missing or is no number.
        """
        try:
            if data["kind"] not in KINDS:
                raise ValueError(f"unknown kind {data['kind']!r}")
            quantity = data["quantity"] if data["kind"] == "over_range" else None
            if quantity not in (None, "voltage", "current"):
                raise ValueError(f"unknown quantity {quantity!r}")
            extreme = data.get("extreme", "")
            return cls(
                boot=data["boot"],
                number=int(data["number"]),
                kind=data["kind"],
                phase=data["phase"] or None,
                started=now - timedelta(milliseconds=int(data["started_ms_ago"])),
                duration=timedelta(milliseconds=float(data["duration_ms"])),
                extreme=float(extreme) if data.get("unit") and extreme else None,
                unit=data.get("unit", ""),
                estimated=data.get("estimated") == "1",
                ongoing=data.get("ongoing") == "1",
                quantity=quantity,
                restored=data.get("restored") == "1",
            )
        except (KeyError, OverflowError) as error:
            raise ValueError(f"{error} is missing or too large") from error

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

        Raises one of AttributeError, LookupError, TypeError and ValueError for other
        data.
        """
        channels = {
            str(name): tuple(float(value) for value in samples)
            for name, samples in stored["channels"].items()
        }
        points_per_cycle = int(stored["points_per_cycle"])
        if points_per_cycle <= 0 or not all(
            isfinite(value) for samples in channels.values() for value in samples
        ):
            raise ValueError("The oscillogram has no valid samples")
        return cls(
            event_id=str(stored["event_id"]),
            title=str(stored["title"]),
            started=datetime.fromisoformat(stored["started"]),
            points_per_cycle=points_per_cycle,
            channels=channels,
        )

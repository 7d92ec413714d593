"""Power-quality events as samples, forwarded at once.

The data models have no attribute for events: an extra attribute of the meter's entity
holds the latest one. In the spool an event is a set of numbers, like any reading.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from ..power_quality.event import KINDS, PowerQualityEvent
from .models import UNIT_CODES
from .sample import EVENT, EVENT_KIND, Sample, iso

ATTRIBUTE: Final = "powerQualityEvent"
"""Name of the extra attribute."""

_PHASES: Final = ("L1", "L2", "L3", "N")
_UNITS: Final = ("V", "A")
# The spool stores positions in these tuples and in KINDS: append, never reorder.

TIMES_KNOWN: Final = 1000
"""Latest times remembered, so that no two samples share one."""


def event_sample(event: PowerQualityEvent) -> Sample:
    """Return an event as a sample at its end, or at its latest report while ongoing."""
    numbers: dict[str, float | None] = {
        EVENT_KIND: KINDS.index(event.kind),
        f"{EVENT}phase": _position(_PHASES, event.phase),
        f"{EVENT}started": round(event.started.timestamp() * 1000),
        f"{EVENT}duration": event.duration.total_seconds(),
        f"{EVENT}extreme": event.extreme,
        f"{EVENT}unit": _position(_UNITS, event.unit),
        f"{EVENT}estimated": event.estimated,
        f"{EVENT}ongoing": event.ongoing,
    }
    return Sample.of(event.started + event.duration, numbers)


def event_value(values: Mapping[str, float]) -> dict[str, Any] | None:
    """Return the value of the extra attribute, None for a sample without an event.

    `duration` is in seconds; `extreme` in `unitCode`.
    """
    if (kind := _named(KINDS, values, EVENT_KIND)) is None:
        return None
    value: dict[str, Any] = {"kind": kind}
    if (phase := _named(_PHASES, values, f"{EVENT}phase")) is not None:
        value["phase"] = phase
    value["started"] = iso(int(values[f"{EVENT}started"]))
    value["duration"] = round(values[f"{EVENT}duration"], 4)
    unit = _named(_UNITS, values, f"{EVENT}unit")
    if unit is not None and (extreme := values.get(f"{EVENT}extreme")) is not None:
        value |= {"extreme": round(extreme, 3), "unitCode": UNIT_CODES[unit]}
    for flag in ("estimated", "ongoing"):
        value[flag] = values.get(f"{EVENT}{flag}") == 1.0
    return value


class UniqueTimes:
    """Filter for unique sample times, a millisecond later where needed.

    The phases of a dip end together, and the spool holds one sample a time.
    """

    def __init__(self, add_sample: Callable[[Sample], None]) -> None:
        """Prepare to pass samples on to `add_sample`."""
        self._add_sample = add_sample
        self._times: deque[int] = deque(maxlen=TIMES_KNOWN)

    def __call__(self, sample: Sample) -> None:
        """Pass a sample on with a unique time."""
        time = sample.time
        while time in self._times:
            time += 1
        self._times.append(time)
        self._add_sample(replace(sample, time=time))


def _position(names: tuple[str, ...], name: str | None) -> float | None:
    return float(names.index(name)) if name in names else None


def _named(names: tuple[str, ...], values: Mapping[str, float], key: str) -> str | None:
    position = values.get(key)
    if position is None or not 0 <= position < len(names):
        return None
    return names[int(position)]

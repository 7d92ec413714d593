"""Which hours of the statistics are to be written, and with what: pure rules."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from .journal import Summary
from .timeline import EnergyEstimate

HOUR: Final = 3600

STEPS: Final = 1.5
"""By how many significant changes a state may lag behind the total it shows."""

LAG: Final = 5.0
"""Seconds by which a state may lag behind besides."""

RESOLUTION: Final = 0.001
"""kWh to which states are rounded."""

COVERED: Final = 0.5
"""Part of an hour the journal must know to replace a row that nothing measured made."""


@dataclass(frozen=True, slots=True)
class SumRow:
    """An hour of a total: the reading at its end and Home Assistant's running sum."""

    state: float
    sum: float

    @property
    def offset(self) -> float:
        """Return what does not change between two rows without a reset between them."""
        return self.sum - self.state


@dataclass(frozen=True, slots=True)
class MeanRow:
    """An hour of a measurement."""

    mean: float
    minimum: float
    maximum: float

    @property
    def is_flat(self) -> bool:
        """Return whether nothing changed, as when nothing was measured."""
        return self.minimum == self.maximum


@dataclass(frozen=True, slots=True)
class SumPlan:
    """The hours to write by their beginning, and those that are not clear and why."""

    rows: Mapping[int, SumRow] = field(default_factory=dict)
    unclear: Mapping[int, str] = field(default_factory=dict)


def hours_between(begin: float, end: float) -> range:
    """Return the beginnings of the hours that end after `begin` and not after `end`.

    All in seconds since 1970; statistics have the hours of UTC.
    """
    return range(int(begin // HOUR) * HOUR, int(end // HOUR) * HOUR, HOUR)


def plan_sums(
    hours: Iterable[int],
    rows: Mapping[int, SumRow],
    reading: Callable[[float], EnergyEstimate | None],
    *,
    before: SumRow | None,
    after: SumRow | None,
    step: float,
    seen: Callable[[float], bool] = lambda time: True,
) -> SumPlan:
    """Plan the hours of a total, whose unit is kWh.

    An hour whose row shows what the meter had counted at its end was measured: it stays
    as it is. The others get the reading at their end, on the running sum of the hours
    around them: state and sum differ by the same amount for as long as the meter does
    not start over.

    `before` and `after` are the rows around these hours, None where there is none;
    `step` is the change of the total that is worth a state. `seen` tells of a time
    whether the meter could be read then: if not, a row that shows nearly what the meter
    had counted does so by chance.
    """
    planned: dict[int, SumRow] = {}
    unclear: dict[int, str] = {}
    pending: dict[int, SumRow] = {}
    offset = None if before is None else before.offset

    def close(other: SumRow) -> None:
        if offset is not None and _differ(offset, other.offset):
            unclear.update(dict.fromkeys(pending, "the total started over"))
        else:
            planned.update(pending)
        pending.clear()

    for hour in hours:
        end = hour + HOUR
        if (expected := reading(end)) is None:
            continue
        row = rows.get(hour)
        if row is not None:
            low = _lowest_live(expected, reading(end - LAG) or expected)
            low -= STEPS * step + RESOLUTION
            if not seen(end) and not seen(end - LAG):
                low = expected.value - RESOLUTION
            if low <= row.state <= expected.high + RESOLUTION:
                close(row)
                offset = row.offset
                continue
            if row.state > expected.high:
                unclear[hour] = "the statistics are ahead of the meter"
                continue
            if offset is None:
                # The first of all: it broke off, but what it says was so.
                offset = row.offset
        if offset is None:
            unclear[hour] = "there are no statistics before it"
            continue
        pending[hour] = SumRow(expected.value, expected.value + offset)
    if pending and after is not None:
        close(after)
    planned.update(pending)
    return SumPlan(planned, unclear)


def _lowest_live(expected: EnergyEstimate, earlier: EnergyEstimate) -> float:
    """Return what a state shows at the end of an hour that was measured until then.

    Where the end of a record is that of the hour, `earlier` lies just before it on a
    straight line; within a coarse record nobody knows.
    """
    if expected.low == expected.high:
        return min(expected.value, earlier.value)
    return min(expected.low, earlier.low)


def _differ(one: float, other: float) -> bool:
    return abs(one - other) > RESOLUTION + 1e-9 * max(abs(one), abs(other))


def plan_means(
    hours: Iterable[int],
    rows: Mapping[int, MeanRow],
    measured: Callable[[int], bool],
    summary: Callable[[float, float], tuple[Summary, float] | None],
) -> dict[int, MeanRow]:
    """Plan the hours of a measurement.

    Hours with a row stay as they are, unless nothing was measured in them and the row
    only repeats what was before: `measured` tells that of an hour.
    """
    planned = {}
    for hour in hours:
        row = rows.get(hour)
        if row is not None and (not row.is_flat or measured(hour)):
            continue
        told = summary(hour, hour + HOUR)
        if told is None or (row is not None and told[1] < COVERED * HOUR):
            continue
        of = told[0]
        assert of.mean is not None
        new = MeanRow(of.mean, of.minimum, of.maximum)
        if new != row:
            planned[hour] = new
    return planned

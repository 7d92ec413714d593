"""Plan of the statistics' hours to write, and their rows: pure rules."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ..energy_counters import begins_new_count, tolerance
from .journal import Summary
from .replacement import Handover
from .running_sum import RESET_RATIO, SumCorrection
from .timeline import EnergyEstimate

HOUR: Final = 3600

LAG_CHANGES: Final = 1.5
"""Significant changes by which a state may lag behind the meter's total."""

LAG: Final = 5.0
"""Seconds by which a state may lag behind the meter's total in addition."""

RESOLUTION: Final = 0.001
"""kWh to which states of energy sensors are rounded."""

NO_RECORDS: Final = "the meter no longer has records of it"

MIN_COVERAGE: Final = 0.5
"""Part of an hour that the journal must have to replace a row without measurements."""


@dataclass(frozen=True, slots=True)
class SumRow:
    """Hour of an energy total: its state at the end and the recorder's sum, kWh."""

    state: float
    sum: float

    @property
    def offset(self) -> float:
        """Return sum less state: equal in all rows without a reset in between, kWh."""
        return self.sum - self.state


@dataclass(frozen=True, slots=True)
class MeanRow:
    """Hour of a measurement, in the unit of its channel."""

    mean: float
    minimum: float
    maximum: float

    @property
    def is_flat(self) -> bool:
        """Return whether the value never changed, as when nothing was measured."""
        return self.minimum == self.maximum


@dataclass(frozen=True, slots=True)
class SumPlan:
    """Rows to write by the hour's begin, and the unclear hours with their reason.

    `corrections` are for rows that lack energy of the planned hours before.
    """

    rows: Mapping[int, SumRow] = field(default_factory=dict)
    unclear: Mapping[int, str] = field(default_factory=dict)
    corrections: Sequence[SumCorrection] = ()


def hours_between(begin: float, end: float) -> range:
    """Return the begins of the hours ending after `begin`, up to `end`.

    All in seconds since 1970; statistics have the hours of UTC.
    """
    return range(int(begin // HOUR) * HOUR, int(end // HOUR) * HOUR, HOUR)


def plan_sums(
    hours: range,
    rows: Mapping[int, SumRow],
    energy_at: Callable[[float], EnergyEstimate | None],
    *,
    before: SumRow | None,
    after: SumRow | None,
    step: float,
    first_total: float = 0.0,
    handover: Handover | None = None,
    ended: SumRow | None = None,
    is_anew: bool = False,
    was_read: Callable[[float], bool] = lambda time: True,
    is_recorded: Callable[[float], bool] = lambda time: True,
    is_doubtful: Callable[[int], bool] = lambda hour: False,
) -> SumPlan:
    """Plan the hours of a total, whose unit is kWh.

    An hour whose row shows what the meter had counted at its end was measured: it stays
    as it is. The other hours get the total at their end, on the running sum of the hours
    around them: state and sum differ by the same amount for as long as the meter does
    not start over. A new count, whose total is below the last row's, begins where the
    old sum ended.

    `energy_at` returns the meter's total at a time, s since 1970, and `first_total` is
    the first that the meter knows. `before` and `after` are the rows around these hours,
    None where there is none; `step` is the change of the total that is worth a state.
    `handover` is where another meter took the place of the one before. `ended` is the
    last row of five minutes from before the meter's records begin, None where it is not
    known, and `is_anew` tells that since then the meter has begun all counts from zero.
    `was_read` returns whether the meter could be read at a time: if not, a row that
    shows nearly what the meter had counted does so by chance. `is_recorded` returns
    whether the meter has records of a time: an hour that ends at another is left alone.
    `is_doubtful` returns whether a row may have been made under a wrong clock: then the
    journal is right.
    """
    planned: dict[int, SumRow] = {}
    unclear: dict[int, str] = {}
    pending: dict[int, SumRow] = {}
    corrections: list[SumCorrection] = []
    last = before
    is_new_count = is_handed_over = False
    # The last row of the count before the present one.
    former: SumRow | None = None
    # Rows up to the handover are the old meter's.
    is_old = handover is not None and energy_at(handover.begin) is not None

    def settle_pending(other: SumRow, start: int) -> None:
        """Plan the pending hours if the next row, `other`, has the same offset."""
        if last is not None and pending and _differ(last.offset, other.offset):
            is_more = is_new_count and other.offset > last.offset
            if is_more and not is_handed_over:
                # The rows of five minutes had more of the old count than its last hour.
                planned.update(
                    (hour, SumRow(row.state, row.state + other.offset))
                    for hour, row in pending.items()
                )
            elif is_new_count:
                # Home Assistant continued the old count, as if it had gone on or back.
                planned.update(pending)
                corrections.append(SumCorrection(start, last.offset - other.offset))
            else:
                unclear.update(dict.fromkeys(pending, "the total started over"))
        else:
            planned.update(pending)
        pending.clear()

    for hour in hours:
        end = hour + HOUR
        if (expected := energy_at(end)) is None:
            continue
        row = rows.get(hour)
        begins_here = energy_at(hour) is None
        if is_end_known := begins_here and ended is not None:
            last = ended
        # Within its first hour a count may already have more than the one before.
        is_other = (
            begins_here
            and last is not None
            and not is_old
            and (
                is_anew
                or (
                    (
                        is_end_known
                        or not (is_doubtful(hour) or is_doubtful(hour - HOUR))
                    )
                    and begins_new_count(last.state, first_total)
                )
            )
        )
        if row is not None:
            row = SumRow(
                row.state, row.sum + sum(added.energy for added in corrections)
            )
            low = _lowest_recorded(expected, energy_at(end - LAG) or expected)
            low -= LAG_CHANGES * step + RESOLUTION
            if not was_read(end) and not was_read(end - LAG):
                low = expected.value - RESOLUTION
            # A journal that begins here may date that a little otherwise than before.
            margin = tolerance(row.state) if begins_here else RESOLUTION
            if low <= row.state <= expected.high + margin:
                settle_pending(row, hour)
                if corrections and corrections[-1].start == hour:
                    row = SumRow(row.state, row.sum + corrections[-1].energy)
                last, is_new_count, is_old = row, False, False
                continue
            if handover is not None and is_old and begins_here:
                if not is_end_known:
                    is_old = handover.is_old_row(row.state, end)
                    last = row
            elif ended is not None and is_end_known:
                if (
                    begins_new_count(row.state, expected.value)
                    and row.state >= ended.state
                    and not _differ(row.offset, ended.offset)
                    and not is_doubtful(hour)
                ):
                    # What the old count had after its last five minutes.
                    last = row
            elif (begins_here and begins_new_count(row.state, expected.value)) or (
                is_other and last is not None and not _differ(row.offset, last.offset)
            ):
                # The row of the old count, in the hour in which the new one began.
                last = row
            elif row.state > expected.high and not is_doubtful(hour):
                unclear[hour] = "the statistics are ahead of the meter"
                continue
            if last is None and not is_doubtful(hour):
                # The first row of all: too low for the end of its hour, yet true at some
                # time, so its sum is one to continue from.
                last = row
        if last is None:
            unclear[hour] = "there are no statistics before it"
            continue
        if not is_recorded(end) and (row is None or not is_doubtful(hour)):
            unclear[hour] = NO_RECORDS
            continue
        offset = last.offset
        if handover is not None and is_old:
            former = last
            is_new_count, is_old, is_handed_over = True, False, True
            offset += max(handover.last, last.state) - handover.first
        elif is_other or _begins_anew(last.state, expected.value, step):
            planned.update(pending)
            pending.clear()
            former = last
            is_new_count, is_handed_over = True, False
            least = first_total if is_other else expected.value
            begins_at_zero = is_anew or least < RESET_RATIO * last.state
            offset = last.sum - (0.0 if begins_at_zero else first_total)
            if (
                begins_here
                and row is not None
                and not is_doubtful(hour)
                and begins_new_count(last.state, row.state)
            ):
                # Home Assistant may have read more of the old count before the new one.
                offset = max(offset, row.offset)
        last = pending[hour] = SumRow(expected.value, expected.value + offset)
    # Until the new count has told a state, Home Assistant's rows repeat the old one.
    if pending and after is not None and not (is_new_count and after == former):
        settle_pending(after, hours.stop)
    planned.update(pending)
    return SumPlan(planned, unclear, corrections)


def _lowest_recorded(expected: EnergyEstimate, earlier: EnergyEstimate) -> float:
    """Return the least possible state at the end of a measured hour, kWh.

    `earlier` is the total `LAG` before. Where a record ends with the hour, `earlier`
    lies on a straight line just before `expected`; within a coarse record only the
    bounds of both are known.
    """
    if expected.low == expected.high:
        return min(expected.value, earlier.value)
    return min(expected.low, earlier.low)


def _begins_anew(before: float, total: float, step: float) -> bool:
    """Return whether a total, kWh, is another count's than a row's state before.

    Small totals begin anew where Home Assistant sees them do so; `step` is the change
    worth a state.
    """
    return begins_new_count(before, total) or (
        total < RESET_RATIO * before
        and before - total > LAG_CHANGES * step + RESOLUTION
    )


def _differ(one: float, other: float) -> bool:
    return abs(one - other) > RESOLUTION + 1e-9 * max(abs(one), abs(other))


def plan_means(
    hours: Iterable[int],
    rows: Mapping[int, MeanRow],
    has_states: Callable[[int], bool],
    summary: Callable[[float, float], tuple[Summary, float] | None],
    is_doubtful: Callable[[int], bool] = lambda hour: False,
) -> dict[int, MeanRow]:
    """Plan the hours of a measurement.

    Hours with a row stay as they are, unless the row only repeats the last state from
    before the hour: `has_states` returns whether an hour had a new state. `summary`
    returns the journal's summary between two times, and its measured seconds.
    `is_doubtful` returns whether a row may have been made under a wrong clock.
    """
    planned = {}
    for hour in hours:
        row = rows.get(hour)
        if (
            row is not None
            and not is_doubtful(hour)
            and (not row.is_flat or has_states(hour))
        ):
            continue
        if (known := summary(hour, hour + HOUR)) is None:
            continue
        measured, covered = known
        if row is not None and covered < MIN_COVERAGE * HOUR:
            continue
        assert measured.mean is not None
        new = MeanRow(measured.mean, measured.minimum, measured.maximum)
        if new != row:
            planned[hour] = new
    return planned

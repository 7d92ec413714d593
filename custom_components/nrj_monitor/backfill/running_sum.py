"""Corrections of running sums that Home Assistant continued wrongly: pure rules.

Home Assistant continues the sum of a total from its latest row of five minutes. Where
all such rows were purged the sum starts at zero; where the total fell by less than a
tenth the sum falls with it, although the meter began a new count.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from ..energy_counters import COUNT_TOLERANCE, begins_new_count, tolerance
from .replacement import Handover

HOUR: Final = 3600

RESET_RATIO: Final = 0.9
"""Part of its last state below which Home Assistant takes a total as begun anew, from
zero (`reset_detected` in its sensor integration)."""


@dataclass(frozen=True, slots=True)
class SumPoint:
    """Row of a total's statistics: its begin, s since 1970, span, s, state and sum, kWh."""

    start: int
    state: float
    sum: float
    span: int = 0

    @property
    def is_short(self) -> bool:
        """Return whether this is a row of five minutes, which is never filled in."""
        return 0 < self.span < HOUR

    @property
    def end(self) -> int:
        """Return the end of the row, s since 1970."""
        return self.start + self.span

    @property
    def offset(self) -> float:
        """Return sum less state, kWh: constant within one count."""
        return self.sum - self.state

    def repeats(self, other: SumPoint) -> bool:
        """Return whether this row has nothing newer than another one."""
        return self.state == other.state and self.sum == other.sum


@dataclass(frozen=True, slots=True)
class SumCorrection:
    """Energy, kWh, to add to all sums from a row on, s since 1970."""

    start: int
    energy: float


CERTAIN_FALL: Final = 1.0
"""kWh by which a total falls that begins anew for certain: more than an error of some
minutes in the times of a journal makes."""


def gain_between(before: float, state: float) -> float:
    """Return the least energy between two states of a total, kWh.

    A new count begins at zero if Home Assistant sees it begin there; otherwise nobody
    knows where, and nothing is added.
    """
    if not begins_new_count(before, state):
        return max(0.0, state - before)
    return state if state < RESET_RATIO * before else 0.0


def _is_same_count(one: SumPoint, other: SumPoint) -> bool:
    return abs(one.offset - other.offset) <= tolerance(other.state)


def last_of_count(
    minutes: Sequence[SumPoint], begin: float, handover: Handover | None
) -> SumPoint | None:
    """Return the last row of five minutes before a meter's records begin, if any.

    Where they begin with a `handover`, the old meter may have told more within the row.
    """
    before = [point for point in minutes if point.end <= begin]
    if handover is not None and handover.begin >= begin:
        before = [
            point
            for point in minutes
            if point.start < begin and point.end <= max(begin, handover.since)
        ]
    return max(before, key=lambda point: point.start, default=None)


def has_begun_anew(before: float, total: float) -> bool:
    """Return whether a total, kWh, shows for certain that a meter counts from zero again.

    Then all its totals do, also those that are greater than before by now.
    """
    return total < RESET_RATIO * before and before - total > CERTAIN_FALL


def find_corrections(
    points: Sequence[SumPoint],
    earlier: Iterable[SumPoint] = (),
    handover: Handover | None = None,
    minutes: Sequence[SumPoint] = (),
) -> list[SumCorrection]:
    """Find sums that were continued wrongly; return their corrections, the oldest first.

    `points` are in the order of time, and `earlier` rows before these. Only what Home
    Assistant does wrong is corrected, never a sum that a person has changed. `handover`
    is where another meter took the place of the one before, and `minutes` are all rows of
    five minutes, also those that are no `points`: Home Assistant goes on from them.
    """
    if handover is not None:
        old = [
            point
            for point in points
            if point.start < handover.begin
            and point.end <= (handover.since if point.is_short else handover.begin)
        ]
        # Rows that repeat the old meter say nothing; the others were filled in.
        between = [
            point
            for point in points
            if handover.begin < point.end <= handover.since
            and not (old and _is_same_count(old[-1], point))
        ]
        new = [point for point in points if point.end > handover.since]
        found = find_corrections(old, earlier, handover.before, minutes)
        if old and new:
            last = old[-1]
            read = last_of_count(minutes, handover.begin, handover)
            if read is not None and read.start >= last.end and read.sum >= last.sum:
                last = read
            right = (
                between[-1].offset
                if between
                else last.offset + max(handover.last, last.state) - handover.first
            )
            first = _find_wrong_begin({old[-1], last}, new[0], right, handover)
            found += [] if first is None else [first]
        # Hours of both, or of the new meter before it was read, were filled in.
        return [*found, *find_corrections(new, [*earlier, *old])]
    corrections: list[SumCorrection] = []
    offsets = [point.offset for point in earlier]
    added = 0.0
    for before, point in pairwise(points):
        offsets.append(before.offset)
        gain = gain_between(before.state, point.state)
        lost = before.sum + gain - point.sum
        margin = tolerance(point.state)
        if added and abs(lost + added) <= margin:
            # This row continues from one before the wrong rows.
            corrections.append(SumCorrection(point.start, -added))
            added = 0.0
            continue
        if lost <= margin:
            continue
        starts_at_zero = point.sum <= gain + margin
        carries_on = any(abs(point.offset - offset) <= margin for offset in offsets)
        if starts_at_zero or carries_on:
            corrections.append(SumCorrection(point.start, lost))
            added += lost
    return corrections


def _find_wrong_begin(
    olds: Collection[SumPoint], point: SumPoint, right: float, handover: Handover
) -> SumCorrection | None:
    """Return the correction of the first row of a new meter, None where it is right.

    The `right` difference of its sum and state follows from the old meter's last row, or
    is that of an hour that was filled in from the new one's journal. Home Assistant knows
    of no other meter: from one of the `olds` on it adds the difference of the two, takes
    the new one's total for counted anew from zero, or has no row to continue from.
    """
    last = max(handover.last, *(old.state for old in olds))
    margin = tolerance(max(last, point.state))
    wrong = [
        offset for old in olds for offset in (old.offset, old.sum, old.offset + last)
    ]
    lost = right - point.offset
    is_wrong = any(abs(point.offset - offset) <= margin for offset in wrong)
    starts_at_zero = 0.0 <= point.sum <= margin + abs(point.state - handover.first)
    if abs(lost) <= margin or not (is_wrong or starts_at_zero):
        return None
    return SumCorrection(point.start, lost)


@dataclass(frozen=True, slots=True)
class SumRepair:
    """Repair of impossible hours: the rows to write, and the correction of all later rows.

    `energy` is what an hour shows too much, kWh, by its begin.
    """

    hours: tuple[SumPoint, ...]
    tail: SumCorrection | None
    energy: Mapping[int, float]


def find_impossible(
    hours: Sequence[SumPoint], *, rate: float, highest: float
) -> SumRepair | None:
    """Find hours with energy that no meter measures; return their repair, None without any.

    `rate` is the greatest energy in an hour and `highest` the greatest total, kWh. An
    hour in which the total was impossible shows no energy, and the next one that of
    both.
    """
    possible = [point for point in hours[:1] if 0.0 <= point.state <= highest]
    if not possible:
        return None
    good = possible[0]
    added, is_doubtful, last_start = 0.0, False, 0
    written: list[SumPoint] = []
    energy: dict[int, float] = {}
    for before, point in pairwise(hours):
        most = rate * (1 + (point.start - good.start) / 3600)
        gained = point.sum - before.sum
        # The sum does not leap with the state where another meter took the place.
        is_possible = 0.0 <= point.state <= highest and (
            point.state - good.state <= most
            or (not is_doubtful and 0.0 <= gained <= most)
        )
        total = point.sum + added
        if is_doubtful or not is_possible or abs(gained) > most:
            gain = gain_between(good.state, point.state) if is_possible else 0.0
            total = good.sum + gain
            if abs(total - point.sum - added) > tolerance(good.state):
                energy[point.start] = point.sum + added - total
                added, last_start = total - point.sum, point.start
        state = point.state if is_possible else good.state
        fixed = SumPoint(point.start, state, total)
        if energy:
            written.append(fixed)
        good = SumPoint(point.start, state, total)
        is_doubtful = not is_possible
    if not energy:
        return None
    tail = SumCorrection(last_start, added) if abs(added) > COUNT_TOLERANCE else None
    return SumRepair(tuple(written), tail, energy)

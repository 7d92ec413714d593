"""What a journal says of the totals over time, and of the readings: pure rules."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from .journal import (
    COUNTERS,
    POWERS,
    Counters,
    Flag,
    JournalPage,
    JournalRecord,
    Summary,
)

CLOCK_AHEAD: Final = 5.0
CLOCK_BEHIND: Final = 20.0
"""Seconds by which the meter's clock may differ from Home Assistant's to be believed.
A page that was held up makes it look behind; a link does not survive more."""

STARTS: Final = 16
"""Of a meter that are known; the oldest gives way."""

FUTURE: Final = 60.0
"""Seconds by which a record may lie in the future before its time is taken as wrong."""

MILLIWATTHOURS: Final = 1e6
"""Of a kilowatt-hour."""


class EnergyEstimate(NamedTuple):
    """A total at some time, kWh: the likeliest, and between which it must lie."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of time, s since 1970, in which the meter measured."""

    begin: float
    end: float
    energy: Counters
    measured: Mapping[str, Summary]


class BootClock:
    """Knows when each start of the meter was, by the clock that can be trusted.

    The meter's own clock is taken where it agrees with ours: then every page of the
    same records gives the same times. Where it does not, ours and the uptime tell.
    """

    def __init__(self, known: Mapping[str, float] | None = None) -> None:
        """Go on from what is `known`: when the uptime of each start was 0."""
        self._times = dict(known or {})

    @property
    def known(self) -> Mapping[str, float]:
        """Return when the uptime of the latest starts was 0, s since 1970, by start."""
        return self._times

    def take(self, page: JournalPage, now: float) -> bool:
        """Learn from a page that came at `now`; return whether it told much."""
        seen = now - page.uptime
        before = self._times.pop(page.boot, None)
        if page.boot_time is not None and _agree(page.boot_time, seen):
            time = float(page.boot_time)
        elif before is not None and seen >= before - CLOCK_AHEAD:
            # No page comes before it was sent; one that was held up tells nothing new.
            time = min(before, seen)
        else:
            time = seen
        self._times[page.boot] = time
        while len(self._times) > STARTS:
            del self._times[next(iter(self._times))]
        return before is None or abs(time - before) > CLOCK_AHEAD


def _agree(told: float, seen: float) -> bool:
    return -CLOCK_AHEAD <= seen - told <= CLOCK_BEHIND


class EnergyTimeline:
    """The totals of a meter over time, from the pages of its journal in their order."""

    def __init__(
        self, anchor: tuple[float, Counters] | None = None, sequence: int = 0
    ) -> None:
        """Begin at `anchor`, s since 1970 and totals, or where the first page begins.

        The last record before it had the number `sequence`, 0 if that is not known.
        """
        self._times: list[float] = []
        self._counters: list[Counters] = []
        self._sequences: list[int] = []
        self._stretches: list[Interval] = []
        if anchor is not None:
            self._point(*anchor, sequence)

    @property
    def begin(self) -> float | None:
        """Return when it begins, s since 1970."""
        return self._times[0] if self._times else None

    @property
    def end(self) -> float | None:
        """Return up to when it is known, s since 1970."""
        return self._times[-1] if self._times else None

    @property
    def stretches(self) -> tuple[Interval, ...]:
        """Return what was measured, the oldest first."""
        return tuple(self._stretches)

    def take(
        self, page: JournalPage, boot_times: Mapping[str, float], now: float
    ) -> None:
        """Add a page; `boot_times` tells when the uptime of its start was 0.

        It may know of earlier starts, better than their own clock did. What is known
        already changes nothing. Energy of a time that is not known falls between the
        points before and after it.
        """
        counters, sequence = page.counters, page.after
        time: float | None = None
        if page.begin_time is not None:
            time = page.begin_time + self._clock_error(page, page.begin_time)
        elif page.begin_uptime is not None:
            time = boot_times[page.boot] + page.begin_uptime
        if time is not None and time > now + FUTURE:
            time = None
        self._point(time, counters, sequence)
        for record in page.records:
            before = counters
            counters = tuple(
                total + gain
                for total, gain in zip(counters, record.energy, strict=True)
            )
            sequence += record.count
            if Flag.GAP in record.flags:
                time = None
                continue
            if Flag.START in record.flags:
                time, is_certain = _start_of(record, page, boot_times)
                if is_certain:
                    self._forget_after(time, sequence - record.count)
            if time is None:
                continue
            end = time + record.span
            if end <= now + FUTURE:
                self._point(time, before, sequence - record.count)
                if self._point(end, counters, sequence):
                    self._stretches.append(
                        Interval(time, end, record.energy, record.measured)
                    )
            time = end

    def _clock_error(self, page: JournalPage, begin: float) -> float:
        """Return by how much to move a page of an earlier start, s.

        The clock of that start may have been wrong, and nobody can ask it any more. But
        its records follow those that came before: the end of what is known already, which
        was dated by our clock, lies where the page has the record of that number.
        """
        if not self._times or not (known := self._sequences[-1]):
            return 0.0
        end, sequence = self._times[-1], page.after
        if known < sequence:
            return max(0.0, end - begin)
        for record in page.records:
            if sequence == known or record.flags & (Flag.GAP | Flag.START):
                break
            # A merged record is of so many, about equally long.
            count = min(record.count, known - sequence)
            sequence += count
            begin += record.span * count / record.count
        return end - begin if sequence == known else 0.0

    def _forget_after(self, time: float, sequence: int) -> None:
        """Forget when records up to `sequence` were: no later than the next start.

        That start is known, and the clock of theirs was ahead. Their energy falls before
        it.
        """
        while (
            self._times and self._times[-1] > time and self._sequences[-1] <= sequence
        ):
            del self._times[-1], self._counters[-1], self._sequences[-1]
            while self._stretches and self._stretches[-1].end > time:
                del self._stretches[-1]

    def _point(self, time: float | None, counters: Counters, sequence: int) -> bool:
        """Add a point; return whether it tells anything new."""
        if time is None or (self._sequences and sequence < self._sequences[-1]):
            return False
        is_later = not self._times or time > self._times[-1]
        if self._counters and any(
            new < old for new, old in zip(counters, self._counters[-1], strict=True)
        ):
            if not is_later:
                # An older state of what is known better.
                return False
            # The meter counts from zero again: nothing before can be compared.
            self._times.clear()
            self._counters.clear()
            self._sequences.clear()
            self._stretches.clear()
        if is_later:
            self._times.append(time)
            self._counters.append(counters)
            self._sequences.append(sequence)
        return is_later

    def reading(self, channel: str, time: float) -> EnergyEstimate | None:
        """Return a total at a time, None where the curve does not reach."""
        times = self._times
        if not times or not times[0] <= time <= times[-1]:
            return None
        index = COUNTERS.index(channel)
        right = bisect_left(times, time)
        high = self._counters[right][index]
        if times[right] == time:
            exact = high / MILLIWATTHOURS
            return EnergyEstimate(exact, exact, exact)
        low = self._counters[right - 1][index]
        share = (time - times[right - 1]) / (times[right] - times[right - 1])
        return EnergyEstimate(
            (low + share * (high - low)) / MILLIWATTHOURS,
            low / MILLIWATTHOURS,
            high / MILLIWATTHOURS,
        )

    def counters_at(self, time: float) -> Counters | None:
        """Return the totals at a time that is a point of the curve, else None."""
        index = bisect_left(self._times, time)
        if index == len(self._times) or self._times[index] != time:
            return None
        return self._counters[index]

    def sequence_at(self, time: float) -> int:
        """Return the sequence up to which records end no later than `time`; 0 if none."""
        index = bisect_right(self._times, time) - 1
        return self._sequences[index] if index >= 0 else 0

    def summary(
        self, channel: str, begin: float, end: float
    ) -> tuple[Summary, float] | None:
        """Return a reading's summary between two times, and of how many seconds it is.

        A stretch that reaches beyond them lends its mean for its part in between, and
        its extremes.
        """
        first = bisect_right(self._stretches, begin, key=lambda one: one.end)
        weighted = seconds = 0.0
        minimum, maximum = float("inf"), float("-inf")
        for stretch in self._stretches[first:]:
            if stretch.begin >= end:
                break
            if (measured := stretch.measured.get(channel)) is None:
                continue
            overlap = min(end, stretch.end) - max(begin, stretch.begin)
            mean = measured.mean
            if mean is None:
                mean = mean_power(stretch, channel)
            weighted += mean * overlap
            seconds += overlap
            minimum = min(minimum, measured.minimum)
            maximum = max(maximum, measured.maximum)
        if seconds <= 0.0:
            return None
        mean = min(max(weighted / seconds, minimum), maximum)
        return Summary(mean, minimum, maximum), seconds

    def continued(self) -> EnergyTimeline:
        """Return a curve that goes on from here with other sequences."""
        if not self._times:
            return EnergyTimeline()
        return EnergyTimeline((self._times[-1], self._counters[-1]))

    def forget_before(self, time: float) -> None:
        """Keep only what is needed to tell of later times."""
        keep = max(0, bisect_right(self._times, time) - 1)
        del self._times[:keep], self._counters[:keep], self._sequences[:keep]
        first = bisect_right(self._stretches, time, key=lambda one: one.end)
        del self._stretches[:first]


def _start_of(
    record: JournalRecord, page: JournalPage, boot_times: Mapping[str, float]
) -> tuple[float, bool]:
    """Return when the first record after a start of the meter begins, s since 1970.

    And whether that is certain: it is not where only the meter's clock tells it.
    """
    if not record.start:
        return boot_times[page.boot] + page.start_uptime, True
    if (boot_time := boot_times.get(record.boot)) is not None:
        return boot_time + record.start_uptime, True
    return float(record.start), False


def mean_power(stretch: Interval, channel: str) -> float:
    """Return the mean active power of a stretch, W: what was counted over its time."""
    index = POWERS.index(channel)
    net = stretch.energy[index] - stretch.energy[len(POWERS) + index]
    return net * 3.6 / (stretch.end - stretch.begin)

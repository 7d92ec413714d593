"""Energy totals and measurements of a meter over time, from its journal: pure rules."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..catalog import CHANNELS
from ..reading_gate import is_possible
from .journal import (
    COUNTERS,
    MILLIWATTHOURS,
    POWERS,
    Counters,
    Flag,
    JournalPage,
    JournalRecord,
    Summary,
    are_possible_gains,
)

FUTURE: Final = 60.0
"""Seconds by which a record may lie in the future before its time is taken as wrong."""

LONGEST_RECORD: Final = 40 * 24 * 3600
"""Seconds of the longest record: no journal reaches further back."""

LONGEST_PART: Final = 3600
"""Seconds of the longest record that the meter has not merged."""

REACH: Final = 400 * 24 * 3600
"""Seconds before the present in which a record may lie: the largest journal, 4 MiB of
minutes and hours, reaches less far. An older time is one of a wrong clock."""

MOST_STARTS: Final = 1000
"""Starts of the meter that are kept."""

MOST_POINTS: Final = 150_000
"""Points that are kept, of which the oldest go first; the largest journal has some
68,000 records."""

LONGEST_UNRECORDED: Final = 2 * 3600.0
"""Seconds without a record within which the energy at an hour's end is still estimated:
what a restart takes, with what it may have lost."""


class EnergyEstimate(NamedTuple):
    """Energy total at some time, kWh: the likeliest value and its bounds."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Interval:
    """Time, s since 1970, in which the meter measured; `energy` is its gain, mWh."""

    begin: float
    end: float
    energy: Counters
    measured: Mapping[str, Summary]


class DatedRecord(NamedTuple):
    """Record of a page with its begin, s since 1970, or None without a time.

    `is_known_start` marks the first record after a start of the meter whose time is
    certain.
    """

    record: JournalRecord
    begin: float | None
    is_known_start: bool = False


class EnergyTimeline:
    """Energy totals of a meter over time, from the pages of its journal in their order.

    Points in time with their totals, and straight lines between them. Only `add_page`
    and `discard_before` change the timeline.
    """

    def __init__(
        self,
        anchor: tuple[float, Counters] | None = None,
        sequence: int = 0,
        *,
        is_continued: bool = False,
    ) -> None:
        """Begin at `anchor`, s since 1970 and totals, or where the first page begins.

        `sequence` is the number of the last record before the anchor, 0 if unknown.
        Where `is_continued`, the hour of the anchor was used before.
        """
        self._times: list[float] = []
        self._counters: list[Counters] = []
        self._sequences: list[int] = []
        self._intervals: list[Interval] = []
        self._starts: list[float] = []
        self._is_continued = is_continued
        if anchor is not None:
            self._add_point(*anchor, sequence)

    @property
    def begin(self) -> float | None:
        """Return the time of the first point, s since 1970."""
        return self._times[0] if self._times else None

    @property
    def end(self) -> float | None:
        """Return the time of the last point, s since 1970."""
        return self._times[-1] if self._times else None

    @property
    def is_continued(self) -> bool:
        """Return whether the hour in which it begins was used before."""
        return self._is_continued

    @property
    def intervals(self) -> tuple[Interval, ...]:
        """Return the measured intervals, the oldest first."""
        return tuple(self._intervals)

    def add_page(
        self, page: JournalPage, boot_times: Mapping[str, float], now: float
    ) -> None:
        """Add the records of a page; known records change nothing.

        `boot_times` has when the uptime of a start was 0, s since 1970: that of the
        page, and of earlier starts, better than their own clock had it. Energy of a time
        that is not known falls between the points before and after it.
        """
        begin = self._page_begin(page, boot_times)
        if begin is not None and not now - REACH <= begin <= now + FUTURE:
            begin = None
        counters, sequence = page.counters, page.after
        self._add_point(begin, counters, sequence)
        for record, time, is_known_start in date_records(page, begin, boot_times):
            before, previous = counters, sequence
            counters = tuple(
                total + gain
                for total, gain in zip(counters, record.energy, strict=True)
            )
            sequence += record.count
            if time is None:
                continue
            if is_known_start and time >= now - REACH:
                self._undate_after(time, previous)
            end = time + record.span
            if time < now - REACH or end > now + FUTURE:
                continue
            if Flag.START in record.flags:
                self._starts.append(time)
                del self._starts[:-MOST_STARTS]
            self._add_point(time, before, previous)
            if self._add_point(end, counters, sequence):
                self._intervals.append(
                    Interval(time, end, record.energy, record.measured)
                )
        if (surplus := len(self._times) - MOST_POINTS) > 0:
            self.discard_before(self._times[surplus])

    def copy(self) -> EnergyTimeline:
        """Return a timeline that no page changes any more."""
        other = EnergyTimeline()
        other._times = self._times.copy()
        other._counters = self._counters.copy()
        other._sequences = self._sequences.copy()
        other._intervals = self._intervals.copy()
        other._starts = self._starts.copy()
        return other

    def _page_begin(
        self, page: JournalPage, boot_times: Mapping[str, float]
    ) -> float | None:
        """Return when the records of a page begin, s since 1970; None if unknown."""
        if page.begin_time is not None:
            return page.begin_time + self._clock_error(page, page.begin_time)
        if page.begin_uptime is not None:
            return boot_times[page.boot] + page.begin_uptime
        return None

    def _clock_error(self, page: JournalPage, begin: float) -> float:
        """Return by how much to move a page of an earlier start, s.

        The clock of that start may have been wrong, and nobody can ask that clock any
        more. But the page follows records that came before: the end of the timeline,
        which was dated by Home Assistant's clock, lies where the page has the record of
        the same number.
        """
        if not self._times or not (known := self._sequences[-1]):
            return 0.0
        end, sequence = self._times[-1], page.after
        if known < sequence:
            # Records in between were dropped: the page may begin later, never earlier.
            return max(0.0, end - begin)
        for record in page.records:
            # Beyond a power cut or a start the seconds of the records do not add up.
            if (
                sequence == known
                or record.flags & (Flag.GAP | Flag.START)
                or not _is_possible_span(record)
            ):
                break
            # A merged record stands for `count` records, about equally long.
            count = min(record.count, known - sequence)
            sequence += count
            begin += record.span * count / record.count
        return end - begin if sequence == known else 0.0

    def _undate_after(self, time: float, sequence: int) -> None:
        """Remove points after a known start of the meter, of records up to `sequence`.

        Those records were made before that start: the clock that dated them was ahead.
        Their energy then falls before the start.
        """
        while (
            self._times and self._times[-1] > time and self._sequences[-1] <= sequence
        ):
            del self._times[-1], self._counters[-1], self._sequences[-1]
            while self._intervals and self._intervals[-1].end > time:
                del self._intervals[-1]

    def _add_point(self, time: float | None, counters: Counters, sequence: int) -> bool:
        """Add a point after the last point; return whether the point is later."""
        if time is None or (self._sequences and sequence < self._sequences[-1]):
            return False
        is_later = not self._times or time > self._times[-1]
        if not self._is_possible(time, counters):
            return False
        if self._counters and any(
            new < old for new, old in zip(counters, self._counters[-1], strict=True)
        ):
            if not is_later:
                # Older totals of a time that the timeline has already.
                return False
            # The meter counts from zero again: no earlier point can be compared.
            self._is_continued = False
            self._times.clear()
            self._counters.clear()
            self._sequences.clear()
            self._intervals.clear()
        if is_later:
            self._times.append(time)
            self._counters.append(counters)
            self._sequences.append(sequence)
        return is_later

    def _is_possible(self, time: float, counters: Counters) -> bool:
        """Return whether a meter can have these totals at a time, s since 1970."""
        if not all(
            is_possible(CHANNELS[channel], total / MILLIWATTHOURS)
            for channel, total in zip(COUNTERS, counters, strict=True)
        ):
            return False
        if not self._times:
            return True
        return are_possible_gains(
            tuple(
                new - old for new, old in zip(counters, self._counters[-1], strict=True)
            ),
            time - self._times[-1],
        )

    def start_before(self, time: float) -> float | None:
        """Return when the meter last started before a time, s since 1970, if known."""
        return max((start for start in self._starts if start <= time), default=None)

    def energy_at(self, channel: str, time: float) -> EnergyEstimate | None:
        """Return an energy total at a time, s since 1970; None outside the timeline."""
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

    def is_recorded(self, time: float) -> bool:
        """Return whether records tell of a time, s since 1970.

        A short time without records counts as recorded, and any outside the timeline.
        """
        right = bisect_left(self._times, time)
        if not 0 < right < len(self._times) or self._times[right] == time:
            return True
        if self._times[right] - self._times[right - 1] <= LONGEST_UNRECORDED:
            return True
        index = bisect_left(self._intervals, time, key=lambda interval: interval.end)
        return index < len(self._intervals) and self._intervals[index].begin < time

    def counters_at(self, time: float) -> Counters | None:
        """Return the totals, mWh, at the time of a point; None between points."""
        index = bisect_left(self._times, time)
        if index == len(self._times) or self._times[index] != time:
            return None
        return self._counters[index]

    def sequence_at(self, time: float) -> int:
        """Return the number of the last record ending by `time`; 0 without a record."""
        index = bisect_right(self._times, time) - 1
        return self._sequences[index] if index >= 0 else 0

    def summary(
        self, channel: str, begin: float, end: float
    ) -> tuple[Summary, float] | None:
        """Return a measurement's summary between two times, and its measured seconds.

        An interval that reaches beyond the two times lends its mean for the part in
        between, and its extremes. None where no interval has the measurement.
        """
        first = bisect_right(self._intervals, begin, key=lambda interval: interval.end)
        weighted = seconds = 0.0
        minimum, maximum = float("inf"), float("-inf")
        for interval in self._intervals[first:]:
            if interval.begin >= end:
                break
            if (measured := interval.measured.get(channel)) is None:
                continue
            overlap = min(end, interval.end) - max(begin, interval.begin)
            mean = measured.mean
            if mean is None:
                mean = mean_power(interval, channel)
            weighted += mean * overlap
            seconds += overlap
            minimum = min(minimum, measured.minimum)
            maximum = max(maximum, measured.maximum)
        if seconds <= 0.0:
            return None
        # Rounding may put the mean just beyond the extremes.
        mean = min(max(weighted / seconds, minimum), maximum)
        return Summary(mean, minimum, maximum), seconds

    def for_new_journal(self) -> EnergyTimeline:
        """Return a timeline for a new journal, beginning at the end of this timeline.

        Record numbers of a new journal begin anew; the meter's totals go on.
        """
        if not self._times:
            return EnergyTimeline()
        return EnergyTimeline((self._times[-1], self._counters[-1]))

    def discard_before(self, time: float) -> None:
        """Discard points and intervals not needed for times from `time` on."""
        keep = max(0, bisect_right(self._times, time) - 1)
        self._is_continued = bool(self._times) and self._times[keep] <= time
        del self._times[:keep], self._counters[:keep], self._sequences[:keep]
        first = bisect_right(self._intervals, time, key=lambda interval: interval.end)
        del self._intervals[:first]
        self._starts = [start for start in self._starts if start >= time]


def date_records(
    page: JournalPage, begin: float | None, boot_times: Mapping[str, float]
) -> Iterator[DatedRecord]:
    """Yield the records of a page with their begins.

    `begin` is that of the first record, s since 1970, None if unknown. Each record
    begins where the one before ends, but a start of the meter has a time of its own.
    """
    time = begin
    for record in page.records:
        if Flag.GAP in record.flags or not _is_possible_span(record):
            # The meter was off: nobody knows for how long, until its next start.
            time = None
            yield DatedRecord(record, None)
            continue
        is_known_start = False
        if Flag.START in record.flags:
            time, is_known_start = _start_time(record, page, boot_times)
        yield DatedRecord(record, time, is_known_start)
        if time is not None:
            time += record.span


def _is_possible_span(record: JournalRecord) -> bool:
    """Return whether a record can be that long; one across a wrong clock is not."""
    is_longer = Flag.HOLE in record.flags
    return record.span <= LONGEST_RECORD and (
        is_longer or record.span <= record.count * LONGEST_PART
    )


def _start_time(
    record: JournalRecord, page: JournalPage, boot_times: Mapping[str, float]
) -> tuple[float, bool]:
    """Return the begin of the first record after a start, and its certainty.

    In seconds since 1970; uncertain where only the meter's own clock has dated it.
    """
    if not record.start:
        return boot_times[page.boot] + page.start_uptime, True
    if (boot_time := boot_times.get(record.boot)) is not None:
        return boot_time + record.start_uptime, True
    return float(record.start), False


def mean_power(interval: Interval, channel: str) -> float:
    """Return the mean active power of an interval, W: net energy over its seconds."""
    index = POWERS.index(channel)
    net = interval.energy[index] - interval.energy[len(POWERS) + index]
    # 1 mWh is 3.6 J.
    return net * 3.6 / (interval.end - interval.begin)

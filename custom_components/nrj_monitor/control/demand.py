"""Mean power of the import over intervals of the clock, as demand tariffs bill it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from math import isfinite
from types import MappingProxyType
from typing import Any, Final

INTERVALS: Final[Mapping[str, float]] = MappingProxyType(
    {"quarter_hour": 900.0, "half_hour": 1800.0, "hour": 3600.0}
)
"""Seconds of the intervals whose mean is billed, by name."""

KEPT: Final = 16
"""Highest intervals of a month that are kept, in case a correction lowers the highest."""

LONGEST_STEP: Final = 60.0
"""Seconds for which a power is taken to have held; longer is a gap."""

LONGEST_GAP: Final = 86_400.0
"""Seconds without readings after which the account starts anew."""

GREATEST_POWER: Final = 1e6
"""Watts beyond which a counter has been changed or set, and nothing was drawn."""

COUNTER_STEP: Final = 1000.0
"""Watt-hours by which the coarsest counters advance at once."""

WATT_HOURS: Final = 1000.0
"""Watt-hours of a kilowatt-hour."""

HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Demand:
    """Mean power of an interval, W, and the interval's begin, s since 1970."""

    begin: float
    power: float


class DemandAccount:
    """Energy imported in the present interval, and the highest intervals of the month.

    The energy is that of the import counter where there is one; between its steps, and
    without one, the powers are summed up. Intervals are aligned to UTC, months begin in
    the time zone of the house.

    State mutation rules: `update`, `correct` and `update_from_dict` change the account.
    """

    def __init__(self, length: float, timezone: tzinfo = UTC) -> None:
        """Start without readings; `length` is that of an interval, s."""
        self.length = length
        self._timezone = timezone
        self.time: float | None = None
        """Time of the last update, s since 1970."""
        self.power: float | None = None
        """Power of the last update, W, import positive; None is unknown."""
        self._known_at: float | None = None
        # Wh; the total goes on where a counter begins anew.
        self._total = 0.0
        self._offset = 0.0
        self._counter: float | None = None
        self._begin_total = 0.0
        self._is_complete = False
        self._demands: dict[float, float] = {}

    @property
    def begin(self) -> float:
        """Return the begin of the present interval, s since 1970."""
        return self._begin_of(self.time or 0.0)

    @property
    def remaining(self) -> float:
        """Return the time until the end of the interval, s."""
        return self.begin + self.length - (self.time or 0.0)

    @property
    def used(self) -> float:
        """Return the energy imported in the interval so far, Wh."""
        return max(0.0, self._total - self._begin_total)

    @property
    def mean(self) -> float | None:
        """Return the mean power of the interval so far, W; None before any reading."""
        if self._known_at is None or self.time is None:
            return None
        elapsed = self.time - self.begin
        if elapsed <= 0:
            return max(0.0, self.power or 0.0)
        return self.used * HOUR / elapsed

    @property
    def expected(self) -> float | None:
        """Return the mean of the whole interval if the power stays, W; None if unknown."""
        if self.power is None or self._known_at is None:
            return None
        rest = max(0.0, self.power) * self.remaining / HOUR
        return (self.used + rest) * HOUR / self.length

    @property
    def peak(self) -> Demand | None:
        """Return the highest interval of the month, None before the first."""
        if not self._demands:
            return None
        begin = max(self._demands, key=lambda begin: (self._demands[begin], -begin))
        return Demand(begin, self._demands[begin])

    def update(
        self, time: float, power: float | None, counter: float | None = None
    ) -> None:
        """Add readings at `time`, s since 1970: power, W, and import counter, kWh.

        None is unknown. A time before the last one changes nothing: the interval is
        gone on with once the clock has caught up.
        """
        power = power if power is not None and isfinite(power) else None
        counter = counter if counter is not None and isfinite(counter) else None
        if self.time is not None and time < self.time:
            if self.time - time < self.length:
                return
            self._known_at = None
        before, self.time = self.power, time
        is_counted = counter is not None and counter != self._counter
        self.power = power
        if power is None and not is_counted:
            return
        if self._known_at is None or time - self._known_at > LONGEST_GAP:
            self._start(time, counter)
            return
        since, total = self._known_at, self._total
        seconds = time - since
        is_gap = seconds > LONGEST_STEP
        held = before if before is not None else power
        summed = total + max(0.0, held or 0.0) * seconds / HOUR
        if counter is not None and is_counted:
            self._total = self._counted(counter, summed, seconds)
            self._counter = counter
        else:
            self._total = summed
        self._known_at = time
        self._close(since, total, is_sure=not is_gap or is_counted)

    def correct(self, begin: float, power: float) -> None:
        """Replace the mean of a past interval of this month, W, by what was counted."""
        if begin + self.length <= (self.time or 0.0) and self._is_this_month(begin):
            self._record(begin, power)

    def _start(self, time: float, counter: float | None) -> None:
        """Begin to count; the part of the interval before is taken to be like its rest."""
        self._known_at, self._counter = time, counter
        if counter is not None:
            self._offset = self._total - counter * WATT_HOURS
        elapsed = time - self._begin_of(time)
        self._begin_total = self._total - max(0.0, self.power or 0.0) * elapsed / HOUR
        self._is_complete = elapsed <= 1.0
        self._forget_other_months()

    def _counted(self, counter: float, summed: float, seconds: float) -> float:
        """Return the total at a new value of the counter, Wh."""
        if self._counter is not None:
            gain = (counter - self._counter) * WATT_HOURS
            greatest = GREATEST_POWER * seconds / HOUR + COUNTER_STEP
            if 0 <= gain <= greatest:
                return counter * WATT_HOURS + self._offset
        self._offset = summed - counter * WATT_HOURS
        return summed

    def _close(self, since: float, total: float, *, is_sure: bool) -> None:
        """Close the intervals that ended since a time with a total, Wh.

        What was drawn meanwhile is spread evenly.
        """
        assert self._known_at is not None
        now, begin = self._known_at, self._begin_of(since)
        gain = self._total - total
        while begin + self.length <= now:
            end = begin + self.length
            end_total = total + gain * (end - since) / (now - since)
            self._is_complete = self._is_complete and (
                is_sure and now - since <= LONGEST_STEP
            )
            if self._is_complete and self._is_month_of(begin, now):
                self._record(
                    begin, (end_total - self._begin_total) * HOUR / self.length
                )
            begin, self._begin_total = end, end_total
            self._is_complete = is_sure and now - since <= LONGEST_STEP
        self._is_complete = self._is_complete and is_sure
        self._forget_other_months()

    def _record(self, begin: float, power: float) -> None:
        self._demands[begin] = max(0.0, power)
        if len(self._demands) > KEPT:
            del self._demands[min(self._demands, key=self._demands.__getitem__)]

    def _begin_of(self, time: float) -> float:
        return time // self.length * self.length

    def _is_month_of(self, begin: float, time: float) -> bool:
        ours, other = (
            datetime.fromtimestamp(moment, self._timezone) for moment in (begin, time)
        )
        return (ours.year, ours.month) == (other.year, other.month)

    def _is_this_month(self, begin: float) -> bool:
        return self._is_month_of(begin, self.time or 0.0)

    def _forget_other_months(self) -> None:
        for begin in tuple(self._demands):
            if not self._is_this_month(begin):
                del self._demands[begin]

    def as_dict(self) -> dict[str, Any]:
        """Return the account as JSON can store it."""
        return {
            "length": self.length,
            "known_at": self._known_at,
            "total": self._total,
            "begin_total": self._begin_total,
            "offset": self._offset,
            "counter": self._counter,
            "complete": self._is_complete,
            "demands": [[begin, power] for begin, power in self._demands.items()],
        }

    def update_from_dict(self, stored: Mapping[str, Any]) -> None:
        """Go on with an account stored by `as_dict`; another length starts anew.

        Raises:
            LookupError, TypeError or ValueError: the data is of no use; nothing changes.
        """
        demands = {float(begin): float(power) for begin, power in stored["demands"]}
        known_at, counter = (
            None if stored[key] is None else float(stored[key])
            for key in ("known_at", "counter")
        )
        total, begin_total, offset = (
            float(stored[key]) for key in ("total", "begin_total", "offset")
        )
        known = [value for value in (known_at, counter) if value is not None]
        known += [total, begin_total, offset, *demands, *demands.values()]
        if not all(map(isfinite, known)):
            raise ValueError("a demand is no number")
        if float(stored["length"]) != self.length:
            return
        self._demands = demands
        self._known_at = self.time = known_at
        self._counter = counter
        self._total, self._begin_total, self._offset = total, begin_total, offset
        self._is_complete = bool(stored["complete"])

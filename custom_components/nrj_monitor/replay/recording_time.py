"""Times of a recording, in the forms the simulated meter reads too (mains_signal/recording_time.h)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum, auto
import re

FORMS = (
    "seconds, milliseconds since 1970, 2025-04-28 11:00, 2025-04-28T11:00:00.5+02:00,"
    " 28-Apr-2025 11:00:00, 28.04.2025 11:00:00 or 28/04/2025 11:00:00"
)

_TIME = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(:(?P<second>\d\d)([.,](?P<fraction>\d+))?)?"
    r"(?P<offset>Z|(?P<sign>[+-])(?P<ahead>\d\d)(:?(?P<minutes>\d\d))?)?"
)
_ISO = re.compile(
    rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)[T ]{_TIME}", re.ASCII
)
_NAMED = re.compile(
    rf"(?P<day>\d{{1,2}})-(?P<name>[A-Za-z]{{3}})-(?P<year>\d{{4}}) {_TIME}", re.ASCII
)
_DOTS = re.compile(
    rf"(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.(?P<year>\d{{4}}) {_TIME}", re.ASCII
)
_SLASHES = re.compile(
    rf"(?P<first>\d{{1,2}})/(?P<then>\d{{1,2}})/(?P<year>\d{{4}}) {_TIME}", re.ASCII
)
_MONTHS = [
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
]
_GREATEST_OFFSET_HOURS = 14
_HOUR = 3600.0
_FINER_UNITS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
"""Counts from the first number on would lie beyond the year 5000 in seconds: divide by the second."""
_GREATEST_COUNT = 1e20
"""Counts from here on would lie beyond the year 5000 in nanoseconds."""
_AUTUMN = frozenset({3, 4, 9, 10, 11})
"""Months in which clocks are put back, on either half of the Earth."""
_SUNDAY = 6


class TimeError(ValueError):
    """A text that is no time, or may be two; says why and what to write."""


class SlashOrder(Enum):
    """Order of day and month in dates with slashes."""

    DAY_FIRST = auto()
    MONTH_FIRST = auto()


class Scale(Enum):
    """What a time counts from."""

    COUNT = "a number"
    WALL_CLOCK = "a date without an offset"
    UTC = "a date with an offset"


@dataclass(frozen=True, slots=True)
class RecordedTime:
    """Seconds: of a number from anywhere, of a date since 1970 on its clock or in UTC."""

    seconds: float
    scale: Scale

    @property
    def clock_may_be_put_back(self) -> bool:
        """Whether clocks are put back an hour after this time: early on a Sunday in autumn."""
        if self.scale is not Scale.WALL_CLOCK:
            return False
        later = datetime.fromtimestamp(self.seconds, UTC) + timedelta(hours=1)
        return later.month in _AUTUMN and later.weekday() == _SUNDAY and later.hour < 5


def parse(text: str, order: SlashOrder | None) -> RecordedTime:
    """Read a time; `order` is of day and month in dates with slashes.

    Raises:
        TimeError: the text is no time, or may be two.
    """
    if (count := _count(text)) is not None:
        return RecordedTime(count, Scale.COUNT)
    for form in (_ISO, _NAMED, _DOTS):
        if found := form.fullmatch(text):
            return _moment(text, found, *_month_and_day(text, found))
    if not (found := _SLASHES.fullmatch(text)):
        raise _no_time(text)
    if order is None:
        raise TimeError(
            f"'{text}' may be a day of either of two months, and no other row tells"
            " which: write dates as 2025-04-28 or 28.04.2025."
        )
    first, then = int(found["first"]), int(found["then"])
    pair = (then, first) if order is SlashOrder.DAY_FIRST else (first, then)
    return _moment(text, found, *pair)


def find_slash_order(text: str) -> SlashOrder | None:
    """Return the order of day and month in a date with slashes; None where both may be."""
    possible: list[SlashOrder] = []
    for order in SlashOrder:
        try:
            parse(text, order)
        except TimeError:
            continue
        possible.append(order)
    is_slash_date = _SLASHES.fullmatch(text) is not None
    return possible[0] if is_slash_date and len(possible) == 1 else None


class RecordingClock:
    """Follow the times of a recording from row to row.

    A wall clock that is put back in a night of autumn repeats an hour. The order of the
    rows tells the second pass from the first: the rows then go on an hour later.
    """

    def __init__(self, order: SlashOrder | None) -> None:
        """Begin before the first row."""
        self._order = order
        self._before: RecordedTime | None = None
        self._text = ""
        self._seconds = 0.0
        self._step = 0.0
        self._put_back = 0.0

    def next(self, text: str) -> float:
        """Return the seconds of the next row, not before those of the row before.

        Raises:
            TimeError: the text is no time, or it goes back.
        """
        before = self._before
        if before is not None and before.scale is Scale.COUNT:
            # Most recordings count, and have many rows.
            count = _count(text)
            if count is not None and count >= self._seconds:
                self._seconds, self._text = count, text
                return count
        time = parse(text.strip(), self._order)
        seconds = time.seconds + self._put_back
        if self._before is not None:
            if time.scale is not self._before.scale:
                raise TimeError(
                    f"'{text}' is {time.scale.value} and '{self._text}' of the row before"
                    f" {self._before.scale.value}: write all times in the same form."
                )
            step = seconds - self._seconds
            # A repeated row, too, goes back by less than an hour; but the hour would
            # then be a gap between the rows.
            if (
                step <= 0
                and time.clock_may_be_put_back
                and 0 < step + _HOUR <= 1.5 * self._step
            ):
                self._put_back += _HOUR
                seconds += _HOUR
                step += _HOUR
            elif step < 0:
                raise self._goes_back(time, text, step)
            self._step = step or self._step
        self._before, self._text, self._seconds = time, text, seconds
        return seconds

    def _goes_back(self, time: RecordedTime, text: str, step: float) -> TimeError:
        advice = (
            " If the clock was put back between them, write times with their offset such"
            " as 2025-10-26T02:00:00+01:00."
            if time.clock_may_be_put_back
            else ""
        )
        return TimeError(
            f"'{text}' goes back in time by {-step:g} s from '{self._text}': sort the"
            f" rows.{advice}"
        )


def _count(text: str) -> float | None:
    """Return the seconds of a number; None where the text is none."""
    try:
        count = float(text)
    except ValueError:
        return None
    if -_FINER_UNITS[-1][0] < count < _FINER_UNITS[-1][0] and "_" not in text:
        return count
    if not abs(count) < _GREATEST_COUNT or "_" in text:
        raise _no_time(text)
    return next((count / unit for least, unit in _FINER_UNITS if count >= least), count)


def _month_and_day(text: str, found: re.Match[str]) -> tuple[int, int]:
    parts = found.groupdict()
    if "name" not in parts:
        return int(parts["month"]), int(parts["day"])
    name = parts["name"].lower()
    if name not in _MONTHS:
        raise _no_time(text)
    return _MONTHS.index(name) + 1, int(parts["day"])


def _moment(text: str, found: re.Match[str], month: int, day: int) -> RecordedTime:
    ahead = timedelta()
    if found["sign"]:
        hours, minutes = int(found["ahead"]), int(found["minutes"] or 0)
        if hours > _GREATEST_OFFSET_HOURS or minutes > 59:
            raise _no_time(text)
        ahead = timedelta(hours=hours, minutes=minutes)
        ahead = -ahead if found["sign"] == "-" else ahead
    try:
        minute = datetime(
            int(found["year"]),
            month,
            day,
            int(found["hour"]),
            int(found["minute"]),
            int(found["second"] or 0),
            tzinfo=timezone(ahead),
        )
    except ValueError as error:
        raise _no_time(text) from error
    fraction = float(f"0.{found['fraction'] or 0}")
    scale = Scale.UTC if found["offset"] else Scale.WALL_CLOCK
    return RecordedTime(minute.timestamp() + fraction, scale)


def _no_time(text: str) -> TimeError:
    return TimeError(f"'{text}' is no time: write {FORMS}.")

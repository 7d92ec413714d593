"""Compare the hours of the statistics with the truth."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from .truth import Truth

HOUR: Final = 3600

STEP: Final = 300.0
"""Seconds beside an hour in which the meter must have been on for it to be compared."""

DATED: Final = 60.0
"""Seconds to which the start of a meter can be dated at the worst."""

HOUR_ERROR: Final = 0.01
"""Part of an hour's energy by which it may be wrong, and HOUR_FLOOR besides."""

HOUR_FLOOR: Final = 4.0
"""Wh: at both ends of an hour a state may be behind by a significant change."""

COUNT_ERROR: Final = 6.0
"""Wh that may be lost at the end of a count: what was not told any more, rounded."""


@dataclass(frozen=True, slots=True)
class ComparedHours:
    """Hours that were compared: how many, and the greatest error, as a part."""

    count: int
    worst: float
    errors: tuple[str, ...]


def compare_hours(
    channel: str,
    rows: Mapping[int, Mapping[str, Any]],
    truth: Truth,
    hours: range,
    told: Mapping[int, str],
) -> ComparedHours:
    """Compare the rows of a channel, by the begins of their hours, with the truth.

    `hours` have passed since the first one; `told` are those of which Home Assistant says
    that nobody knows them, with the reason.
    """
    errors: list[str] = []
    if beyond := sorted(row for row in rows if row > hours[-1]):
        errors.append(f"{channel}: rows in the future, at {beyond}")
    if before := sorted(row for row in rows if row < hours[0] - HOUR):
        errors.append(f"{channel}: rows from before the meter, at {before}")
    if unsaid := [
        hour
        for hour in hours
        if hour not in rows and (truth.is_known(hour, hour + HOUR) or hour not in told)
    ]:
        errors.append(f"{channel}: no rows of {unsaid}")
    known = [hour for hour in hours if hour in rows]
    errors += _wrong_sums(channel, rows, truth, known)
    count, worst = 0, 0.0
    for before_hour, hour in pairwise(known):
        energy = (rows[hour]["sum"] - rows[before_hour]["sum"]) * 1000
        true = truth.known(channel, before_hour + HOUR, hour + HOUR)
        index = (hour - hours[0]) // HOUR
        if energy < -HOUR_FLOOR:
            errors.append(f"{channel}: hour {index} has {energy:.1f} Wh")
        if hour - before_hour > HOUR or not truth.is_covered(
            hour - STEP, hour + HOUR + STEP
        ):
            continue
        count += 1
        off = abs(energy - true)
        if true > 100:
            worst = max(worst, off / true)
        if off > HOUR_FLOOR + HOUR_ERROR * true:
            errors.append(
                f"{channel}: hour {index} has {energy:.1f} Wh instead of {true:.1f}"
            )
    return ComparedHours(count, worst, tuple(errors))


def _wrong_sums(
    channel: str,
    rows: Mapping[int, Mapping[str, Any]],
    truth: Truth,
    known: list[int],
) -> Iterator[str]:
    """Yield an error where the sums have lost energy or have it twice.

    State and sum differ by the same within one count; over the end of a count the sums
    have what was counted.
    """
    ends = [truth.origin + position for position in truth.breaks]
    counts: list[list[int]] = [[]]
    for hour in known:
        if any(hour - DATED <= end < hour + HOUR + DATED for end in ends):
            # Its row may be one of either count.
            continue
        if counts[-1] and any(counts[-1][-1] < end < hour for end in ends):
            counts.append([])
        counts[-1].append(hour)
    for count in counts:
        offsets = [rows[hour]["sum"] - rows[hour]["state"] for hour in count]
        if offsets and max(offsets) - min(offsets) > 0.001:
            yield f"{channel}: lost or counted twice: {offsets}"
    dated = [hour for hour in known if truth.is_dated(hour + HOUR)]
    if len(dated) > 1 and truth.is_sum_known:
        gained = (rows[dated[-1]]["sum"] - rows[dated[0]]["sum"]) * 1000
        true = truth.known(channel, dated[0] + HOUR, dated[-1] + HOUR)
        if abs(gained - true) > HOUR_FLOOR + COUNT_ERROR * len(ends):
            yield f"{channel}: {gained:.1f} Wh in all hours instead of {true:.1f}"

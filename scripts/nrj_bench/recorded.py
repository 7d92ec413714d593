"""Reader of a recorder's database."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
import sqlite3

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Statistic:
    """Time-weighted mean, minimum and maximum of the states of an interval."""

    mean: float
    low: float
    high: float


class Recorded:
    """States of sensors from the database of a stopped Home Assistant."""

    def __init__(self, database: Path) -> None:
        """Open `database` for reading."""
        self._connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)

    def rows(self, start: float, end: float) -> int:
        """Return how many states were written from `start` to `end`, s since 1970."""
        return int(
            self._connection.execute(
                "SELECT count(*) FROM states"
                " WHERE last_updated_ts >= ? AND last_updated_ts < ?",
                (start, end),
            ).fetchone()[0]
        )

    def states(self, entity_id: str) -> list[tuple[float, float]]:
        """Return the times (s since 1970) and values of the written states."""
        found = self._connection.execute(
            "SELECT last_updated_ts, state FROM states JOIN states_meta"
            " USING (metadata_id) WHERE states_meta.entity_id = ? ORDER BY last_updated_ts",
            (entity_id,),
        )
        return [
            (time, value)
            for time, state in found
            if (value := _number(state)) is not None
        ]

    def short_term(self, entity_id: str) -> dict[float, Statistic]:
        """Return the recorder's own five-minute statistics by their start."""
        found = self._connection.execute(
            "SELECT start_ts, mean, min, max FROM statistics_short_term AS s JOIN"
            " statistics_meta AS m ON s.metadata_id = m.id"
            " WHERE m.statistic_id = ? AND mean IS NOT NULL",
            (entity_id,),
        )
        return {start: Statistic(mean, low, high) for start, mean, low, high in found}


def _number(state: str | None) -> float | None:
    try:
        return float(state or "")
    except ValueError:
        return None


def minutes(
    states: list[tuple[float, float]], start: float, end: float
) -> Iterator[Statistic]:
    """Yield the statistic of each minute from `start` to `end`, s since 1970.

    As Home Assistant computes those of five minutes: a state counts from when it was
    written until the next, that of the minute before counts from the minute's start.
    """
    times = [time for time, _ in states]
    while start + MINUTE <= end:
        first = max(0, bisect_right(times, start) - 1)
        last = bisect_right(times, start + MINUTE)
        window = states[first:last]
        area = 0.0
        for number, (time, value) in enumerate(window):
            until = (
                window[number + 1][0] if number + 1 < len(window) else start + MINUTE
            )
            area += value * (until - max(time, start))
        values = [value for _, value in window]
        yield Statistic(area / MINUTE, min(values), max(values))
        start += MINUTE

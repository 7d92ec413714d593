"""What a queue has no room for: merged to means first, dropped only then."""

from collections.abc import Sequence
from dataclasses import dataclass
import sqlite3
from typing import Final

from .downsampling import GRAINS, Stored, plan
from .sample import Sample, merged
from .spool_file import SpoolFile

LIVE: Final = 0
"""Lane of what goes to the broker."""

HISTORY: Final = 1
"""Lane of what goes to a history of its own."""

SLACK: Final = 0.02
"""Part of the spool that thinning frees at once."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a spool: records, bytes of their values, and age in milliseconds."""

    rows: int = 100_000
    size: int = 64 * 1024 * 1024
    age: int = 30 * 86_400_000


def drop_old(file: SpoolFile, db: sqlite3.Connection, limits: Limits, now: int) -> None:
    """Drop what is older than `limits` allow at `now`, ms, and not in flight."""
    old = db.execute(
        "SELECT seq FROM records WHERE lane IN (0, 1) AND time < ? AND NOT in_flight",
        (now - limits.age,),
    ).fetchall()
    file.counts.dropped += file.delete(db, [seq for (seq,) in old])


def make_room(file: SpoolFile, db: sqlite3.Connection, limits: Limits) -> None:
    """Merge old records to means until there is room; drop the oldest if need be.

    What is in flight and the newest stay in any case.
    """
    if not any(_over(file, limits, 0.0)):
        return
    for grain in GRAINS:
        for lane in (HISTORY, LIVE):
            stored = db.execute(
                "SELECT seq, time, length(body) FROM records"
                " WHERE lane = ? AND NOT in_flight ORDER BY time",
                (lane,),
            )
            groups = plan(
                (Stored(*row) for row in stored), *_over(file, limits, SLACK), grain
            )
            stored.close()
            for group in groups:
                _merge(file, db, lane, group)
            if not any(_over(file, limits, SLACK)):
                return
    droppable = db.execute(
        "SELECT seq FROM records WHERE NOT in_flight AND NOT (lane = ? AND time ="
        " (SELECT max(time) FROM records WHERE lane = ?)) ORDER BY time",
        (LIVE, LIVE),
    ).fetchall()
    for (seq,) in droppable:
        if not any(_over(file, limits, 0.0)):
            return
        file.counts.dropped += file.delete(db, [seq])


def _over(file: SpoolFile, limits: Limits, slack: float) -> tuple[int, int]:
    """Return the records and bytes beyond what the limits less `slack` allow."""
    return (
        max(0, file.rows - int(limits.rows * (1 - slack))),
        max(0, file.size - int(limits.size * (1 - slack))),
    )


def _merge(
    file: SpoolFile, db: sqlite3.Connection, lane: int, group: Sequence[Stored]
) -> None:
    samples = [
        Sample.stored(
            *db.execute(
                "SELECT time, body, count FROM records WHERE seq = ?", (stored.seq,)
            ).fetchone()
        )
        for stored in group
    ]
    mean = merged(samples)
    file.delete(db, [stored.seq for stored in group])
    file.insert(db, lane, mean)
    file.counts.thinned += len(group) - 1

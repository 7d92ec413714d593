"""Retention of a spool: expire old records, then downsample, and drop only as a last step."""

from collections.abc import Sequence
from dataclasses import dataclass
import sqlite3
from typing import Final

from .downsampling import INTERVALS, StoredRecord, plan_merges
from .sample import Sample, merged
from .spool_file import DAMAGED, QueueId, SpoolFile

SLACK: Final = 0.02
"""Part of the limits that downsampling frees beyond need, so that it runs seldom."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a spool: records, bytes of their values, and age in milliseconds."""

    rows: int = 100_000
    size: int = 64 * 1024 * 1024
    age: int = 30 * 86_400_000


def drop_expired(
    file: SpoolFile, db: sqlite3.Connection, limits: Limits, now: int
) -> None:
    """Drop records older than `limits.age` at `now` (ms), unless they are in flight."""
    expired = db.execute(
        # With both queues named SQLite uses the index on (lane, time).
        "SELECT seq FROM records WHERE lane IN (?, ?) AND time < ? AND NOT in_flight",
        (*QueueId, now - limits.age),
    ).fetchall()
    file.counts.dropped += file.delete(db, [seq for (seq,) in expired])


def make_room(file: SpoolFile, db: sqlite3.Connection, limits: Limits) -> None:
    """Downsample old records until the spool is within `limits`; else drop the oldest.

    Records in flight and the newest live record stay in any case.
    """
    if not any(_excess(file, limits, 0.0)):
        return
    for interval in INTERVALS:
        for queue in (QueueId.HISTORY, QueueId.LIVE):
            stored = db.execute(
                "SELECT seq, time, length(body) FROM records"
                " WHERE lane = ? AND NOT in_flight ORDER BY time",
                (queue,),
            )
            groups = plan_merges(
                (StoredRecord(*row) for row in stored),
                *_excess(file, limits, SLACK),
                interval,
            )
            stored.close()
            for group in groups:
                _merge(file, db, queue, group)
            if not any(_excess(file, limits, SLACK)):
                return
    droppable = db.execute(
        "SELECT seq FROM records WHERE NOT in_flight AND NOT (lane = ? AND time ="
        " (SELECT max(time) FROM records WHERE lane = ?)) ORDER BY time",
        (QueueId.LIVE, QueueId.LIVE),
    ).fetchall()
    for (seq,) in droppable:
        if not any(_excess(file, limits, 0.0)):
            return
        file.counts.dropped += file.delete(db, [seq])


def _excess(file: SpoolFile, limits: Limits, slack: float) -> tuple[int, int]:
    """Return the records and bytes beyond the limits less `slack`."""
    return (
        max(0, file.rows - int(limits.rows * (1 - slack))),
        max(0, file.size - int(limits.size * (1 - slack))),
    )


def _merge(
    file: SpoolFile,
    db: sqlite3.Connection,
    queue: QueueId,
    group: Sequence[StoredRecord],
) -> None:
    """Replace the records of a group by their mean."""
    samples, seqs = [], []
    for stored in group:
        row = db.execute(
            "SELECT time, body, count FROM records WHERE seq = ?", (stored.seq,)
        ).fetchone()
        try:
            samples.append(Sample.from_stored(*row))
        except ValueError as error:
            file.set_aside(db, stored.seq, f"{DAMAGED}: {error}")
            continue
        seqs.append(stored.seq)
    if not samples:
        return
    file.delete(db, seqs)
    file.insert(db, queue, merged(samples))
    file.counts.thinned += len(samples) - 1

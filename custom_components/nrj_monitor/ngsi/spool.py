"""The bounded queue on disk in front of a broker; one SQLite file for each broker.

Every method blocks, and is called in an executor. What a method has done survives a
SIGKILL of the process: the file is in WAL mode and every change is one transaction. A
power cut may take the last moments before it, but leaves the file whole.

Counts are exact at any time: taken = sent + dropped + refused + thinned + waiting.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
import sqlite3
from typing import Final

from .retention import HISTORY, LIVE, Limits, drop_old, make_room
from .sample import Sample
from .spool_file import Counts, SpoolFile

__all__ = [
    "HISTORY",
    "LIVE",
    "Counts",
    "Limits",
    "Record",
    "SetAside",
    "Spool",
    "Status",
]

SET_ASIDE_KEPT: Final = 1000
"""Refused records kept for a person to look at; the oldest go first."""

HISTORY_KNOWN: Final = 100_000
"""Times of the journal's readings remembered, so that none is taken twice."""

_OLDEST: Final = """
SELECT min(time) FROM (SELECT min(time) AS time FROM records WHERE lane = 0
UNION ALL SELECT min(time) FROM records WHERE lane = 1)
"""


@dataclass(frozen=True, slots=True)
class Record:
    """A sample in the spool."""

    seq: int
    sample: Sample


@dataclass(frozen=True, slots=True)
class SetAside:
    """A sample the broker refused, and why."""

    time: int
    reason: str


@dataclass(frozen=True, slots=True)
class Status:
    """How full a spool is: `oldest` is the time (ms) of the oldest record, if any."""

    counts: Counts
    waiting: int = 0
    size: int = 0
    oldest: int | None = None
    set_aside: int = 0


class Spool:
    """Records in the order of their times, until they are delivered or too many."""

    def __init__(
        self, path: Path, limits: Limits, now: Callable[[], int], history: bool = False
    ) -> None:
        """Keep it at `path`; `now` tells milliseconds since 1970.

        Without a `history` of its own the journal's readings go through the broker.
        """
        self._limits = limits
        self._now = now
        self._history_lane = HISTORY if history else LIVE
        self._file = SpoolFile(path, self._join_lanes)

    def open(self) -> None:
        """Open the file, or begin a new one beside one that is damaged.

        Raises OSError or sqlite3.Error where there is no place for a file.
        """
        self._file.open()

    def close(self) -> None:
        """Close the file; nothing is lost."""
        self._file.close()

    def push(self, samples: Iterable[Sample]) -> int:
        """Take live samples; return how many are new."""
        with self._file.change() as db:
            return self._insert(db, samples, LIVE)

    def push_history(self, samples: Iterable[Sample]) -> int:
        """Take the journal's samples, each time only once; return how many are new."""
        with self._file.change() as db:
            new = []
            for sample in samples:
                known = db.execute(
                    "INSERT OR IGNORE INTO history_known VALUES (?)", (sample.time,)
                )
                if known.rowcount:
                    new.append(sample)
            db.execute(
                "DELETE FROM history_known WHERE time <= (SELECT time FROM history_known"
                " ORDER BY time DESC LIMIT 1 OFFSET ?)",
                (HISTORY_KNOWN,),
            )
            return self._insert(db, new, self._history_lane)

    def head(self, lane: int, limit: int) -> list[Record]:
        """Return the oldest records of a lane, in the order of their times."""
        with self._file.change() as db:
            drop_old(self._file, db, self._limits, self._now())
            rows = db.execute(
                "SELECT seq, time, body, count FROM records WHERE lane = ?"
                " ORDER BY time LIMIT ?",
                (lane, limit),
            )
            return [_record(*row) for row in rows]

    def newest(self, lane: int) -> int | None:
        """Return the time of the newest record of a lane."""
        with self._file.change() as db:
            return _one(db, "SELECT max(time) FROM records WHERE lane = ?", lane)

    def in_flight(self, lane: int) -> list[Record]:
        """Return records of a lane of which it is not known whether they arrived."""
        with self._file.change() as db:
            rows = db.execute(
                # The planner would read the whole lane to have it sorted.
                "SELECT seq, time, body, count FROM records INDEXED BY flying"
                " WHERE in_flight AND lane = ? ORDER BY time",
                (lane,),
            )
            return [_record(*row) for row in rows]

    def sending(self, records: Sequence[Record]) -> set[int]:
        """Note that records are being sent: should the process die, they may be there.

        Returns the `seq` of those still there: since they were read some may have been
        merged or dropped, and must not be sent.
        """
        with self._file.change() as db:
            return {
                record.seq
                for record in records
                if db.execute(
                    "UPDATE records SET in_flight = 1 WHERE seq = ?", (record.seq,)
                ).rowcount
            }

    def not_sent(self, records: Sequence[Record]) -> None:
        """Note that records being sent did not arrive."""
        with self._file.change() as db:
            db.executemany(
                "UPDATE records SET in_flight = 0 WHERE seq = ?",
                [(record.seq,) for record in records],
            )

    def sent(self, records: Sequence[Record]) -> None:
        """Forget records that were delivered."""
        with self._file.change() as db:
            self._file.counts.sent += self._file.delete(
                db, [record.seq for record in records]
            )

    def drop(self, records: Sequence[Record]) -> None:
        """Forget records that there is no use for."""
        with self._file.change() as db:
            seqs = [record.seq for record in records]
            self._file.counts.dropped += self._file.delete(db, seqs)

    def set_aside(self, record: Record, reason: str) -> None:
        """Put a refused record where it is in nobody's way."""
        with self._file.change() as db:
            if not self._file.delete(db, [record.seq]):
                return
            self._file.counts.refused += 1
            db.execute(
                "INSERT INTO set_aside (time, body, reason) VALUES (?, ?, ?)",
                (record.sample.time, record.sample.body(), reason),
            )
            db.execute(
                "DELETE FROM set_aside WHERE seq <="
                " (SELECT max(seq) FROM set_aside) - ?",
                (SET_ASIDE_KEPT,),
            )

    def refused(self) -> list[SetAside]:
        """Return what was set aside, the newest last."""
        with self._file.change() as db:
            rows = db.execute("SELECT time, reason FROM set_aside ORDER BY seq")
            return [SetAside(*row) for row in rows]

    def empty_set_aside(self) -> int:
        """Throw away what was set aside; return how many records that were."""
        with self._file.change() as db:
            return db.execute("DELETE FROM set_aside").rowcount

    def count_dropped(self, count: int) -> None:
        """Count samples that were lost before they could be stored."""
        with self._file.change():
            self._file.counts.taken += count
            self._file.counts.dropped += count

    def status(self) -> Status:
        """Return how full it is."""
        with self._file.change() as db:
            return Status(
                counts=replace(self._file.counts),
                waiting=self._file.rows,
                size=self._file.size,
                oldest=_one(db, _OLDEST),
                set_aside=_one(db, "SELECT count(*) FROM set_aside") or 0,
            )

    def _join_lanes(self, db: sqlite3.Connection) -> None:
        """Send through the broker what waits for a history there is no more."""
        if self._history_lane != LIVE:
            return
        db.execute(
            "UPDATE OR IGNORE records SET lane = ?, in_flight = 0 WHERE lane = ?",
            (LIVE, HISTORY),
        )
        doubles = db.execute("DELETE FROM records WHERE lane = ?", (HISTORY,))
        self._file.counts.dropped += doubles.rowcount

    def _insert(
        self, db: sqlite3.Connection, samples: Iterable[Sample], lane: int
    ) -> int:
        file = self._file
        new = sum(file.insert(db, lane, sample) for sample in samples)
        file.counts.taken += new
        drop_old(file, db, self._limits, self._now())
        make_room(file, db, self._limits)
        return new


def _record(seq: int, time: int, body: bytes, count: int) -> Record:
    return Record(seq, Sample.stored(time, body, count))


def _one(db: sqlite3.Connection, query: str, *values: int) -> int | None:
    found: int | None = db.execute(query, values).fetchone()[0]
    return found

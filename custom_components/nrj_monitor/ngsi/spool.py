"""Spool: the bounded queue on disk in front of a broker, an SQLite file each.

Every method blocks, and is called in an executor. A finished change survives a SIGKILL
of the process: the file is in WAL mode and every change is one transaction. A power cut
may lose the last moments before it, but leaves the file whole.

Counts are exact at any time: taken = sent + dropped + refused + thinned + waiting.
"""

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
import sqlite3
from typing import Final

from .retention import Limits, drop_expired, make_room
from .sample import Sample
from .spool_file import DAMAGED, DISK_ERRORS, Counts, QueueId, SpoolFile

__all__ = [
    "DISK_ERRORS",
    "Counts",
    "DeadLetter",
    "Limits",
    "QueueId",
    "Record",
    "Spool",
    "SpoolStatus",
]

UNCONFIRMED_LIMIT: Final = 20_000
"""Delivered samples kept until a history is seen to have them: two days of one each ten
seconds. The oldest are given up first."""

DEAD_LETTER_LIMIT: Final = 1000
"""Dead letters kept for a person to look at; the oldest are deleted first."""

IN_MEMORY: Final = Limits(rows=1000, size=4 * 1024 * 1024)
"""Limits of the records in memory while there is no disk for them."""

HISTORY_KNOWN: Final = 100_000
"""Times of the journal's samples remembered, so that none is added twice."""

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
class DeadLetter:
    """Time (ms) of a sample the broker refused, and its reason."""

    time: int
    reason: str


@dataclass(frozen=True, slots=True)
class SpoolStatus:
    """Fill of a spool: records `waiting`, their `size` in bytes, and dead letters.

    `oldest` is the time (ms) of the oldest waiting record, None without one.
    """

    counts: Counts
    waiting: int = 0
    size: int = 0
    oldest: int | None = None
    dead_letters: int = 0


class Spool:
    """Records in the order of their times, until they are delivered or expire.

    A refused record becomes a dead letter, stored in the table `set_aside`.
    """

    def __init__(
        self,
        path: Path,
        limits: Limits,
        now: Callable[[], int],
        history: bool = False,
        confirms: bool = False,
    ) -> None:
        """Prepare a spool at `path`; `now` returns milliseconds since 1970.

        With `history` the journal's samples have a queue of their own; without, they
        wait among the live samples for the broker. With `confirms` what a broker has
        taken is kept until a history behind it is seen to have it.
        """
        self._confirms = confirms
        self._limits = limits
        self._now = now
        self._history_queue = QueueId.HISTORY if history else QueueId.LIVE
        self._file = SpoolFile(path, self._merge_queues)

    def open(self) -> None:
        """Open the file; rename a damaged file and begin anew.

        Raises one of DISK_ERRORS where the file can be neither opened nor created.
        """
        self._file.open()

    def open_in_memory(self) -> None:
        """Take records in memory while the file cannot be opened or written.

        `open` moves them to the file as soon as that succeeds.
        """
        self._file.open_in_memory()

    def close(self) -> None:
        """Close the file; all records stay stored."""
        self._file.close()

    def push(self, samples: Iterable[Sample]) -> int:
        """Add live samples; return how many have a new time."""
        with self._file.change() as db:
            return self._insert(db, samples, QueueId.LIVE)

    def push_history(self, samples: Iterable[Sample]) -> int:
        """Add the journal's samples, each time only once; return how many are new."""
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
            return self._insert(db, new, self._history_queue)

    def head(self, queue: QueueId, limit: int) -> list[Record]:
        """Return up to `limit` of the oldest records of a queue, in the order of their times."""
        with self._file.change() as db:
            drop_expired(self._file, db, self._limits, self._now())
            rows = db.execute(
                "SELECT seq, time, body, count FROM records WHERE lane = ?"
                " ORDER BY time LIMIT ?",
                (queue, limit),
            )
            return self._records(db, rows)

    def newest(self, queue: QueueId) -> int | None:
        """Return the time (ms) of the newest record of a queue, None if empty."""
        with self._file.change() as db:
            return _query_int(db, "SELECT max(time) FROM records WHERE lane = ?", queue)

    def in_flight(self, queue: QueueId) -> list[Record]:
        """Return the records of a queue whose arrival at the broker is unknown."""
        with self._file.change() as db:
            rows = db.execute(
                # The planner would read the whole queue to have it sorted.
                "SELECT seq, time, body, count FROM records INDEXED BY flying"
                " WHERE in_flight AND lane = ? ORDER BY time",
                (queue,),
            )
            return self._records(db, rows)

    def mark_in_flight(self, records: Sequence[Record]) -> bool:
        """Mark records as being sent; return whether all of them were still in the spool.

        The mark survives the process: after a crash the broker may have the records.
        Where one was merged or dropped since it was read none is marked: what it became
        may be older than the others, and has to be sent before them.
        """
        seqs = [(record.seq,) for record in records]
        with self._file.change() as db:
            marked = db.executemany(
                "UPDATE records SET in_flight = 1 WHERE seq = ?", seqs
            ).rowcount
            if marked == len(seqs):
                return True
            db.executemany("UPDATE records SET in_flight = 0 WHERE seq = ?", seqs)
            return False

    def clear_in_flight(self, records: Sequence[Record]) -> None:
        """Mark undelivered records as waiting again."""
        with self._file.change() as db:
            db.executemany(
                "UPDATE records SET in_flight = 0 WHERE seq = ?",
                [(record.seq,) for record in records],
            )

    def remove_sent(self, records: Sequence[Record]) -> None:
        """Remove delivered records, and count them as sent."""
        with self._file.change() as db:
            if self._confirms:
                self._keep_unconfirmed(db, records)
            self._file.counts.sent += self._file.delete(
                db, [record.seq for record in records]
            )

    def unconfirmed(self, before: int, limit: int) -> list[Record]:
        """Return up to `limit` of the oldest samples sent `before` a time (ms), unconfirmed."""
        with self._file.change() as db:
            found: list[Record] = []
            for time, count, body in db.execute(
                "SELECT time, count, body FROM unconfirmed WHERE sent <= ?"
                " ORDER BY time LIMIT ?",
                (before, limit),
            ).fetchall():
                try:
                    found.append(Record(0, Sample.from_stored(time, body, count)))
                except ValueError:
                    # The broker has it; what it was cannot be read any more.
                    db.execute("DELETE FROM unconfirmed WHERE time = ?", (time,))
            return found

    def confirm(self, records: Sequence[Record], arrived: Container[int]) -> int:
        """Forget samples whose times `arrived` at the history; queue the others for it.

        Returns how many are queued; they are counted as taken once more.
        """
        with self._file.change() as db:
            missed = 0
            for record in records:
                time = record.sample.time
                if not db.execute(
                    "DELETE FROM unconfirmed WHERE time = ?", (time,)
                ).rowcount:
                    continue
                if time not in arrived:
                    missed += self._file.insert(db, QueueId.HISTORY, record.sample)
            self._file.counts.taken += missed
            make_room(self._file, db, self._limits)
            return missed

    def notify_url(self) -> str | None:
        """Return the address a broker was last seen to notify, None if never."""
        with self._file.change() as db:
            row = db.execute("SELECT value FROM notes WHERE name = 'notify'").fetchone()
            return row[0] if row is not None and isinstance(row[0], str) else None

    def remember_notify_url(self, url: str) -> None:
        """Remember the address a broker notifies."""
        with self._file.change() as db:
            db.execute("INSERT OR REPLACE INTO notes VALUES ('notify', ?)", (url,))

    def drop(self, records: Sequence[Record]) -> None:
        """Remove records that hold nothing to forward, and count them as dropped."""
        with self._file.change() as db:
            seqs = [record.seq for record in records]
            self._file.counts.dropped += self._file.delete(db, seqs)

    def add_dead_letter(self, record: Record, reason: str) -> None:
        """Move a refused record out of its queue, to the dead letters."""
        with self._file.change() as db:
            self._file.set_aside(db, record.seq, reason)
            _limit_dead_letters(db)

    def dead_letters(self) -> list[DeadLetter]:
        """Return the dead letters, the newest last."""
        with self._file.change() as db:
            rows = db.execute("SELECT time, reason FROM set_aside ORDER BY seq")
            return [DeadLetter(time, str(reason)) for time, reason in rows]

    def clear_dead_letters(self) -> int:
        """Delete all dead letters; return how many records were deleted."""
        with self._file.change() as db:
            return db.execute("DELETE FROM set_aside").rowcount

    def count_dropped(self, count: int) -> None:
        """Count samples lost before they could be stored, as taken and dropped."""
        with self._file.change():
            self._file.counts.taken += count
            self._file.counts.dropped += count

    def status(self) -> SpoolStatus:
        """Return the counts and the fill of the spool."""
        with self._file.change() as db:
            return SpoolStatus(
                counts=replace(self._file.counts),
                waiting=self._file.rows,
                size=self._file.size,
                oldest=_query_int(db, _OLDEST),
                dead_letters=_query_int(db, "SELECT count(*) FROM set_aside") or 0,
            )

    def _keep_unconfirmed(
        self, db: sqlite3.Connection, records: Sequence[Record]
    ) -> None:
        db.executemany(
            "INSERT OR REPLACE INTO unconfirmed SELECT time, count, ?, body"
            " FROM records WHERE seq = ? AND lane = ?",
            [(self._now(), record.seq, QueueId.LIVE) for record in records],
        )
        db.execute(
            "DELETE FROM unconfirmed WHERE time <= (SELECT time FROM unconfirmed"
            " ORDER BY time DESC LIMIT 1 OFFSET ?)",
            (UNCONFIRMED_LIMIT,),
        )

    def _merge_queues(self, db: sqlite3.Connection) -> None:
        """Move the journal's samples to the live queue where their own queue is gone."""
        if self._history_queue != QueueId.LIVE:
            return
        db.execute(
            "UPDATE OR IGNORE records SET lane = ?, in_flight = 0 WHERE lane = ?",
            (QueueId.LIVE, QueueId.HISTORY),
        )
        duplicates = db.execute(
            "DELETE FROM records WHERE lane = ?", (QueueId.HISTORY,)
        )
        self._file.counts.dropped += duplicates.rowcount

    def _insert(
        self, db: sqlite3.Connection, samples: Iterable[Sample], queue: QueueId
    ) -> int:
        file = self._file
        new = sum(file.insert(db, queue, sample) for sample in samples)
        file.counts.taken += new
        drop_expired(file, db, self._limits, self._now())
        make_room(file, db, IN_MEMORY if file.in_memory else self._limits)
        return new

    def _records(
        self, db: sqlite3.Connection, rows: Iterable[tuple[int, int, bytes, int]]
    ) -> list[Record]:
        """Return rows as records; one that cannot be read becomes a dead letter."""
        records: list[Record] = []
        for seq, time, body, count in list(rows):
            try:
                records.append(Record(seq, Sample.from_stored(time, body, count)))
            except ValueError as error:
                self._file.set_aside(db, seq, f"{DAMAGED}: {error}")
                _limit_dead_letters(db)
        return records


def _limit_dead_letters(db: sqlite3.Connection) -> None:
    db.execute(
        "DELETE FROM set_aside WHERE seq <= (SELECT max(seq) FROM set_aside) - ?",
        (DEAD_LETTER_LIMIT,),
    )


def _query_int(db: sqlite3.Connection, query: str, *values: int) -> int | None:
    found: int | None = db.execute(query, values).fetchone()[0]
    return found

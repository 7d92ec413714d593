"""The bounded queue on disk in front of a broker; one SQLite file for each broker.

Every method blocks, and is called in an executor. What a method has done survives a
SIGKILL of the process: the file is in WAL mode and every change is one transaction. A
power cut may take the last moments before it, but leaves the file whole.

Counts are exact at any time: taken = sent + dropped + refused + thinned + waiting.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
import logging
from pathlib import Path
import sqlite3
import threading
from typing import Final

from .sample import Sample, merged
from .thinning import GRAINS, Stored, plan

_LOGGER = logging.getLogger(__name__)

LIVE: Final = 0
"""Lane of what goes to the broker."""

HISTORY: Final = 1
"""Lane of what goes to a history of its own."""

SET_ASIDE_KEPT: Final = 1000
"""Refused records kept for a person to look at; the oldest go first."""

HISTORY_KNOWN: Final = 100_000
"""Times of the journal's readings remembered, so that none is taken twice."""

SLACK: Final = 0.02
"""Part of the spool that thinning frees at once."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS records (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, lane INTEGER NOT NULL, time INTEGER NOT NULL,
    count INTEGER NOT NULL, in_flight INTEGER NOT NULL DEFAULT 0, body BLOB NOT NULL,
    UNIQUE (lane, time));
CREATE INDEX IF NOT EXISTS flying ON records (in_flight) WHERE in_flight;
CREATE TABLE IF NOT EXISTS set_aside (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, body BLOB NOT NULL,
    reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS history_known (time INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""

_OLDEST: Final = """
SELECT min(time) FROM (SELECT min(time) AS time FROM records WHERE lane = 0
UNION ALL SELECT min(time) FROM records WHERE lane = 1)
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a spool: records, bytes of their values, and age in milliseconds."""

    rows: int = 100_000
    size: int = 64 * 1024 * 1024
    age: int = 30 * 86_400_000


@dataclass(slots=True)
class Counts:
    """What became of all measurements ever taken.

    `thinned` is how many are only part of a mean now, or were when it was sent.
    """

    taken: int = 0
    sent: int = 0
    dropped: int = 0
    refused: int = 0
    thinned: int = 0


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
        self._path = path
        self._limits = limits
        self._now = now
        self._history_lane = HISTORY if history else LIVE
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._counts = Counts()
        self._rows = 0
        self._size = 0

    def open(self) -> None:
        """Open the file, or begin a new one beside one that is damaged.

        Raises OSError or sqlite3.Error where there is no place for a file.
        """
        with self._lock:
            if self._db is not None:
                return
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._connect()
            except sqlite3.OperationalError:
                self._disconnect()
                raise
            except sqlite3.DatabaseError as error:
                self._disconnect()
                self._put_by(error)
                self._connect()

    def close(self) -> None:
        """Close the file; nothing is lost."""
        with self._lock:
            self._disconnect()

    def push(self, samples: Iterable[Sample]) -> int:
        """Take live samples; return how many are new."""
        with self._change() as db:
            return self._insert(db, samples, LIVE)

    def push_history(self, samples: Iterable[Sample]) -> int:
        """Take the journal's samples, each time only once; return how many are new."""
        with self._change() as db:
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
        with self._change() as db:
            self._drop_old(db)
            rows = db.execute(
                "SELECT seq, time, body, count FROM records WHERE lane = ?"
                " ORDER BY time LIMIT ?",
                (lane, limit),
            )
            return [_record(*row) for row in rows]

    def newest(self, lane: int) -> int | None:
        """Return the time of the newest record of a lane."""
        with self._change() as db:
            return _one(db, "SELECT max(time) FROM records WHERE lane = ?", lane)

    def in_flight(self, lane: int) -> list[Record]:
        """Return records of a lane of which it is not known whether they arrived."""
        with self._change() as db:
            rows = db.execute(
                # The planner would read the whole lane to have it sorted.
                "SELECT seq, time, body, count FROM records INDEXED BY flying"
                " WHERE in_flight AND lane = ? ORDER BY time",
                (lane,),
            )
            return [_record(*row) for row in rows]

    def sending(self, records: Sequence[Record]) -> None:
        """Note that records are being sent: should the process die, they may be there."""
        with self._change() as db:
            _mark(db, records, 1)

    def not_sent(self, records: Sequence[Record]) -> None:
        """Note that records being sent did not arrive."""
        with self._change() as db:
            _mark(db, records, 0)

    def sent(self, records: Sequence[Record]) -> None:
        """Forget records that were delivered."""
        with self._change() as db:
            self._counts.sent += self._delete(db, [record.seq for record in records])

    def drop(self, records: Sequence[Record]) -> None:
        """Forget records that there is no use for."""
        with self._change() as db:
            seqs = [record.seq for record in records]
            self._counts.dropped += self._delete(db, seqs)

    def set_aside(self, record: Record, reason: str) -> None:
        """Put a refused record where it is in nobody's way."""
        with self._change() as db:
            if not self._delete(db, [record.seq]):
                return
            self._counts.refused += 1
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
        with self._change() as db:
            rows = db.execute("SELECT time, reason FROM set_aside ORDER BY seq")
            return [SetAside(*row) for row in rows]

    def empty_set_aside(self) -> int:
        """Throw away what was set aside; return how many records that were."""
        with self._change() as db:
            return db.execute("DELETE FROM set_aside").rowcount

    def count_dropped(self, count: int) -> None:
        """Count samples that were lost before they could be stored."""
        with self._change():
            self._counts.taken += count
            self._counts.dropped += count

    def status(self) -> Status:
        """Return how full it is."""
        with self._change() as db:
            return Status(
                counts=replace(self._counts),
                waiting=self._rows,
                size=self._size,
                oldest=_one(db, _OLDEST),
                set_aside=_one(db, "SELECT count(*) FROM set_aside") or 0,
            )

    def _connect(self) -> None:
        db = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, timeout=1.0
        )
        self._db = db
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA journal_size_limit = 4194304")
        db.executescript(_SCHEMA)
        with self._change():
            stored = dict(db.execute("SELECT name, value FROM counts"))
            self._counts = Counts(
                **{f.name: stored.get(f.name, 0) for f in fields(Counts)}
            )
            if self._history_lane == LIVE:
                db.execute(
                    "UPDATE OR IGNORE records SET lane = ?, in_flight = 0 WHERE lane = ?",
                    (LIVE, HISTORY),
                )
                doubles = db.execute("DELETE FROM records WHERE lane = ?", (HISTORY,))
                self._counts.dropped += doubles.rowcount
            self._rows, self._size = db.execute(
                "SELECT count(*), coalesce(sum(length(body)), 0) FROM records"
            ).fetchone()

    def _put_by(self, error: sqlite3.DatabaseError) -> None:
        """Keep a damaged file out of the way."""
        damaged = self._path.with_suffix(".damaged")
        self._path.replace(damaged)
        for suffix in ("-wal", "-shm"):
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)
        _LOGGER.error(
            "The queue %s was damaged (%s); it is kept as %s and a new one begun",
            self._path.name,
            error,
            damaged.name,
        )

    def _disconnect(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    @contextmanager
    def _change(self) -> Generator[sqlite3.Connection]:
        """Do what is inside as one transaction, with the counts; or nothing of it."""
        with self._lock:
            db = self._db
            if db is None:
                raise sqlite3.ProgrammingError("The queue is closed")
            before = self._rows, self._size, replace(self._counts)
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                if self._counts != before[2]:
                    db.executemany(
                        "INSERT OR REPLACE INTO counts VALUES (?, ?)",
                        asdict(self._counts).items(),
                    )
                db.execute("COMMIT")
            except BaseException:
                self._rows, self._size, self._counts = before
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def _insert(
        self, db: sqlite3.Connection, samples: Iterable[Sample], lane: int
    ) -> int:
        new = 0
        for sample in samples:
            body = sample.body()
            added = db.execute(
                "INSERT OR IGNORE INTO records (lane, time, count, body)"
                " VALUES (?, ?, ?, ?)",
                (lane, sample.time, sample.count, body),
            ).rowcount
            if added:
                new += 1
                self._rows += 1
                self._size += len(body)
        self._counts.taken += new
        self._drop_old(db)
        self._thin(db)
        return new

    def _delete(self, db: sqlite3.Connection, seqs: Sequence[int]) -> int:
        """Delete records; return how many there were."""
        deleted = 0
        for seq in seqs:
            row = db.execute(
                "DELETE FROM records WHERE seq = ? RETURNING length(body)", (seq,)
            ).fetchone()
            if row is not None:
                deleted += 1
                self._rows -= 1
                self._size -= row[0]
        return deleted

    def _drop_old(self, db: sqlite3.Connection) -> None:
        old = db.execute(
            "SELECT seq FROM records WHERE lane IN (0, 1) AND time < ?"
            " AND NOT in_flight",
            (self._now() - self._limits.age,),
        ).fetchall()
        self._counts.dropped += self._delete(db, [seq for (seq,) in old])

    def _over(self, slack: float) -> tuple[int, int]:
        """Return the records and bytes beyond what the limits less `slack` allow."""
        limits = self._limits
        return (
            max(0, self._rows - int(limits.rows * (1 - slack))),
            max(0, self._size - int(limits.size * (1 - slack))),
        )

    def _thin(self, db: sqlite3.Connection) -> None:
        """Merge old records to means until there is room; drop the oldest if need be.

        What is in flight and the newest stay in any case.
        """
        if not any(self._over(0.0)):
            return
        for grain in GRAINS:
            for lane in (HISTORY, LIVE):
                stored = db.execute(
                    "SELECT seq, time, length(body) FROM records"
                    " WHERE lane = ? AND NOT in_flight ORDER BY time",
                    (lane,),
                )
                groups = plan(
                    (Stored(*row) for row in stored), *self._over(SLACK), grain
                )
                stored.close()
                for group in groups:
                    self._merge(db, lane, group)
                if not any(self._over(SLACK)):
                    return
        droppable = db.execute(
            "SELECT seq FROM records WHERE NOT in_flight AND NOT (lane = ? AND time ="
            " (SELECT max(time) FROM records WHERE lane = ?)) ORDER BY time",
            (LIVE, LIVE),
        ).fetchall()
        for (seq,) in droppable:
            if not any(self._over(0.0)):
                return
            self._counts.dropped += self._delete(db, [seq])

    def _merge(
        self, db: sqlite3.Connection, lane: int, group: Sequence[Stored]
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
        self._delete(db, [stored.seq for stored in group])
        body = mean.body()
        db.execute(
            "INSERT INTO records (lane, time, count, body) VALUES (?, ?, ?, ?)",
            (lane, mean.time, mean.count, body),
        )
        self._rows += 1
        self._size += len(body)
        self._counts.thinned += len(group) - 1


def _record(seq: int, time: int, body: bytes, count: int) -> Record:
    return Record(seq, Sample.stored(time, body, count))


def _one(db: sqlite3.Connection, query: str, *values: int) -> int | None:
    found: int | None = db.execute(query, values).fetchone()[0]
    return found


def _mark(db: sqlite3.Connection, records: Sequence[Record], in_flight: int) -> None:
    db.executemany(
        "UPDATE records SET in_flight = ? WHERE seq = ?",
        [(in_flight, record.seq) for record in records],
    )

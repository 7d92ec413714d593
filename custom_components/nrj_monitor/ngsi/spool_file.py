"""SQLite file of a spool: schema, transactions, renaming of a damaged file."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from enum import IntEnum
import logging
from pathlib import Path
import sqlite3
import threading
from typing import Final

from .sample import Sample

_LOGGER = logging.getLogger(__name__)

DISK_ERRORS: Final = (OSError, sqlite3.Error)
"""Errors of a spool whose disk is full, gone or failing."""


class QueueId(IntEnum):
    """Queues of a spool; the values are stored in the column `lane`."""

    LIVE = 0
    """Samples for the broker."""
    HISTORY = 1
    """Samples of the journal for a history server of their own."""


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


@dataclass(slots=True)
class Counts:
    """Counts of all samples ever added, by their fate.

    The field names are stored as keys of the table `counts`. `taken` counts all samples
    added to the spool, `thinned` those merged into a mean by downsampling.
    """

    taken: int = 0
    sent: int = 0
    dropped: int = 0
    refused: int = 0
    thinned: int = 0


class SpoolFile:
    """Records and counts on disk, with the number of records and their size in bytes.

    All changes are made within `change`, which restores `counts`, `rows` and `size`
    where the transaction fails.
    """

    def __init__(
        self, path: Path, prepare: Callable[[sqlite3.Connection], None]
    ) -> None:
        """Prepare the file at `path`; `prepare` repairs its records on opening."""
        self._path = path
        self._prepare = prepare
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self.counts = Counts()
        self.rows = 0
        self.size = 0

    def open(self) -> None:
        """Open the file; rename a damaged file and begin anew.

        Raises one of DISK_ERRORS where the file can be neither opened nor created.
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
                self._rename_damaged(error)
                self._connect()

    def close(self) -> None:
        """Close the file; all finished changes are stored."""
        with self._lock:
            self._disconnect()

    @contextmanager
    def change(self) -> Generator[sqlite3.Connection]:
        """Run the body as a single transaction, counts included.

        Raises sqlite3.Error; ProgrammingError where the file is not open.
        """
        with self._lock:
            db = self._db
            if db is None:
                raise sqlite3.ProgrammingError("The queue is closed")
            before = self.rows, self.size, replace(self.counts)
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                if self.counts != before[2]:
                    db.executemany(
                        "INSERT OR REPLACE INTO counts VALUES (?, ?)",
                        asdict(self.counts).items(),
                    )
                db.execute("COMMIT")
            except BaseException:
                self.rows, self.size, self.counts = before
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def insert(self, db: sqlite3.Connection, queue: QueueId, sample: Sample) -> bool:
        """Add a record; return False where its queue has a record of the same time."""
        body = sample.body()
        added = db.execute(
            "INSERT OR IGNORE INTO records (lane, time, count, body)"
            " VALUES (?, ?, ?, ?)",
            (queue, sample.time, sample.count, body),
        ).rowcount
        if not added:
            return False
        self.rows += 1
        self.size += len(body)
        return True

    def delete(self, db: sqlite3.Connection, seqs: Sequence[int]) -> int:
        """Delete records; return how many existed."""
        deleted = 0
        for seq in seqs:
            row = db.execute(
                "DELETE FROM records WHERE seq = ? RETURNING length(body)", (seq,)
            ).fetchone()
            if row is not None:
                deleted += 1
                self.rows -= 1
                self.size -= row[0]
        return deleted

    def _connect(self) -> None:
        db = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, timeout=1.0
        )
        self._db = db
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA journal_size_limit = 4194304")
        db.executescript(_SCHEMA)
        with self.change():
            stored = dict(db.execute("SELECT name, value FROM counts"))
            self.counts = Counts(
                **{f.name: stored.get(f.name, 0) for f in fields(Counts)}
            )
            self._prepare(db)
            self.rows, self.size = db.execute(
                "SELECT count(*), coalesce(sum(length(body)), 0) FROM records"
            ).fetchone()

    def _rename_damaged(self, error: sqlite3.DatabaseError) -> None:
        """Rename a damaged file to *.damaged, for a person to look at."""
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

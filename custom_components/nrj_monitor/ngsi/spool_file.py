"""SQLite file of a spool: schema, transactions, damage, and memory where no disk is."""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from enum import IntEnum
import logging
from pathlib import Path
import sqlite3
import threading
from typing import Any, Final

from .rescue import BROKEN, DamagedFile, is_damage
from .sample import LAST_TIME, Sample

_LOGGER = logging.getLogger(__name__)

DISK_ERRORS: Final = (OSError, sqlite3.Error)
"""Errors of a spool whose disk is full, gone or failing."""

DAMAGED: Final = "it was damaged in the queue"
"""Reason of a record that is set aside because it cannot be read."""


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
CREATE TABLE IF NOT EXISTS unconfirmed (
    time INTEGER PRIMARY KEY, count INTEGER NOT NULL, sent INTEGER NOT NULL,
    body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""

_COLUMNS: Final = {
    "records": ("seq", "lane", "time", "count", "in_flight", "body"),
    "set_aside": ("seq", "time", "body", "reason"),
    "history_known": ("time",),
    "unconfirmed": ("time", "count", "sent", "body"),
}
"""Columns of each table with an integer key, which is the first."""

_MOST: Final = 2**53
"""Beyond any number of samples."""

_UNUSABLE: Final = f"""
typeof(time) != 'integer' OR time NOT BETWEEN 0 AND {LAST_TIME}
OR typeof(count) != 'integer' OR typeof(in_flight) != 'integer'
OR typeof(body) NOT IN ('blob', 'text') OR lane NOT IN (0, 1)
"""
"""Condition of a record that nothing of this project has written."""


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

    @classmethod
    def from_stored(cls, stored: dict[str, Any]) -> Counts:
        """Return stored counts; what is no count is 0."""
        known = {f.name: stored.get(f.name) for f in fields(cls)}
        return cls(
            **{n: v for n, v in known.items() if type(v) is int and 0 <= v < _MOST}
        )

    def more_than(self, before: Counts) -> Counts:
        """Return what was counted since `before`."""
        return Counts(
            **{
                f.name: getattr(self, f.name) - getattr(before, f.name)
                for f in fields(self)
            }
        )

    def add(self, more: Counts) -> None:
        """Add other counts."""
        for f in fields(self):
            setattr(self, f.name, getattr(self, f.name) + getattr(more, f.name))

    def balance(self, waiting: int) -> None:
        """Make the counts agree with the number of records there are."""
        lost = self.waiting - waiting
        self.dropped += max(lost, 0)
        self.taken += max(-lost, 0)

    @property
    def waiting(self) -> int:
        """Return how many samples have met no fate yet."""
        return self.taken - self.sent - self.dropped - self.refused - self.thinned


class SpoolFile:
    """Records and counts on disk, with the number of records and their size in bytes.

    All changes are made within `change`, which restores `counts`, `rows` and `size`
    where the transaction fails. A file in which a change meets damage is put aside: the
    change fails, and the next one finds what could be read. Without a disk the records
    are in memory for a while.
    """

    def __init__(
        self, path: Path, prepare: Callable[[sqlite3.Connection], None]
    ) -> None:
        """Prepare the file at `path`; `prepare` repairs its records on opening."""
        self._path = path
        self._prepare = prepare
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._is_wanted = False
        self._damage = ""
        self._known = Counts()
        """Counts of a damaged file that was open."""
        self._before_memory: Counts | None = None
        """Counts at the begin of a time in memory, None on disk."""
        self.counts = Counts()
        self.rows = 0
        self.size = 0

    @property
    def in_memory(self) -> bool:
        """Return whether the records are in memory, for want of a disk."""
        return self._before_memory is not None

    def open(self) -> None:
        """Open the file; rescue the records of a damaged one, or of a time in memory.

        Raises one of DISK_ERRORS where the file can be neither opened nor created.
        """
        with self._lock:
            self._is_wanted = True
            if self._db is None:
                self._open()
            elif self.in_memory:
                self._leave_memory()

    def open_in_memory(self) -> None:
        """Go on without the file; its records stay there, until `open` succeeds."""
        with self._lock:
            if self.in_memory:
                return
            self._disconnect()
            self._before_memory = replace(self.counts)
            self.rows = self.size = 0
            self._is_wanted = True
            self._db = self._connect(":memory:")

    def close(self) -> None:
        """Close the file; all finished changes are stored."""
        with self._lock:
            self._is_wanted = False
            self._disconnect()

    @contextmanager
    def change(self) -> Generator[sqlite3.Connection]:
        """Run the body as a single transaction, counts included.

        Raises sqlite3.Error; ProgrammingError where the file is not open.
        """
        with self._lock:
            if self._db is None and self._is_wanted:
                self._open()
            db = self._db
            if db is None:
                raise sqlite3.ProgrammingError("The queue is closed")
            before = self.rows, self.size, replace(self.counts)
            try:
                db.execute("BEGIN IMMEDIATE")
                yield db
                if self.counts != before[2]:
                    self._store_counts(db)
                db.execute("COMMIT")
            except BaseException as error:
                self.rows, self.size, self.counts = before
                with suppress(sqlite3.Error):
                    if db.in_transaction:
                        db.execute("ROLLBACK")
                is_open = self._db is db and not self.in_memory
                if is_open and isinstance(error, BROKEN) and is_damage(error):
                    self._put_aside(error)
                if isinstance(error, UnicodeDecodeError):
                    raise sqlite3.DatabaseError("The queue is damaged") from error
                raise

    def insert(
        self,
        db: sqlite3.Connection,
        queue: QueueId,
        sample: Sample,
        in_flight: bool = False,
    ) -> bool:
        """Add a record; return False where its queue has a record of the same time."""
        body = sample.body()
        added = db.execute(
            "INSERT OR IGNORE INTO records (lane, time, count, in_flight, body)"
            " VALUES (?, ?, ?, ?, ?)",
            (queue, sample.time, sample.count, in_flight, body),
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

    def set_aside(self, db: sqlite3.Connection, seq: int, reason: str) -> None:
        """Move a record to the dead letters, and count it as refused."""
        db.execute(
            "INSERT INTO set_aside (time, body, reason) SELECT"
            " iif(typeof(time) = 'integer', time, 0), coalesce(body, x''), ?"
            " FROM records WHERE seq = ?",
            (reason, seq),
        )
        self.counts.refused += self.delete(db, [seq])

    def _open(self) -> None:
        """Open the file, after a damaged one is out of its way; rescue what that holds."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = self._connect(self._path)
        except BROKEN as error:
            code = getattr(error, "sqlite_errorcode", None)
            # A table of another shape is none of ours, and would fail at every access.
            if not is_damage(error) and code != sqlite3.SQLITE_ERROR:
                raise
            self._damage = str(error)
            _rename(self._path, self._damaged("rescue"))
            self._db = self._connect(self._path)
        if self._damaged("rescue").exists():
            try:
                self._rescue()
            except BaseException:
                self._disconnect()
                raise

    def _connect(self, where: Path | str) -> sqlite3.Connection:
        db = sqlite3.connect(
            where, isolation_level=None, check_same_thread=False, timeout=1.0
        )
        # A damaged text would be an error at every access.
        db.text_factory = _text
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA journal_size_limit = 4194304")
            db.executescript(_SCHEMA)
            for table, columns in _COLUMNS.items():
                db.execute(f"SELECT {', '.join(columns)} FROM {table} LIMIT 0")  # noqa: S608
            if self.in_memory:
                return db
            db.execute("BEGIN IMMEDIATE")
            self.counts = Counts.from_stored(
                dict(db.execute("SELECT name, value FROM counts"))
            )
            strange = db.execute(f"SELECT seq FROM records WHERE {_UNUSABLE}")  # noqa: S608
            for (seq,) in strange.fetchall():
                self.set_aside(db, seq, DAMAGED)
            self._prepare(db)
            self.rows, self.size = db.execute(
                "SELECT count(*), coalesce(sum(length(body)), 0) FROM records"
            ).fetchone()
            self.counts.balance(self.rows)
            self._store_counts(db)
            db.execute("COMMIT")
        except BaseException:
            db.close()
            raise
        return db

    def _store_counts(self, db: sqlite3.Connection) -> None:
        db.executemany(
            "INSERT OR REPLACE INTO counts VALUES (?, ?)", asdict(self.counts).items()
        )

    def _leave_memory(self) -> None:
        """Move the records in memory to the file; keep them where that fails."""
        memory, before = self._db, self._before_memory
        assert memory is not None
        assert before is not None
        kept = self.counts, self.rows, self.size
        counted = self.counts.more_than(before)
        content = {
            table: memory.execute(
                f"SELECT {', '.join(columns)} FROM {table} ORDER BY 1"  # noqa: S608
            ).fetchall()
            for table, columns in _COLUMNS.items()
        }
        self._db = self._before_memory = None
        try:
            self._open()
            with self.change() as db:
                stored = self._add_content(db, content)
                counted.dropped += len(content["records"]) - stored
                self.counts.add(counted)
        except BaseException:
            self._disconnect()
            self._db, self._before_memory = memory, before
            self.counts, self.rows, self.size = kept
            raise
        memory.close()

    def _add_content(
        self, db: sqlite3.Connection, content: Mapping[str, Iterable[tuple[Any, ...]]]
    ) -> int:
        """Add rows of another file by their tables; return how many records are new."""
        stored = 0
        for _, lane, time, count, in_flight, body in content["records"]:
            with suppress(ValueError):
                # Whether it is on its way to a broker stays known: none is sent twice.
                sample = Sample.from_stored(time, body, count)
                flies = in_flight not in (0, None)
                stored += self.insert(db, QueueId(lane), sample, in_flight=flies)
        for (time,) in content["history_known"]:
            db.execute("INSERT OR IGNORE INTO history_known VALUES (?)", (time,))
        db.executemany(
            "INSERT OR IGNORE INTO unconfirmed VALUES (?, ?, ?, ?)",
            content["unconfirmed"],
        )
        for _, time, body, reason in content["set_aside"]:
            db.execute(
                "INSERT INTO set_aside (time, body, reason) VALUES (?, ?, ?)",
                (time if type(time) is int else 0, body or b"", _text(reason)),
            )
        return stored

    def _put_aside(self, error: Exception) -> None:
        """Put a file aside in which damage was found; begin anew with what is readable."""
        known = replace(self.counts)
        self._disconnect()
        self._damage = str(error)
        with suppress(*DISK_ERRORS):
            _rename(self._path, self._damaged("rescue"))
            self._known = known
            self._open()

    def _rescue(self) -> None:
        """Add what can be read of the damaged file, and count what cannot as dropped."""
        path = self._damaged("rescue")
        damaged = DamagedFile(path)
        try:
            stored = Counts.from_stored(damaged.pairs("counts"))
            known = max(stored, self._known, key=lambda counts: counts.taken)
            with self.change() as db:
                read = self._add_content(
                    db,
                    {table: damaged.rows(table, c) for table, c in _COLUMNS.items()},
                )
                lost = known.waiting - read
                known.balance(read)
                self.counts.add(known)
        finally:
            damaged.close()
        self._known = Counts()
        _rename(path, self._damaged("damaged"))
        _LOGGER.error(
            "The queue %s was damaged (%s); it is kept as %s and a new one begun: %d of"
            " its records could be read, %d could not",
            self._path.name,
            self._damage or "found at a start",
            self._damaged("damaged").name,
            read,
            max(lost, 0),
        )

    def _damaged(self, kind: str) -> Path:
        """Return the path of a damaged file: "rescue" until it is read, then "damaged"."""
        return self._path.with_suffix(f".{kind}")

    def _disconnect(self) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None
        self._before_memory = None


def _rename(path: Path, new: Path) -> None:
    """Rename a file together with what SQLite keeps beside it."""
    for suffix in ("-wal", "-shm"):
        Path(f"{new}{suffix}").unlink(missing_ok=True)
        beside = Path(f"{path}{suffix}")
        if beside.exists():
            beside.replace(f"{new}{suffix}")
    path.replace(new)


def _text(reason: Any) -> str:
    if isinstance(reason, bytes):
        return reason.decode("utf-8", "replace")
    return str(reason)

"""Rescue of a damaged spool: read what can be read of its file, whatever else is broken."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
import sqlite3
from typing import Any, Final

_LAST_KEY: Final = 2**62
"""Beyond any key of a spool's tables."""


BROKEN: Final = (sqlite3.DatabaseError, UnicodeDecodeError)
"""Errors of reading a damaged file: SQLite's words quote its damaged names as they are."""


def is_damage(error: BaseException) -> bool:
    """Return whether an error tells of a damaged file, not of a disk that is full or gone."""
    if isinstance(error, UnicodeDecodeError):
        return True
    code = getattr(error, "sqlite_errorcode", None) or 0
    return (
        code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        or code == sqlite3.SQLITE_IOERR_SHORT_READ
    )


class DamagedFile:
    """File of a spool, opened to read its rows past its broken pages."""

    def __init__(self, path: Path) -> None:
        """Open the file at `path`; nothing is read yet."""
        self._db = sqlite3.connect(path, isolation_level=None, timeout=1.0)
        # A text that is none of UTF-8 would be an error.
        self._db.text_factory = bytes

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Return the rows of a table that can be read, in the order of its key.

        The first of the `columns` is the integer key. Behind an unreadable page the rows
        are found by steps of growing length, and what a step has passed is read backwards.
        """
        key = columns[0]
        select = f"SELECT {', '.join(columns)} FROM {table} WHERE {key}"  # noqa: S608
        at, broken = 0, 0
        step = 0
        while at < _LAST_KEY:
            try:
                for row in self._db.execute(f"{select} >= ? ORDER BY {key}", (at,)):
                    if step:
                        yield from self._backwards(select, key, broken, row[0])
                        step = 0
                    yield row
                    at = row[0] + 1
            except BROKEN:
                if not step:
                    broken, step = at, 1
                at += step
                step *= 2
            else:
                if step:
                    # Nothing follows; the last step may have passed some rows.
                    yield from self._backwards(select, key, broken, _LAST_KEY)
                return

    def _backwards(
        self, select: str, key: str, first: int, before: int
    ) -> list[tuple[Any, ...]]:
        """Return the readable rows from `first` to below `before`, read from the end."""
        found: list[tuple[Any, ...]] = []
        with suppress(*BROKEN):
            found.extend(
                self._db.execute(
                    f"{select} < ? AND {key} >= ? ORDER BY {key} DESC", (before, first)
                )
            )
        return found[::-1]

    def pairs(self, table: str) -> dict[Any, Any]:
        """Return the names and values of a table of two columns, as far as it is readable."""
        found = {}
        with suppress(*BROKEN, AttributeError):
            for name, value in self._db.execute(f"SELECT name, value FROM {table}"):  # noqa: S608
                found[name.decode("utf-8", "replace")] = value
        return found

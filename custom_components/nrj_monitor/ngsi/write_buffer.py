"""Samples in memory, still to be written to the spool on disk."""

from collections import deque
from contextlib import suppress
import sqlite3
import threading
from typing import Final

from .sample import Sample
from .spool import DISK_ERRORS, Spool

PENDING_LIMIT: Final = 1000
"""Samples kept in memory while the disk takes none."""


class WriteBuffer:
    """Buffer between the event loop, which adds samples, and an executor, which writes.

    `append` may be called from the event loop at any time; the other methods block and
    belong in an executor.
    """

    def __init__(self, spool: Spool) -> None:
        """Prepare to write to `spool`; the first write opens the spool."""
        self._spool = spool
        self._pending: deque[Sample] = deque()
        self._pending_lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._writing = 0
        self._lost = 0
        self._is_open = False
        self._is_closed = False

    def __len__(self) -> int:
        """Return how many samples are in memory only."""
        return len(self._pending)

    @property
    def is_open(self) -> bool:
        """Return whether the spool was ever opened, on disk or in memory."""
        return self._is_open

    def append(self, sample: Sample) -> None:
        """Add a sample without blocking; a full buffer loses its oldest sample."""
        with self._pending_lock:
            if len(self._pending) - self._writing >= PENDING_LIMIT:
                # The first `_writing` samples are in the hands of a running write.
                del self._pending[self._writing]
                self._lost += 1
            self._pending.append(sample)

    def open(self) -> None:
        """Open the spool; raises DISK_ERRORS where the file cannot be opened.

        A closed buffer stays closed: a late write must not create a removed file anew.
        """
        if self._is_closed:
            raise sqlite3.ProgrammingError("The buffer is closed")
        self._spool.open()
        self._is_open = True

    def close(self) -> None:
        """Write the pending samples if the disk allows, and close the spool for good."""
        with self._write_lock:
            with suppress(*DISK_ERRORS):
                self._write()
            self._is_closed = True
            self._spool.close()

    def write(self) -> None:
        """Write the pending samples to the spool, after any write still running.

        Raises one of DISK_ERRORS where the disk fails; the samples are in the spool's
        memory then.
        """
        with self._write_lock:
            self._write()

    def _write(self) -> None:
        try:
            self.open()
            self._push()
        except DISK_ERRORS:
            if self._is_closed:
                raise
            # What a broker can have at once needs no disk.
            self._spool.open_in_memory()
            self._is_open = True
            self._push()
            raise

    def _push(self) -> None:
        if lost := self._lost:
            self._spool.count_dropped(lost)
            self._lost -= lost
        with self._pending_lock:
            samples = tuple(self._pending)
            self._writing = len(samples)
        try:
            if samples:
                self._spool.push(samples)
        except BaseException:
            samples = ()
            raise
        finally:
            with self._pending_lock:
                self._writing = 0
                for _ in samples:
                    self._pending.popleft()
                while len(self._pending) > PENDING_LIMIT:
                    # More samples came in during a write that failed.
                    self._pending.popleft()
                    self._lost += 1

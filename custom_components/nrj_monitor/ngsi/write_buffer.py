"""What was measured and is not on disk yet: kept in memory while the disk takes none."""

from collections import deque
from contextlib import suppress
import sqlite3
import threading
from typing import Final

from .sample import Sample
from .spool import Spool

PENDING_LIMIT: Final = 1000
"""Samples kept in memory while the disk takes none."""


class WriteBuffer:
    """Takes samples in the event loop and writes them to a spool in an executor."""

    def __init__(self, spool: Spool) -> None:
        """Write to `spool`, which is opened with the first write."""
        self._spool = spool
        self._pending: deque[Sample] = deque()
        self._pending_lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._writing = 0
        self._lost = 0
        self._is_open = False

    def __len__(self) -> int:
        """Return how many samples are in memory only."""
        return len(self._pending)

    @property
    def is_open(self) -> bool:
        """Return whether the spool was ever opened."""
        return self._is_open

    def offer(self, sample: Sample) -> None:
        """Take a sample; returns at once."""
        with self._pending_lock:
            if len(self._pending) - self._writing >= PENDING_LIMIT:
                # The oldest of those that are not just being written.
                del self._pending[self._writing]
                self._lost += 1
            self._pending.append(sample)

    # What blocks.

    def open(self) -> None:
        """Open the spool; raises OSError or sqlite3.Error where there is no place."""
        self._spool.open()
        self._is_open = True

    def close(self) -> None:
        """Write what can be written, and close the spool."""
        with suppress(OSError, sqlite3.Error):
            self.write()
        self._spool.close()

    def write(self) -> None:
        """Store what waits in memory; another write may still be going on.

        Raises OSError or sqlite3.Error where the disk takes nothing.
        """
        with self._write_lock:
            self.open()
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
                        # They came while it was tried in vain.
                        self._pending.popleft()
                        self._lost += 1

"""Folder of the demo: marked as such, used by a single demo at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
import fcntl
import os
from pathlib import Path
import shutil

from nrj_tools.errors import UsageError

MARKER = ".nrj-demo"
"""File that says a folder is a demo's own; it is also the lock of a running demo."""

HISTORY_PENDING = "history-pending"
"""File that says past statistics are still to be filled in."""


class DemoFolder:
    """Folder with all files of a demo."""

    def __init__(self, path: Path) -> None:
        """Prepare the folder, without creating any file."""
        self.path = path
        self.configuration = path / "home-assistant"
        self.firmware = path / "firmware"
        self.home_assistant_log = path / "home-assistant.log"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder for this process.

        Raises:
            UsageError: it holds something else, or another demo runs in it.
        """
        self._make()
        with (self.path / MARKER).open("a+") as marker:
            try:
                fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                marker.seek(0)
                owner = marker.read().strip() or "unknown"
                raise UsageError(
                    f"Another demo is running in {self.path} (process {owner}):"
                    " stop it with Ctrl-C, or choose another folder with '--folder'."
                ) from error
            marker.truncate(0)
            marker.write(f"{os.getpid()}\n")
            marker.flush()
            yield

    def _make(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise UsageError(
                f"{self.path} is not a folder: choose another with '--folder'."
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            strangers = not (self.path / MARKER).exists() and any(self.path.iterdir())
        except OSError as error:
            raise UsageError(
                f"The folder {self.path} cannot be used ({error.strerror}):"
                " choose another with '--folder'."
            ) from error
        if strangers:
            raise UsageError(
                f"{self.path} holds something else than a demo and is left alone:"
                " choose another folder with '--folder'."
            )

    @property
    def is_empty(self) -> bool:
        """Return whether no demo has used the folder yet."""
        return not self.configuration.exists()

    def wipe(self) -> None:
        """Delete everything but the marker; only for a locked folder."""
        for item in self.path.iterdir():
            if item.name == MARKER:
                continue
            if item.is_dir() and not item.is_symlink():
                shutil.rmtree(item)
            else:
                item.unlink()

    @property
    def history_pending(self) -> bool:
        """Return whether past statistics are still to be filled in."""
        return (self.path / HISTORY_PENDING).exists()

    @history_pending.setter
    def history_pending(self, pending: bool) -> None:
        if pending:
            (self.path / HISTORY_PENDING).touch()
        else:
            (self.path / HISTORY_PENDING).unlink(missing_ok=True)

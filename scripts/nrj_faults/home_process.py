"""Run the Home Assistant of `home` as a process to be killed at any moment."""

import asyncio
from contextlib import closing, suppress
import json
import os
from pathlib import Path
import shutil
import sqlite3
import sys
from typing import Any

from nrj_tools import ROOT

from .link import FaultyLink

START_TIMEOUT = 300.0
ANSWER_TIMEOUT = 300.0

DATABASE = "home.db"
STORAGE = ".storage"


class HomeProcess:
    """A Home Assistant in a process of its own, on a folder kept between runs."""

    def __init__(self, folder: Path, link: FaultyLink) -> None:
        """Prepare; the meter is behind `link`."""
        self._folder = folder
        self._link = link
        self._process: asyncio.subprocess.Process | None = None

    @property
    def is_running(self) -> bool:
        """Return whether the process runs."""
        return self._process is not None

    async def start(self, offset: float) -> None:
        """Start with a clock `offset` s ahead, and wait until Home Assistant is ready."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "nrj_faults.home",
                str(self._folder),
                repr(offset),
                str(self._link.port),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                # It finds the integration and this package wherever it is started.
                env={
                    **os.environ,
                    "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'scripts'}",
                },
                limit=2**24,
            )
        await self._answer(START_TIMEOUT)

    async def ask(self, do: str, **arguments: Any) -> Any:
        """Call a method of the `Home`; return the method's result."""
        assert self._process is not None
        assert self._process.stdin is not None
        question = json.dumps({"do": do, **arguments}) + "\n"
        self._process.stdin.write(question.encode())
        answer = await self._answer(ANSWER_TIMEOUT)
        if "error" in answer:
            raise RuntimeError(f"{do}: {answer['error']}, see {self._folder}/log")
        return answer["answer"]

    async def _answer(self, timeout: float) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(timeout):
            while line := await self._process.stdout.readline():
                if line.startswith(b"{"):
                    answer: dict[str, Any] = json.loads(line)
                    return answer
        raise RuntimeError(f"Home Assistant ended: see {self._folder}/log")

    async def kill(self) -> None:
        """Pull the plug."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            self._process = None

    def back_up(self, folder: Path) -> None:
        """Copy the database and the stored files to a new `folder`, running or not."""
        folder.mkdir(parents=True)
        shutil.copytree(self._folder / STORAGE, folder / STORAGE)
        with (
            closing(sqlite3.connect(self._folder / DATABASE)) as source,
            closing(sqlite3.connect(folder / DATABASE)) as copy,
        ):
            source.backup(copy)

    def restore(self, folder: Path) -> None:
        """Put back what `back_up` has copied, of a Home Assistant that does not run."""
        assert not self.is_running
        shutil.rmtree(self._folder / STORAGE)
        for file in self._folder.glob(f"{DATABASE}*"):
            file.unlink()
        shutil.copytree(folder / STORAGE, self._folder / STORAGE)
        shutil.copy(folder / DATABASE, self._folder / DATABASE)

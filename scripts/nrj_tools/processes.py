"""Processes of the scripts, each in a group of its own.

So stopping one takes its children along, and nothing else.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
import os
from pathlib import Path
import signal
import subprocess

type Command = Sequence[str | Path]


@dataclass(frozen=True, slots=True)
class Finished:
    """Exit status and output of a finished program."""

    status: int
    output: str
    errors: str


async def run(
    command: Command, environment: Mapping[str, str] | None = None
) -> Finished:
    """Run a program to its end; cancelling this task ends the program.

    `environment` is added to that of this process.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **(environment or {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        output, errors = await process.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    return Finished(
        await process.wait(),
        output.decode(errors="replace"),
        errors.decode(errors="replace"),
    )


class ManagedProcess:
    """Program running until stopped, with its output in a log file."""

    def __init__(
        self,
        command: Command,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare the program; `environment` is added to the process's own."""
        self.log = log
        self._command = command
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return the process id of the started program."""
        return self._started().pid

    @property
    def running(self) -> bool:
        """Return whether the program is started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the program."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                env={**os.environ, **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def wait(self) -> int:
        """Wait until the program ends by itself; return its exit status."""
        process = self._started()
        await wait_for_end(process)
        return process.wait()

    async def stop(self, patience: float) -> None:
        """Stop the program: ask, wait up to `patience` seconds, then kill."""
        if (process := self._process) is None:
            return
        _signal_group(process, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await wait_for_end(process)
        _signal_group(process, signal.SIGKILL)
        process.wait()
        self._process = None

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("The program was not started")
        return self._process


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal a process and its children.

    One that was waited for already is left alone: its number may be another's by now.
    """
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)


async def wait_for_end(process: subprocess.Popen[bytes]) -> None:
    """Wait until `process` ends, without polling and without reaping the process."""
    if process.returncode is not None:
        return
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    descriptor = os.pidfd_open(process.pid)
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)

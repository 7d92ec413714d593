"""Run the demo as a person does: a process with output, signals and children."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
import os
from pathlib import Path
import signal
import sys

import aiohttp

from nrj_tools import ROOT
from nrj_tools.client import HomeAssistantClient
from nrj_tools.login import Login
from nrj_tools.ports import free_port
from tests.support.pace import patience

READY = "Ctrl-C stops it"
READY_TIMEOUT = 120.0
STOP_TIMEOUT = 60.0


@dataclass(slots=True)
class DemoProcess:
    """A demo; the folder and ports stay the same over several starts."""

    folder: Path
    port: int = field(default_factory=free_port)
    meter_port: int = field(default_factory=free_port)
    output: str = ""
    errors: str = ""
    children: list[int] = field(default_factory=list)
    _process: asyncio.subprocess.Process | None = None

    async def start(self, *options: str | Path) -> None:
        """Start the demo and wait for its ready sentence."""
        await self._launch(options)
        process = self._started()
        assert process.stdout is not None
        self.output = ""
        async with asyncio.timeout(patience(READY_TIMEOUT)):
            while READY not in self.output:
                line = await process.stdout.readline()
                assert line, f"the demo ended: {self.output}{await self._complaint()}"
                self.output += line.decode()
        self.children = children_of(process.pid)

    async def run(self, *options: str | Path) -> int:
        """Start a demo bound to refuse; return its exit status."""
        await self._launch(options)
        return await self.wait()

    async def wait(self) -> int:
        """Wait for the demo's end and return its exit status."""
        process = self._started()
        async with asyncio.timeout(patience(STOP_TIMEOUT)):
            output, errors = await process.communicate()
        self.output += output.decode()
        self.errors = errors.decode()
        self._process = None
        assert process.returncode is not None
        return process.returncode

    async def press_ctrl_c(self) -> int:
        """Stop the demo as Ctrl-C does; return its exit status."""
        self._started().send_signal(signal.SIGINT)
        return await self.wait()

    async def end(self) -> None:
        """Leave nothing behind, whatever happened."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            await self.wait()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[HomeAssistantClient]:
        """Log in with the user name and password from the demo's output."""
        async with aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            login = Login(session, f"http://127.0.0.1:{self.port}")
            await login.log_in()
            async with HomeAssistantClient(
                session, login.base_url, login.access_token
            ) as client:
                yield client

    async def _launch(self, options: tuple[str | Path, ...]) -> None:
        self.output = self.errors = ""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "nrj_demo",
            "--folder",
            self.folder,
            "--port",
            str(self.port),
            "--meter-port",
            str(self.meter_port),
            *options,
            env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def _complaint(self) -> str:
        stderr = self._started().stderr
        return "" if stderr is None else (await stderr.read()).decode()

    def _started(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        return self._process


def children_of(pid: int) -> list[int]:
    """Return the running child processes of a process."""
    return [
        int(stat.parent.name)
        for stat in Path("/proc").glob("[0-9]*/stat")
        if (fields := _fields(stat)) and int(fields[1]) == pid and fields[0] != "Z"
    ]


def is_running(pid: int) -> bool:
    """Return whether a process is there and not only a zombie."""
    fields = _fields(Path(f"/proc/{pid}/stat"))
    return bool(fields) and fields[0] != "Z"


def command_of(pid: int) -> str:
    """Return the command line of a process."""
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


def _fields(stat: Path) -> list[str]:
    """Return the fields of /proc/PID/stat after the program's name: state, parent, ..."""
    try:
        return stat.read_text().rpartition(")")[2].split()
    except OSError:
        return []

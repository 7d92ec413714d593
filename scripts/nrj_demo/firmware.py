"""Building and running the simulated meter: the real firmware as a Linux program."""

import fcntl
import os
from pathlib import Path
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from types import TracebackType
from typing import IO, Self

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "esphome" / "nrj-meter-simulated.yaml"
DEVICE_NAME = "nrj-meter"


class FirmwareError(Exception):
    """The firmware could not be built or did not start; the message says what to do."""


def esphome_executable() -> Path:
    """Return the pinned ESPHome, or raise FirmwareError."""
    venvs = Path(os.environ.get("NRJ_VENVS", ROOT / ".venv"))
    executable = venvs / "esphome" / "bin" / "esphome"
    if not executable.exists():
        raise FirmwareError("ESPHome is not installed: run scripts/setup first.")
    return executable


def esphome_environment() -> dict[str, str]:
    """Return an environment that keeps ESPHome's files inside the repository."""
    return {**os.environ, "ESPHOME_DATA_DIR": str(ROOT / ".build" / "esphome")}


def build() -> Path:
    """Build the simulated meter, incrementally, and return its program.

    Raises:
        FirmwareError: no compiler, or the build failed; names the log.
    """
    if shutil.which("g++") is None:
        raise FirmwareError(
            "No C++ compiler was found: install one"
            " (Debian, Ubuntu: 'sudo apt-get install g++') and run this again."
        )
    folder = ROOT / ".build"
    folder.mkdir(exist_ok=True)
    log = folder / "firmware.log"
    # Two builds in one folder would spoil each other's files.
    with (folder / "firmware.lock").open("a") as lock, log.open("w") as output:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = subprocess.run(
            [esphome_executable(), "compile", CONFIGURATION],
            env=esphome_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    program = _find_program(folder)
    if built.returncode != 0 or program is None:
        raise FirmwareError(f"The firmware could not be built: see {log}.")
    return program


def _find_program(folder: Path) -> Path | None:
    build_folder = folder / "esphome" / "build" / DEVICE_NAME
    programs = sorted(
        (
            path
            for path in build_folder.rglob("program")
            if path.is_file() and os.access(path, os.X_OK)
        ),
        key=lambda path: path.stat().st_mtime,
    )
    return programs[-1] if programs else None


PORTS = range(10_000, 30_000)
"""Below those that systems give to outgoing connections, which would come in between."""

_reserved: list[IO[bytes]] = []
"""Locks of the ports that this process was given, held until the process ends."""


def free_port() -> int:
    """Return a loopback TCP port nobody listens on now, and keep it from other tests and demos.

    Raises:
        FirmwareError: all are taken.
    """
    folder = Path(tempfile.gettempdir(), f"nrj-ports-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    start = os.getpid() * 37 % len(PORTS)
    for step in range(len(PORTS)):
        port = PORTS[(start + step) % len(PORTS)]
        lock = (folder / str(port)).open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        _reserved.append(lock)
        return port
    raise FirmwareError(f"No port from {PORTS[0]} to {PORTS[-1]} is free.")


class RunningFirmware:
    """One running simulated meter, in a process group of its own.

    `environment` holds the NRJ_* variables of docs/simulator.md.
    """

    def __init__(
        self,
        program: Path,
        folder: Path,
        port: int,
        environment: dict[str, str] | None = None,
    ) -> None:
        """Prepare; `folder` keeps preferences and the log."""
        self.program = program
        self.folder = folder
        self.port = port
        self.environment = environment or {}
        self.log = folder / "firmware.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, timeout: float = 60.0) -> None:
        """Start and wait until the API port answers.

        Raises:
            FirmwareError: the program stopped, or was silent for `timeout` seconds.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [self.program],
                env={
                    **os.environ,
                    "ESPHOME_PREFDIR": str(self.folder),
                    "NRJ_API_PORT": str(self.port),
                    **self.environment,
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise FirmwareError(self._last_words())
            with socket.socket() as probe:
                probe.settimeout(0.2)
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        self.stop()
        raise FirmwareError(f"The simulated meter does not answer: see {self.log}.")

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        reason = lines[-1] if lines else "it said nothing"
        return f"The simulated meter stopped at once: {reason}"

    def stop(self, timeout: float = 30.0) -> None:
        """Ask the program to stop, saving its totals; kill it if it does not."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def kill(self) -> None:
        """Pull the plug: nothing is saved."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()


if __name__ == "__main__":
    try:
        print(build())
    except FirmwareError as error:
        sys.exit(str(error))

"""Build and run of the simulated meter: the real firmware as a Linux program."""

from collections.abc import Sequence
import fcntl
import os
from pathlib import Path
import shutil
import signal
import socket
import subprocess
import sys
import time
from types import TracebackType
from typing import Final, Self

from . import ROOT

CONFIGURATION = ROOT / "esphome" / "nrj-meter-simulated.yaml"
DEVICE_NAME = "nrj-meter"


class FirmwareError(Exception):
    """Failed build or start of the firmware; the message says the remedy."""


def esphome_executable() -> Path:
    """Return the pinned ESPHome; raises FirmwareError without an installation."""
    venvs = Path(os.environ.get("NRJ_VENVS", ROOT / ".venv"))
    executable = venvs / "esphome" / "bin" / "esphome"
    if not executable.exists():
        raise FirmwareError("ESPHome is not installed: run scripts/setup first.")
    return executable


def esphome_environment() -> dict[str, str]:
    """Return an environment to keep ESPHome's files inside the repository."""
    return {**os.environ, "ESPHOME_DATA_DIR": str(ROOT / ".build" / "esphome")}


BUILT: Final = "NRJ_BUILT"
"""Environment variable with the program of this tree that is built already, and in which nothing changes."""


def build() -> Path:
    """Build the simulated meter, incrementally, and return its program.

    The test command builds it once for all its steps, and says so by `BUILT`.

    Raises:
        FirmwareError: no compiler, or the build failed; names the log.
    """
    built = Path(os.environ.get(BUILT, ""))
    if built.is_file() and built.is_relative_to(ROOT):
        return built
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
        compiled = subprocess.run(
            [esphome_executable(), "compile", CONFIGURATION],
            env=esphome_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    program = find_program()
    if compiled.returncode != 0 or program is None:
        raise FirmwareError(f"The firmware could not be built: see {log}.")
    return program


def find_program() -> Path | None:
    """Return the program of the latest build, None before the first."""
    build_folder = ROOT / ".build" / "esphome" / "build" / DEVICE_NAME
    programs = sorted(
        (
            path
            for path in build_folder.rglob("program")
            if path.is_file() and os.access(path, os.X_OK)
        ),
        key=lambda path: path.stat().st_mtime,
    )
    return programs[-1] if programs else None


def archive_components(program: Path, components: Sequence[str], archive: Path) -> None:
    """Put the compiled sources of `components` into an archive, of which a linker takes the needed ones.

    `program` is the meter's, as `build` returns it.

    Raises:
        FirmwareError: the archive could not be made; says what ar said.
    """
    compiled = program.parent / "obj" / "src" / "esphome" / "components"
    objects = [path for name in components for path in (compiled / name).glob("*.o")]
    archive.unlink(missing_ok=True)
    made = subprocess.run(
        ["ar", "rcs", archive, *sorted(objects)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        raise FirmwareError(f"{archive} could not be made: {made.stderr.strip()}")


class RunningFirmware:
    """Running simulated meter, in a process group of its own.

    `environment` holds the NRJ_* variables of docs/simulator.md.
    """

    def __init__(
        self,
        program: Path,
        folder: Path,
        port: int,
        environment: dict[str, str] | None = None,
    ) -> None:
        """Prepare the meter; `folder` keeps its preferences and log."""
        self.program = program
        self.folder = folder
        self.port = port
        self.environment = environment or {}
        self.log = folder / "firmware.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, timeout: float = 60.0) -> None:
        """Start the meter, and wait until its API port answers.

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
        """Stop the meter, which saves its totals; kill a hanging process."""
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
        """Kill the meter without saving, as a power cut does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def __enter__(self) -> Self:
        """Start the meter."""
        self.start()
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the meter."""
        self.stop()


if __name__ == "__main__":
    try:
        print(build())
    except FirmwareError as error:
        sys.exit(str(error))

"""Guard of the firmware, built for this machine."""

from collections.abc import Iterable, Sequence
import fcntl
from functools import cache
from pathlib import Path
import shutil
import subprocess

from custom_components.nrj_monitor.replay.errors import ReplayError
from custom_components.nrj_monitor.replay.guards import Change
from custom_components.nrj_monitor.replay.moments import TICK_MS, Moment, Row, Ticks
from nrj_tools import ROOT

FOLDER = ROOT / ".build"
GUARD = ROOT / "esphome" / "components" / "frequency_guard"
SOURCES = (
    ROOT / "scripts" / "cpp" / "guard_replay.cpp",
    *(
        GUARD / f"{name}.cpp"
        for name in ("frequency_check", "guard", "guard_profile", "guard_state")
    ),
)


DONE = "done"
"""Line that the program answers with the same, once it has played all before."""


@cache
def program() -> Path:
    """Build the guard's replay program from changed sources; return its path.

    Raises:
        ReplayError: there is no compiler, or it refuses.
    """
    FOLDER.mkdir(exist_ok=True)
    built = FOLDER / "guard_replay"
    newest = max(path.stat().st_mtime for path in (*SOURCES, *GUARD.glob("*.h")))
    # A program that is being written cannot run: one process builds, beside its place.
    with (FOLDER / "guard_replay.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists() or built.stat().st_mtime < newest:
            fresh = built.with_suffix(".new")
            _compile(fresh)
            fresh.replace(built)
    return built


def _compile(program: Path) -> None:
    if shutil.which("g++") is None:
        raise ReplayError(
            "No C++ compiler was found: install one (Debian, Ubuntu: 'sudo apt-get"
            " install g++') and run this again."
        )
    done = subprocess.run(
        ["g++", "-std=gnu++20", "-O2", "-o", program, *SOURCES],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ReplayError(f"The guard cannot be built: {done.stderr}")


class FirmwareGuard:
    """Guard of the firmware, in a process of its own."""

    def __init__(self, options: Sequence[str]) -> None:
        """Start the guard's program with `options`."""
        self._process = subprocess.Popen(
            [program(), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """End the program."""
        self._process.kill()
        self._process.communicate()

    def play(self, moments: Iterable[Moment]) -> list[Change]:
        """Play moments; return the changes they cause.

        Raises:
            ReplayError: the guard refuses an option.
        """
        return self.send(_line(moment) for moment in moments)

    def send(self, lines: Iterable[str]) -> list[Change]:
        """Send lines to the program; return the changes they cause.

        The changes of so many lines as are sent at once must fit into a pipe.

        Raises:
            ReplayError: the guard refuses an option, or a line.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write("".join(f"{line}\n" for line in lines) + f"{DONE}\n")
            stdin.flush()
        except BrokenPipeError as error:
            raise self._refusal() from error
        changes = []
        while (answer := stdout.readline().strip()) != DONE:
            if not answer:
                raise self._refusal()
            changes.append(_change(answer))
        return changes

    def _refusal(self) -> ReplayError:
        assert self._process.stderr is not None
        return ReplayError(self._process.stderr.read().strip())


def _line(moment: Moment) -> str:
    """Return a moment as a line of the program's input."""
    if isinstance(moment, Row):
        hertz = moment.frequency
        return f"{moment.time_ms} " + " ".join(
            [f"{volts!r} {hertz!r}" for volts in moment.voltages]
        )
    if isinstance(moment, Ticks):
        return f"ticks {moment.first_ms} {moment.last_ms} {TICK_MS}"
    return f"restart {moment.time_ms}"


def _change(line: str) -> Change:
    time_ms, state, reason, frequency, may_restore, outage = line.split()
    return Change(
        int(time_ms), state, reason, frequency, may_restore == "1", outage == "1"
    )

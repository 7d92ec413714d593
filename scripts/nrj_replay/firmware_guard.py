"""Guard of the firmware, built for this machine."""

from collections.abc import Iterable, Sequence
import fcntl
from functools import cache
from pathlib import Path
import shutil
import subprocess
from typing import NamedTuple

from custom_components.nrj_monitor.frequency_guard.frequency_check import GridSample
from nrj_tools import ROOT

from .errors import ReplayError

FOLDER = ROOT / ".build"
GUARD = ROOT / "esphome" / "components" / "frequency_guard"
SOURCES = (
    ROOT / "scripts" / "cpp" / "guard_replay.cpp",
    *(
        GUARD / f"{name}.cpp"
        for name in ("frequency_check", "guard", "guard_profile", "guard_state")
    ),
)


class Change(NamedTuple):
    """Change of the guard's stage, with its time."""

    time_ms: int
    state: str
    reason: str
    frequency: str
    may_restore: bool
    outage: bool


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


def firmware_changes(
    samples: Iterable[GridSample | int], options: Sequence[str] = ()
) -> list[Change]:
    """Return the changes of the firmware's guard for samples; a bare time is a tick.

    Raises:
        ReplayError: the guard refuses an option.
    """
    lines = (
        str(sample)
        if isinstance(sample, int)
        else f"{sample.time_ms} "
        + " ".join(f"{p.voltage!r} {p.frequency!r}" for p in sample.phases)
        for sample in samples
    )
    done = subprocess.run(
        [program(), *options],
        input="\n".join(lines),
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode != 0:
        raise ReplayError(done.stderr.strip())
    return [_change(line) for line in done.stdout.splitlines()]


def _change(line: str) -> Change:
    time_ms, state, reason, frequency, may_restore, outage = line.split()
    return Change(
        int(time_ms), state, reason, frequency, may_restore == "1", outage == "1"
    )

"""The steps of the test command: the commands, needs and lane of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
import os
from pathlib import Path
import sys

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / ".build" / "test"
VENVS = Path(os.environ.get("NRJ_VENVS") or ROOT / ".venv")
BIN = Path(sys.executable).parent

type Command = tuple[str | Path, ...]

COVERAGE = ROOT / ".build" / "coverage.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Commands run in order until the first failure.

    `needs` names the step that has to be over before. `first` marks a step that goes first where processors are short:
    other steps wait for it, or it waits for clocks, and what it measures is not to be how busy this machine is.
    """

    commands: tuple[Command, ...]
    needs: str | None = None
    first: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


def _pytest(*arguments: str | Path, python: Path = BIN / "python") -> Command:
    return (python, "-m", "pytest", "-q", "--durations=15", *arguments)


_ROOMS = ("tests", "--ignore", "tests/end_to_end")

STEPS: Mapping[str, Step] = {
    "lint": Step(
        commands=(
            (BIN / "ruff", "check", "."),
            (BIN / "ruff", "format", "--check", "."),
            (BIN / "yamllint", "--strict", "."),
            (
                *(BIN / "zizmor", "--offline", "--quiet"),
                *("--min-severity", "medium", ".github"),
            ),
            (BIN / "python", "-m", "nrj_test.shellcheck"),
            (BIN / "python", "-m", "nrj_test.clang_format"),
        )
    ),
    "types": Step(
        commands=(
            (
                *(BIN / "mypy", "custom_components", "tests", "scripts"),
                *("firmware_tests", "conftest.py"),
            ),
        )
    ),
    "build": Step(commands=((BIN / "python", "-m", "nrj_test.build"),), first=True),
    "cpp": Step(commands=(("firmware_tests/cpp/run",),)),
    # More workers than processors: these tests wait for clocks. The same below.
    "firmware": Step(
        commands=(
            _pytest(
                *("firmware_tests", "-p", "no:homeassistant"),
                *("-n", "4", "--dist", "loadgroup"),
            ),
        ),
        needs="build",
        first=True,
    ),
    "integration": Step(
        commands=(
            _pytest(
                *_ROOMS,
                *("-n", "3"),
                *("--cov", "custom_components/nrj_monitor", "--cov-branch"),
                *("--cov-report", f"json:{COVERAGE}"),
            ),
            (BIN / "python", "scripts/coverage_floor.py", COVERAGE),
        ),
        needs="build",
        environment={
            "COVERAGE_FILE": str(ROOT / ".build" / "coverage"),
            # Python's own monitoring counts the same lines and branches in a quarter of the time.
            "COVERAGE_CORE": "sysmon",
        },
    ),
    # What depends on Home Assistant, on its next release.
    "next": Step(
        commands=(
            _pytest(
                *("-p", "tests.support.coming_release"),
                *_ROOMS,
                # What it attacks is our own code, the same on every release.
                *("--ignore", "tests/attack"),
                *("-n", "3"),
                python=VENVS / "next" / "bin" / "python",
            ),
        ),
        needs="build",
    ),
    # A file, or a schedule of faults, a worker.
    "end_to_end": Step(
        commands=(
            _pytest(
                *("tests/end_to_end", "-p", "no:homeassistant"),
                *("-n", "5", "--dist", "loadgroup"),
            ),
        ),
        needs="build",
        first=True,
    ),
}

LANES = (
    ("build", "end_to_end", "firmware"),
    ("lint", "types", "cpp", "integration"),
    ("next",),
)
"""Steps of a lane run one after the other, the lanes side by side: some wait while the others compute.

A lane at its end takes over what another has not begun.
"""

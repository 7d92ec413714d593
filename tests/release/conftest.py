"""Copy the project's checkout to release from, apart from the checkout under test."""

from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
import io
from pathlib import Path
import shutil
from typing import NamedTuple

import pytest

from nrj_release.__main__ import main

ROOT = Path(__file__).parents[2]

PARTS = (
    "CHANGELOG.md",
    "custom_components/nrj_monitor",
    "docs",
    "esphome",
    "pyproject.toml",
)


class Result(NamedTuple):
    """The exit status and output of a command."""

    returncode: int
    stdout: str
    stderr: str


type Release = Callable[..., Result]


def copy_checkout(target: Path) -> Path:
    """Copy every file scripts/release reads or writes into the folder `target`, and return the folder."""
    ignored = shutil.ignore_patterns(
        "__pycache__", ".esphome", "components", "recordings"
    )
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, target / part, ignore=ignored)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / part, target / part)
    # Also where all that has changed is released already.
    changelog = target / "CHANGELOG.md"
    changelog.write_text(
        changelog.read_text().replace(
            "## [Unreleased]\n", "## [Unreleased]\n\n### Fixed\n\n- A thing.\n", 1
        )
    )
    return target


def run_release(root: Path, *arguments: str | Path) -> Result:
    """Run scripts/release's program on the checkout at `root`."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with redirect_stdout(stdout), redirect_stderr(stderr):
        returncode = main([str(argument) for argument in arguments], root)
    return Result(returncode, stdout.getvalue(), stderr.getvalue())


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of the checkout."""
    return copy_checkout(tmp_path / "checkout")


@pytest.fixture
def release(checkout: Path) -> Release:
    """Run scripts/release on the copy."""

    def run(*arguments: str | Path) -> Result:
        return run_release(checkout, *arguments)

    return run

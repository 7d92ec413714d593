"""Let scripts/setup install missing programs as root, and name the programs to anybody else."""

from collections.abc import Callable
import os
from pathlib import Path
import subprocess

import pytest

from tests.release.conftest import ROOT

SAYS = '#!/bin/sh\necho "$0 $*" | sed "s|^.*/||" >>"$LOG"\n'
"""A program that writes down how it was called."""

type Install = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Return the folder of all programs of a bare machine."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "sed", "mkdir", "sh", "env", "cat"):
        (programs / name).symlink_to(Path("/bin") / name)
    return programs


def put(machine: Path, name: str, text: str) -> None:
    """Put a program onto the machine."""
    (machine / name).write_text(text)
    (machine / name).chmod(0o755)


@pytest.fixture
def install(machine: Path, tmp_path: Path) -> Install:
    """Ask for packages on the machine."""

    def run(*packages: str) -> subprocess.CompletedProcess[str]:
        libraries = ROOT / "scripts/lib"
        return subprocess.run(
            [
                machine / "bash",
                "-euo",
                "pipefail",
                "-c",
                f'. {libraries}/say.sh; . {libraries}/packages.sh; install_missing "$@"',
                "setup",
                *packages,
            ],
            env={
                "PATH": str(machine),
                "LOG": str(tmp_path / "log"),
                "VENVS": str(tmp_path / "venvs"),
            },
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return run


INSTALLED = [
    "apt-get update",
    "apt-get install --yes --no-install-recommends chromium tool",
]


def test_root_installs_missing_programs(
    machine: Path, install: Install, tmp_path: Path
) -> None:
    """Install the missing programs only."""
    put(machine, "id", "#!/bin/sh\necho 0\n")
    put(machine, "apt-get", SAYS)
    put(machine, "curl", SAYS)
    result = install("chromium", "curl", "tool")
    assert result.returncode == 0, result.stderr
    assert result.stdout == "Installing chromium tool …\n"
    assert (tmp_path / "log").read_text().splitlines() == INSTALLED


def test_a_passwordless_sudo_will_do(
    machine: Path, install: Install, tmp_path: Path
) -> None:
    """Install through a passwordless sudo, as on GitHub's runners."""
    put(machine, "id", "#!/bin/sh\necho 1001\n")
    put(machine, "apt-get", SAYS)
    put(machine, "true", "#!/bin/sh\n")
    put(machine, "sudo", '#!/bin/sh\n[ "$1" = -n ] || exit 1\nshift\nexec "$@"\n')
    result = install("chromium", "tool")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "log").read_text().splitlines() == INSTALLED


@pytest.mark.parametrize(
    ("uid", "programs"),
    [
        # Nobody who may: no sudo at all, one that asks, and no apt-get.
        (1001, {"apt-get": SAYS}),
        (1001, {"apt-get": SAYS, "sudo": "#!/bin/sh\nexit 1\n"}),
        (0, {}),
        # The package does not exist, or the network is away.
        (0, {"apt-get": "#!/bin/sh\nexit 100\n"}),
    ],
)
def test_a_sentence_names_the_missing_programs(
    uid: int,
    programs: dict[str, str],
    machine: Path,
    install: Install,
    tmp_path: Path,
) -> None:
    """Name the missing programs in a single sentence, and change nothing."""
    put(machine, "id", f"#!/bin/sh\necho {uid}\n")
    for name, text in programs.items():
        put(machine, name, text)
    result = install("chromium", "libtool")
    assert result.returncode == 1
    assert result.stderr == (
        "This machine lacks chromium libtool: install that (Debian, Ubuntu:"
        " 'sudo apt-get install chromium libtool') and run this again.\n"
    )
    assert not (tmp_path / "log").exists()


def test_a_complete_machine_needs_no_root(machine: Path, install: Install) -> None:
    """Ask for no root on a machine with all programs."""
    for name in ("chromium", "curl"):
        put(machine, name, SAYS)
    result = install("chromium", "curl", "fonts-dejavu-core")
    assert result.returncode == 0
    assert result.stdout == result.stderr == ""


def test_setup_names_every_program_of_the_tests() -> None:
    """Install with scripts/setup every program the tests look for."""
    setup = (ROOT / "scripts/setup").read_text()
    wanted = [line for line in setup.splitlines() if "install_missing" in line]
    for package in ("g++", "chromium", "curl", "libgtest-dev", "mosquitto", "openssl"):
        assert any(package in line.split() for line in wanted), package
    assert os.access(ROOT / "scripts/setup", os.X_OK)

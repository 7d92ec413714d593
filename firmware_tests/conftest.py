"""Build the simulated meter once, and run a meter for each test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firmware_tests import guarded_plug
from firmware_tests.guarded_plug import GuardedPlugs
from nrj_tools.firmware import RunningFirmware, build
from nrj_tools.ports import free_port

BUILT_ONCE = ("boards", "guarded_plugs", "plugged", "tables", "tree")
"""Fixtures that take so long that one worker makes them for all who use them."""


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a slowly built fixture on the same worker."""
    for item in items:
        used = getattr(item, "fixturenames", ())
        for name in BUILT_ONCE:
            if name in used:
                item.add_marker(pytest.mark.xdist_group(name))


@pytest.fixture(scope="session")
def program() -> Path:
    """Return the program of the simulated meter."""
    return build()


@pytest.fixture(scope="session")
def guarded_plugs(tmp_path_factory: pytest.TempPathFactory) -> GuardedPlugs:
    """Build a guarded plug, without and with a password for updates."""
    return guarded_plug.build(tmp_path_factory.mktemp("guarded"))


type RunMeter = Callable[..., RunningFirmware]

EVENING = "72000"
"""The simulated house starts at 20:00 whatever the time of day: it draws, and for hours."""


@pytest.fixture
def run_meter(program: Path, tmp_path: Path) -> Iterator[RunMeter]:
    """Start meters, all stopped at the end. Same folder = same flash."""
    running: list[RunningFirmware] = []

    def run(folder: str = "meter", **environment: str) -> RunningFirmware:
        if "NRJ_RECORDING" not in environment:
            environment = {"NRJ_START": EVENING} | environment
        firmware = RunningFirmware(program, tmp_path / folder, free_port(), environment)
        firmware.start()
        running.append(firmware)
        return firmware

    yield run
    for firmware in running:
        firmware.stop()

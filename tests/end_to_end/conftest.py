"""A real firmware and a real Home Assistant, built once and started where needed."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from firmware_tests.meter_client import MeterClient, connected
from nrj_demo.folder import DemoFolder
from nrj_demo.house import House, running_house
from nrj_demo.options import Options, Playback
from nrj_tools.firmware import FirmwareError, build, esphome_executable
from nrj_tools.ports import free_port

HERE = Path(__file__).parent

LONGEST = ("test_faults.py", "test_a_whole_life", "scripts/bench integration")
"""Tests that nothing else should have to wait for at the end."""

type StartHouse = Callable[[Playback], AbstractAsyncContextManager[House]]
type ConnectMeter = Callable[[House], AbstractAsyncContextManager[MeterClient]]


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a shared house on the same worker, and begin with the longest."""
    items.sort(key=lambda item: not any(name in item.nodeid for name in LONGEST))
    for item in items:
        path = item.path
        if HERE in path.parents and "house" in getattr(item, "fixturenames", ()):
            shared = path if path.parent == HERE else path.parent
            item.add_marker(pytest.mark.xdist_group(shared.name))


@pytest.fixture(scope="session")
def program() -> Path:
    """Return the program of the simulated meter, built if need be."""
    try:
        esphome_executable()
    except FirmwareError as error:
        pytest.skip(str(error))
    return build()


@pytest.fixture(scope="session")
def start_house(program: Path, tmp_path_factory: pytest.TempPathFactory) -> StartHouse:
    """Return a function to run a meter and a Home Assistant in a new folder."""

    @asynccontextmanager
    async def start(playback: Playback) -> AsyncIterator[House]:
        options = Options(
            folder=tmp_path_factory.mktemp("house"),
            port=free_port(),
            meter_port=free_port(),
            playback=playback,
        )
        async with running_house(DemoFolder(options.folder), program, options) as house:
            yield house

    return start


@pytest.fixture(scope="session")
def connect_meter() -> ConnectMeter:
    """Return a function to open a second connection to a house's meter."""
    return lambda house: connected(house.firmware.port)

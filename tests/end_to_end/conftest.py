"""A real firmware and a real Home Assistant, built once and started where needed."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from firmware_tests.meter_client import MeterClient, connected
from nrj_demo.folder import DemoFolder
from nrj_demo.house import House, running_house
from nrj_demo.options import Options, Playback
from nrj_demo.programs import build_firmware
from nrj_tools.firmware import FirmwareError, esphome_executable
from nrj_tools.ports import free_port

HERE = Path(__file__).parent

LONGEST = ("test_faults.py", "test_a_whole_life", "scripts/bench integration")
"""Tests that nothing else should have to wait for at the end."""

type StartHouse = Callable[[Playback], AbstractAsyncContextManager[House]]
type ConnectMeter = Callable[[House], AbstractAsyncContextManager[MeterClient]]


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests of a shared house on the same worker, and begin with the longest."""
    items.sort(key=lambda item: not any(name in item.nodeid for name in LONGEST))
    for item in items:
        if item.path.parent == HERE and "house" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group(item.path.name))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def program() -> Path:
    """Return the program of the simulated meter, built if need be."""
    try:
        esphome_executable()
    except FirmwareError as error:
        pytest.skip(str(error))
    return await build_firmware()


@pytest.fixture(scope="module")
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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(start_house: StartHouse) -> AsyncGenerator[House]:
    """Run a meter with the built-in house, and a Home Assistant."""
    async with start_house(Playback()) as running:
        yield running


@pytest.fixture(scope="module")
def connect_meter() -> ConnectMeter:
    """Return a function to open a second connection to a house's meter."""
    return lambda house: connected(house.firmware.port)

"""Play the recording of a grid's collapse to a real meter."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from nrj_demo.house import House
from nrj_demo.options import Playback
from tests.end_to_end.conftest import StartHouse
from tests.end_to_end.recordings import TOLEDO, Recording, toledo


@pytest.fixture(scope="package")
def recording() -> Recording:
    """Return the recording of a town's grid outage."""
    return toledo()


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def house(recording: Recording, start_house: StartHouse) -> AsyncGenerator[House]:
    """Run a house whose meter plays the recording, held at its beginning."""
    async with start_house(Playback(recording=TOLEDO, speed=0.0)) as running:
        yield running

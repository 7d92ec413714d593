"""Run the house that the demo shows."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest_asyncio

from nrj_demo.energy_dashboard import ensure_energy_dashboard
from nrj_demo.history import fill_history
from nrj_demo.house import House
from nrj_demo.options import Playback
from nrj_demo.overview import ensure_overview
from nrj_demo.programs import build_signal_tool
from tests.end_to_end.conftest import StartHouse

EVENING = 72600.0
"""Ten past eight, seconds since midnight: the house uses a few Wh a minute on every
phase."""


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def house(program: Path, start_house: StartHouse) -> AsyncGenerator[House]:
    """Run a house set up by the demo."""
    async with start_house(Playback(start=EVENING)) as running:
        await ensure_energy_dashboard(running.client, running.meter)
        await ensure_overview(running.client, running.meter)
        await fill_history(running, await build_signal_tool(program))
        yield running

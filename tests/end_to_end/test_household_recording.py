"""A real household through the whole chain: powers as recorded, and not a Wh lost."""

import asyncio
from collections.abc import AsyncGenerator
from math import hypot

import pytest
import pytest_asyncio

from nrj_demo.house import House
from nrj_demo.options import Playback
from tests.end_to_end.conftest import ConnectMeter, StartHouse
from tests.end_to_end.playing import (
    FREQUENCY_TOLERANCE,
    POWER_STEP,
    POWER_TOLERANCE,
    VOLTAGE_STEP,
    VOLTAGE_TOLERANCE,
    differs,
    hold_at,
    readings,
)
from tests.end_to_end.recordings import HOUSEHOLD, Recording, household

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROWS = (8, 21, 46, 300, 461, 666, 947, 1200, 1500, 1870, 2000, 2202)
"""Minutes of the recording to look at, from its largest power (21) to its least (1870)."""

SPEED = 60.0
WALL_SECONDS = 60.0

CURRENT_TOLERANCE = 0.012
CURRENT_STEP = 0.02  # A

ENERGY_TOLERANCE = 0.005
ENERGY_RESOLUTION = 0.004  # kWh

NOMINAL_FREQUENCY = 50.0


@pytest.fixture(scope="module")
def recording() -> Recording:
    """Return the recording."""
    return household()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(recording: Recording, start_house: StartHouse) -> AsyncGenerator[House]:
    """Run a house whose meter plays the recording, held at its beginning."""
    async with start_house(Playback(recording=HOUSEHOLD, speed=0.0)) as running:
        yield running


async def test_an_hour_in_a_minute(
    house: House, recording: Recording, connect_meter: ConnectMeter
) -> None:
    """The energy Home Assistant counts is the area under the recorded power."""
    async with connect_meter(house) as meter:
        await hold_at(meter, 0.0)
        before = await readings(house)
        start = meter.value_of_number("simulation_position")
        meter.set_number("simulation_speed", SPEED)
        await asyncio.sleep(WALL_SECONDS)
        meter.set_number("simulation_speed", 0.0)
        await asyncio.sleep(3.0)
        end = meter.value_of_number("simulation_position")
        after = await readings(house)
    assert start == 0
    assert end == pytest.approx(SPEED * WALL_SECONDS, rel=0.02)
    used = recording.integral("active_power_l1", start, end) / 3.6e6
    for key in ("import_energy", "import_energy_l1"):
        assert after[key] - before[key] == pytest.approx(
            used, rel=ENERGY_TOLERANCE, abs=ENERGY_RESOLUTION
        )
    assert after["export_energy"] == after["export_energy_l1"] == 0
    assert after["import_energy_l2"] == 0


async def test_held_samples(
    house: House, recording: Recording, connect_meter: ConnectMeter
) -> None:
    """Show each held sample with its recorded values."""
    wrong: list[str] = []
    async with connect_meter(house) as meter:
        for row in ROWS:
            second = recording.second_of(row)
            await hold_at(meter, second)
            shown = await readings(house)
            voltage, current, active, reactive = (
                recording.at(f"{name}_l1", second)
                for name in ("voltage", "current", "active_power", "reactive_power")
            )
            # The current cannot be less than the powers need; their minute's means
            # sometimes say so.
            current = max(current, hypot(active, reactive) / voltage)
            checks = (
                ("voltage_l1", voltage, VOLTAGE_TOLERANCE, VOLTAGE_STEP),
                ("current_l1", current, CURRENT_TOLERANCE, CURRENT_STEP),
                ("active_power_l1", active, POWER_TOLERANCE, POWER_STEP),
                ("active_power", active, POWER_TOLERANCE, POWER_STEP),
                ("reactive_power_l1", reactive, POWER_TOLERANCE, POWER_STEP),
                ("reactive_power", reactive, POWER_TOLERANCE, POWER_STEP),
                ("frequency", NOMINAL_FREQUENCY, 0.0, FREQUENCY_TOLERANCE),
                ("voltage_l2", 0.0, 0.0, VOLTAGE_STEP),
                ("active_power_l2", 0.0, 0.0, POWER_STEP),
                ("current_l3", 0.0, 0.0, CURRENT_STEP),
            )
            wrong += [
                f"minute {row}: {key} {shown[key]}, recorded {recorded}"
                for key, recorded, relative, absolute in checks
                if differs(shown[key], recorded, relative, absolute)
            ]
    assert not wrong

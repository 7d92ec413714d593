"""Detect faults of the chip and its wire, report the fault, and recover without help."""

import asyncio
from math import isnan
from pathlib import Path

import pytest

from firmware_tests.conftest import RunMeter
from firmware_tests.meter_client import MeterClient, connected

STEADY = """\
time,frequency,voltage_l1,voltage_l2,voltage_l3,active_power_l1,active_power_l2,active_power_l3
0,50,230,230,230,1500,1500,1500
864000,50,230,230,230,1500,1500,1500
"""
AVGAIN, ACCMODE = 0x00B, 0x492


@pytest.fixture
def steady(tmp_path: Path) -> str:
    """Return a recording in which nothing changes for ten days."""
    path = tmp_path / "steady.csv"
    path.write_text(STEADY)
    return str(path)


async def simulate(meter: MeterClient, action: str, **data: float) -> None:
    """Make something go wrong."""
    _, services = await meter.api.list_entities_services()
    (service,) = (service for service in services if service.name == action)
    await meter.api.execute_service(service, dict(data))


async def test_frames_that_are_lost_or_damaged_do_not_stop_the_meter(
    run_meter: RunMeter, steady: str
) -> None:
    """After each kind of fault in either direction the meter measures and counts on."""
    async with connected(run_meter(NRJ_RECORDING=steady).port) as meter:
        await meter.new_values("voltage_l1", "import_energy_l1")
        for position in range(6):
            for fault in range(1, 6):
                await simulate(
                    meter,
                    "simulate_line_fault",
                    fault=fault,
                    frames=1,
                    position=3 * position,
                )
                await asyncio.sleep(0.05)
        await asyncio.sleep(1.0)
        before = meter.value("import_energy_l1")
        await meter.new_values("voltage_l1", "import_energy_l1")
        assert meter.value("voltage_l1") == pytest.approx(230.0, rel=1e-3)
        await meter.wait(lambda: meter.value("import_energy_l1") > before)


@pytest.mark.parametrize(
    ("address", "mask"),
    [
        pytest.param(ACCMODE, 0x10, id="a setting of the driver"),
        # A gain is 1 + x / 2**27: half as much again.
        pytest.param(AVGAIN, 0x04000000, id="a gain that nobody set"),
    ],
)
async def test_a_configuration_that_changed_is_noticed_and_put_right(
    run_meter: RunMeter, steady: str, address: int, mask: int
) -> None:
    """The checksum tells within a second, the chip is set up again, no total jumps."""
    async with connected(run_meter(NRJ_RECORDING=steady).port) as meter:
        await meter.new_values("voltage_l1", "import_energy_l1")
        before = meter.value("import_energy_l1")
        await simulate(meter, "simulate_upset", address=address, mask=mask)
        await meter.wait(lambda: meter.value("configuration_errors") == 1)
        await meter.new_values("voltage_l1", "import_energy_l1")
        assert meter.value("voltage_l1") == pytest.approx(230, rel=2e-4)
        assert meter.value("active_power_l1") == pytest.approx(1500, rel=5e-4)
        assert meter.value("configuration_errors") == 1
        assert meter.value("chip_resets") == 0
        assert before <= meter.value("import_energy_l1") < before + 0.02


@pytest.mark.parametrize("level", [1, 2])
async def test_a_stuck_line_is_no_reading_and_loses_no_energy(
    run_meter: RunMeter, steady: str, level: int
) -> None:
    """Read nothing from a stuck line, and add the chip's energy once the line is whole."""
    async with connected(run_meter(NRJ_RECORDING=steady).port) as meter:
        await meter.new_values("voltage_l1", "import_energy_l1")
        before = meter.value("import_energy_l1")
        start = meter.value_of_number("simulation_position")
        await simulate(meter, "simulate_stuck_bus", level=level)
        await meter.wait(lambda: isnan(meter.value("voltage_l1")))
        await meter.new_values("voltage_l1", "import_energy_l1", count=2)
        assert meter.value("rejected_frames_stuck") >= 5
        assert meter.value("import_energy_l1") - before < 0.001
        await simulate(meter, "simulate_stuck_bus", level=0)
        await meter.wait(lambda: meter.value("voltage_l1") > 229)
        await meter.new_values("import_energy_l1", "simulation_position", count=1)
        seconds = meter.value_of_number("simulation_position") - start
        gained = meter.value("import_energy_l1") - before
        # Both positions are up to a second old.
        assert gained == pytest.approx(1.5 * seconds / 3600, abs=1.5 * 2 / 3600)
        assert meter.value("chip_resets") == 0
        assert meter.value("configuration_errors") == 0

"""Check the diagnosis of wrong wiring through the real firmware."""

from pathlib import Path

import pytest

from firmware_tests.conftest import RunMeter
from firmware_tests.meter_client import MeterClient, connected
from firmware_tests.user_actions import ask, call, text

HEATERS = """\
time,voltage_l1,voltage_l2,voltage_l3,active_power_l1,active_power_l2,active_power_l3,reactive_power_l1
0,230,231,229,2300,1500,1900,300
864000,230,231,229,2300,1500,1900,300
"""


@pytest.fixture
def heaters(tmp_path: Path) -> str:
    """Return a recording of a house with heaters on every phase."""
    path = tmp_path / "heaters.csv"
    path.write_text(HEATERS)
    return str(path)


async def current_on(
    meter: MeterClient, pins: int, line: int, factor: float = 1
) -> None:
    """Move a transformer."""
    await call(meter, "simulate_current_wiring", pins=pins, line=line, factor=factor)


async def voltage_on(
    meter: MeterClient, pins: int, line: int, factor: float = 1
) -> None:
    """Move a voltage input."""
    await call(meter, "simulate_voltage_wiring", pins=pins, line=line, factor=factor)


async def verdict(meter: MeterClient) -> str:
    """Let the new wiring settle, check the wiring, and return the verdict."""
    await meter.new_values("active_power_l1", "active_power_l3", count=3)
    answer = await ask(meter, "check_wiring")
    assert answer.success == (answer.message == "Everything is connected right.")
    return answer.message


async def test_a_rightly_wired_meter(run_meter: RunMeter, heaters: str) -> None:
    """Confirm a right wiring by button, action and entity."""
    async with connected(run_meter(NRJ_RECORDING=heaters).port) as meter:
        await meter.wait(lambda: "wiring" in meter.states)
        assert "Not checked yet" in text(meter, "wiring")
        await meter.wait(lambda: "wiring_codes" in meter.states)
        assert text(meter, "wiring_codes") == "not_checked"
        await meter.new_values("active_power_l1")
        meter.press("check_wiring")
        await meter.wait(
            lambda: text(meter, "wiring") == "Everything is connected right."
        )
        await meter.wait(lambda: text(meter, "wiring_codes") == "right")


async def test_a_wrongly_wired_meter(run_meter: RunMeter, heaters: str) -> None:
    """Answer each mistake at the chip's pins with the words to mend the wiring."""
    async with connected(run_meter(NRJ_RECORDING=heaters).port) as meter:
        await current_on(meter, 1, 1, -1)
        assert (
            await verdict(meter)
            == "Turn transformer I2 round (unless that line feeds in now)."
        )
        await meter.wait(lambda: text(meter, "wiring_codes") == "reversed_current:I2")
        await current_on(meter, 1, 2)
        await current_on(meter, 2, 1)
        assert (
            await verdict(meter) == "Transformers I2 and I3 are exchanged: swap them."
        )
        await voltage_on(meter, 1, 2)
        await voltage_on(meter, 2, 1)
        assert "The phase sequence is reversed: swap L2 and L3" in await verdict(meter)
        await current_on(meter, 1, 1)
        await current_on(meter, 2, 2)
        assert (
            await verdict(meter) == "Voltage inputs V2 and V3 are exchanged: swap them."
        )
        await voltage_on(meter, 1, 1)
        await voltage_on(meter, 2, 2, 0)
        assert await verdict(meter) == "No voltage at V3: check fuse and wire."
        await voltage_on(meter, 2, 2)
        for pins in range(3):
            await current_on(meter, pins, (pins + 1) % 3)
        assert (
            await verdict(meter)
            == "Transformer I1 sits on L2, I2 on L3, I3 on L1: move each to its own line."
        )
        await meter.wait(
            lambda: text(meter, "wiring_codes") == "misplaced_current:I1=L2,I2=L3,I3=L1"
        )


async def test_a_silent_chip_is_reported(run_meter: RunMeter, heaters: str) -> None:
    """Without measurements the check blames no transformer."""
    async with connected(run_meter(NRJ_RECORDING=heaters).port) as meter:
        await meter.new_values("active_power_l1")
        await call(meter, "simulate_stuck_bus", level=1)
        answer = await ask(meter, "check_wiring")
        assert not answer.success
        assert "The chip gives no measurements" in answer.message
        await meter.wait(lambda: text(meter, "wiring_codes") == "no_measurement")

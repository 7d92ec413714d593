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


async def verdict_with_heaters(
    meter: MeterClient, transformers: dict[int, tuple[int, float]]
) -> str:
    """Check with a small load on each transformer, then with each line's heater on.

    `transformers` are line and direction by current input.
    """
    for pins, (line, direction) in transformers.items():
        await current_on(meter, pins, line, 0.2 * direction)
    answer = await verdict(meter)
    for pins, (line, direction) in transformers.items():
        await current_on(meter, pins, line, direction)
        answer = await verdict(meter)
    return answer


async def test_a_wrongly_wired_meter(run_meter: RunMeter, heaters: str) -> None:
    """Answer each mistake at the chip's pins with what to do next, and with heaters on what to swap."""
    async with connected(run_meter(NRJ_RECORDING=heaters).port) as meter:
        await current_on(meter, 1, 1, -1)
        assert "Uncertain: I2." in await verdict(meter)
        await meter.wait(
            lambda: (
                text(meter, "wiring_codes")
                == "incomplete;uncertain_current:I2;switch_on_heater:L2"
            )
        )
        assert await verdict_with_heaters(meter, {1: (1, -1)}) == (
            "Turn these transformers round: I2."
        )
        await meter.wait(lambda: text(meter, "wiring_codes") == "reversed_current:I2")
        assert await verdict_with_heaters(meter, {1: (2, 1), 2: (1, 1)}) == (
            "These transformers are exchanged, swap them: I2, I3."
        )
        rotated = {pins: ((pins + 1) % 3, 1.0) for pins in range(3)}
        assert await verdict_with_heaters(meter, rotated) == (
            "These transformers are on another line, move each to its own: I1 -> L2, I2 -> L3, I3 -> L1."
        )
        await meter.wait(
            lambda: text(meter, "wiring_codes") == "misplaced_current:I1=L2,I2=L3,I3=L1"
        )
        for pins in range(3):
            await current_on(meter, pins, pins)
        await voltage_on(meter, 1, 2)
        await voltage_on(meter, 2, 1)
        assert "The phase sequence is reversed" in await verdict(meter)
        right = {pins: (pins, 1.0) for pins in range(3)}
        assert await verdict_with_heaters(meter, right) == (
            "These voltage inputs are exchanged, swap them: V2, V3."
        )


async def test_the_meters_own_fuse_is_told_unasked(
    run_meter: RunMeter, heaters: str
) -> None:
    """A voltage that is lost while its line's current flows is told, and its return."""
    async with connected(run_meter(NRJ_RECORDING=heaters).port) as meter:
        await meter.wait(lambda: "wiring_codes" in meter.states)
        await voltage_on(meter, 2, 2, 0)
        await meter.wait(lambda: text(meter, "wiring_codes") == "lost_tap:V3")
        assert "the meter's own fuse" in text(meter, "wiring")
        await voltage_on(meter, 2, 2)
        await meter.wait(lambda: text(meter, "wiring_codes") == "not_checked")


async def test_a_silent_chip_is_reported(run_meter: RunMeter, heaters: str) -> None:
    """Without measurements the check blames no transformer."""
    async with connected(run_meter(NRJ_RECORDING=heaters).port) as meter:
        await meter.new_values("active_power_l1")
        await call(meter, "simulate_stuck_bus", level=1)
        answer = await ask(meter, "check_wiring")
        assert not answer.success
        assert "The chip gives no measurements" in answer.message
        assert answer.codes == "no_measurement"
        await meter.wait(lambda: text(meter, "wiring_codes") == "no_measurement")


LOST_TAP_AT_START = """\
time,voltage_l1,voltage_l2,voltage_l3,current_l1,current_l2,current_l3,active_power_l1,active_power_l2,active_power_l3
0,234,233,0,2,3,8,460,690,0
86400,234,233,0,2,3,8,460,690,0
"""


async def test_a_fuse_that_was_open_at_the_start_is_told(
    run_meter: RunMeter, tmp_path: Path
) -> None:
    """A person's meter: one tap without voltage ever since, eight amperes on its line."""
    path = tmp_path / "lost_tap.csv"
    path.write_text(LOST_TAP_AT_START)
    async with connected(run_meter(NRJ_RECORDING=str(path)).port) as meter:
        await meter.wait(lambda: "wiring_codes" in meter.states)
        await meter.wait(lambda: text(meter, "wiring_codes") == "lost_tap:V3")

"""Calibrate the real firmware as a person does: enter the true value and read the meter."""

import asyncio
from math import cos, radians, sin
from pathlib import Path
import struct

import pytest

from firmware_tests.conftest import RunMeter
from firmware_tests.meter_client import MeterClient, connected
from firmware_tests.user_actions import Answer, ask, call, text

# A heater on each phase.
HEATERS = """\
time,voltage_l1,voltage_l2,voltage_l3,active_power_l1,active_power_l2,active_power_l3
0,230,230,230,2300,1840,920
8640000,230,230,230,2300,1840,920
"""
# What the meter refuses to be told before it has measured for two seconds.
TOO_EARLY = "try again in a moment"


@pytest.fixture
def heaters(tmp_path: Path) -> str:
    """Return a recording in which nothing changes."""
    path = tmp_path / "heaters.csv"
    path.write_text(HEATERS)
    return str(path)


async def voltage_error(meter: MeterClient, pins: int, factor: float) -> None:
    """Give a voltage input a divider off from the configuration's."""
    await call(meter, "simulate_voltage_wiring", pins=pins, line=pins, factor=factor)


async def current_error(meter: MeterClient, pins: int, factor: float) -> None:
    """Give a current input a transformer off from the configuration's."""
    await call(meter, "simulate_current_wiring", pins=pins, line=pins, factor=factor)


async def tell(meter: MeterClient, action: str, **arguments: float) -> Answer:
    """Enter a true value as soon as the meter's readings have settled."""
    async with asyncio.timeout(15):
        while True:
            answer = await ask(meter, action, **arguments)
            if TOO_EARLY not in answer.message and "not steady" not in answer.message:
                return answer
            await asyncio.sleep(0.3)


async def test_voltage_is_230_now(run_meter: RunMeter, heaters: str) -> None:
    """With a divider 2 % off: reading, power and energy are true afterwards, also after a restart, until undone."""
    async with connected(run_meter(NRJ_RECORDING=heaters).port) as meter:
        await voltage_error(meter, 0, 0.98)
        await meter.wait(lambda: abs(meter.value("voltage_l1") - 225.4) < 0.1)
        assert (await tell(meter, "calibrate_voltage", phase=1, volts=230)).success
        await meter.wait(lambda: abs(meter.value("voltage_l1") - 230) < 1)
        await meter.new_values("voltage_l1", "active_power_l1")
        assert meter.value("voltage_l1") == pytest.approx(230, rel=1e-3)
        assert meter.value("active_power_l1") == pytest.approx(2300, rel=1e-3)
        assert meter.value("voltage_l2") == pytest.approx(230, rel=2e-4)
        assert "correction now +2.04 %" in text(meter, "calibration_result")
        assert "l1: {voltage_gain: 1.0204" in text(meter, "calibration_corrections")
        await counts_like(meter, 2300)

    firmware = run_meter(folder="meter", NRJ_RECORDING=heaters)
    async with connected(firmware.port) as meter:
        await voltage_error(meter, 0, 0.98)
        await meter.new_values("voltage_l1")
        assert meter.value("voltage_l1") == pytest.approx(230, rel=1e-3)
        meter.press("undo_calibration")
        await meter.wait(lambda: abs(meter.value("voltage_l1") - 225.4) < 0.1)
        assert "undone" in text(meter, "calibration_result")


async def counts_like(meter: MeterClient, power: float) -> None:
    """Check the energy of an hour of simulated time against this power on L1."""
    meter.set_number("simulation_speed", 0)
    await meter.new_values("simulation_position", "import_energy_l1")
    start = meter.value_of_number("simulation_position")
    before = meter.value("import_energy_l1")
    meter.set_number("simulation_speed", 720)
    await meter.wait(
        lambda: meter.value_of_number("simulation_position") > start + 3600
    )
    meter.set_number("simulation_speed", 0)
    await meter.new_values("simulation_position", "import_energy_l1")
    hours = (meter.value_of_number("simulation_position") - start) / 3600
    gained = meter.value("import_energy_l1") - before
    assert gained == pytest.approx(power / 1000 * hours, rel=1e-3)


async def test_a_calibrated_chip_that_lost_its_supply(
    run_meter: RunMeter, heaters: str
) -> None:
    """The corrections are back in the chip after a brown-out of the chip alone."""
    async with connected(run_meter(NRJ_RECORDING=heaters).port) as meter:
        await current_error(meter, 1, 1.05)
        await meter.wait(lambda: abs(meter.value("current_l2") - 8.4) < 0.01)
        assert (await tell(meter, "calibrate_current", phase=2, amperes=8)).success
        await meter.wait(lambda: abs(meter.value("current_l2") - 8) < 0.01)
        meter.press("simulate_chip_brownout")
        await meter.wait(lambda: meter.value("chip_resets") == 1)
        await meter.new_values("current_l2", "active_power_l2")
        assert meter.value("current_l2") == pytest.approx(8, rel=1e-3)
        assert meter.value("active_power_l2") == pytest.approx(1840, rel=1e-3)


async def test_a_residual_current_is_nulled(
    run_meter: RunMeter, tmp_path: Path
) -> None:
    """Null what a phase and the neutral show; power stays, a load is refused, undo brings it back."""
    path = tmp_path / "residual.csv"
    row = "230,230,23,2300"
    path.write_text(
        "time,voltage_l1,voltage_l2,active_power_l1,active_power_l2\n"
        f"0,{row}\n864000,{row}\n"
    )
    async with connected(run_meter(NRJ_RECORDING=str(path)).port) as meter:
        await meter.wait(lambda: abs(meter.value("current_l1") - 0.1) < 0.001)
        refusal = await tell(meter, "null_residual_current", input=2)
        assert not refusal.success
        assert "10.000 A at I2 is no residual current" in refusal.message
        assert refusal.codes.startswith("residual_too_large:input=I2,shown=10.000,")
        assert (await tell(meter, "null_residual_current", input=1)).success
        await meter.wait(lambda: meter.value("current_l1") < 0.005)
        await meter.new_values("current_half_cycle_l1", "active_power_l1")
        assert meter.value("current_half_cycle_l1") < 0.005
        assert meter.value("active_power_l1") == pytest.approx(23, rel=1e-2)
        assert "residual_currents: [0.1, 0, 0, 0]" in text(
            meter, "calibration_corrections"
        )

    async with connected(run_meter(folder="meter", NRJ_RECORDING=str(path)).port) as m:
        await m.new_values("current_l1")
        assert m.value("current_l1") < 0.005
        m.press("undo_calibration")
        await m.wait(lambda: abs(m.value("current_l1") - 0.1) < 0.001)
        await asyncio.sleep(2.5)
        m.press("null_residual_current_l1")
        await m.wait(lambda: m.value("current_l1") < 0.005)


def fnv1(name: str) -> int:
    """Return the hash by which ESPHome names a preference."""
    result = 2166136261
    for byte in name.encode():
        result = result * 16777619 % 2**32 ^ byte
    return result


async def test_a_calibration_of_an_earlier_version_is_kept(
    run_meter: RunMeter, heaters: str
) -> None:
    """Read corrections that were written without residual currents."""
    before = run_meter(NRJ_RECORDING=heaters)
    async with connected(before.port) as meter:
        await meter.new_values("voltage_l1")
        assert (await tell(meter, "calibrate_voltage", phase=1, volts=235)).success
    before.stop()
    (flash,) = before.folder.glob("*.prefs")
    left, written = flash.read_bytes(), b""
    while left:
        key, size = struct.unpack_from("<IB", left)
        data, left = left[5 : 5 + size], left[5 + size :]
        if key == fnv1("ade9000.calibration.2"):
            # A basis, and two times three corrections of three numbers and four offsets.
            assert size == 4 + 2 * 4 * (9 + 4)
            key = fnv1("ade9000.calibration.1")
            data = data[:40] + data[56:92]
        written += struct.pack("<IB", key, len(data)) + data
    assert written != flash.read_bytes()
    flash.write_bytes(written)
    async with connected(run_meter(NRJ_RECORDING=heaters).port) as meter:
        await meter.new_values("voltage_l1")
        assert meter.value("voltage_l1") == pytest.approx(235, rel=1e-3)


async def test_power_factor_is_1_now(run_meter: RunMeter, tmp_path: Path) -> None:
    """Correct a transformer leading by 3 degrees: no reactive power, full active power."""
    volt_amperes = 2300.0
    path = tmp_path / "leading.csv"
    row = f"230,{volt_amperes * cos(radians(3))},{-volt_amperes * sin(radians(3))}"
    path.write_text(
        f"time,voltage_l1,active_power_l1,reactive_power_l1\n0,{row}\n864000,{row}\n"
    )
    async with connected(run_meter(NRJ_RECORDING=str(path)).port) as meter:
        await meter.wait(lambda: abs(meter.value("reactive_power_l1") + 120.4) < 1)
        answer = await tell(meter, "calibrate_power_factor", phase=1, power_factor=1)
        assert answer.success
        await meter.wait(lambda: abs(meter.value("reactive_power_l1")) < 1)
        await meter.new_values("power_factor_l1", "active_power_l1")
        assert meter.value("active_power_l1") == pytest.approx(2300, rel=1e-4)
        assert "phase correction now -3.000" in text(meter, "calibration_result")


async def test_numbers_calibrate_as_the_actions_do(
    run_meter: RunMeter, heaters: str
) -> None:
    """Calibrate from a number entity, keep the entered value, and reset all corrections."""
    async with connected(run_meter(NRJ_RECORDING=heaters).port) as meter:
        await voltage_error(meter, 2, 1.01)
        await meter.wait(lambda: abs(meter.value("voltage_l3") - 232.3) < 0.1)
        await asyncio.sleep(2.5)
        meter.set_number("true_voltage_l3", 230)
        await meter.wait(lambda: meter.value_of_number("true_voltage_l3") == 230)
        await meter.wait(lambda: abs(meter.value("voltage_l3") - 230) < 0.05)
        meter.press("reset_calibration")
        await meter.wait(lambda: abs(meter.value("voltage_l3") - 232.3) < 0.1)
        assert "voltage_gain: 1.000000" in text(meter, "calibration_corrections")


async def test_what_another_meter_shows_is_taken_over(
    run_meter: RunMeter, heaters: str
) -> None:
    """The new meter's readings are corrected as the old one's were, and it shows the same."""
    factors = {
        f"{name}_l{phase}": value
        for phase in (1, 2, 3)
        for name, value in (
            ("voltage_gain", 1 + phase / 100),
            ("current_gain", 1.0),
            ("phase", -phase / 2),
        )
    }
    async with connected(run_meter(NRJ_RECORDING=heaters).port) as meter:
        assert (await ask(meter, "take_over_calibration", **factors)).success
        await meter.wait(lambda: abs(meter.value("voltage_l3") - 236.9) < 0.1)
        assert text(meter, "calibration_corrections").splitlines()[1] == (
            "l2: {voltage_gain: 1.020000, current_gain: 1.000000, phase: -1.000}"
        )
        refused = await ask(
            meter, "take_over_calibration", **factors | {"current_gain_l2": 2.0}
        )
        assert refused.codes == "correction_impossible:phase=L2"


async def test_impossible_calibrations_are_refused_with_advice(
    run_meter: RunMeter, tmp_path: Path
) -> None:
    """Refuse a calibration without signal or too far off, with advice and no change."""
    path = tmp_path / "one.csv"
    path.write_text("time,voltage_l1,active_power_l1\n0,230,2300\n864000,230,2300\n")
    async with connected(run_meter(NRJ_RECORDING=str(path)).port) as meter:
        await meter.new_values("voltage_l1")
        refusals = [
            await tell(meter, "calibrate_voltage", phase=2, volts=230),
            await tell(meter, "calibrate_voltage", phase=1, volts=400),
            await tell(meter, "calibrate_current", phase=2, amperes=5),
            await tell(meter, "calibrate_power_factor", phase=1, power_factor=0.5),
            await tell(meter, "calibrate_voltage", phase=4, volts=230),
            await tell(meter, "undo_calibration"),
        ]
        advice = [
            ("connect voltage input V2", "voltage_too_low:phase=L2,shown="),
            ("Check voltage_divider", "voltage_gain_impossible:phase=L1,shown=230.0,"),
            ("switch on a heater", "current_too_low:phase=L2,shown="),
            ("Check the wiring", "phase_error_impossible:phase=L1,shown=-60.0,"),
            ("use 1, 2 or 3", "no_such_phase"),
            ("nothing to undo", "nothing_to_undo"),
        ]
        for refusal, (words, code) in zip(refusals, advice, strict=True):
            assert not refusal.success
            assert words in refusal.message
            assert refusal.codes.startswith(code)
        await meter.wait(lambda: text(meter, "calibration_codes") == "nothing_to_undo")
        await meter.new_values("voltage_l1")
        assert meter.value("voltage_l1") == pytest.approx(230, rel=2e-4)

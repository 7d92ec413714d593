"""Everything the chip can tell beyond voltage, current and power, on known supplies."""

from math import isnan
from pathlib import Path
import struct

from aioesphomeapi import TextSensorState
import pytest

from firmware_tests.conftest import RunMeter
from firmware_tests.meter_client import MeterClient, connected

# L1 draws inductively, L2 feeds, L3 feeds capacitively more than both; 7 A on L1 are more than its
# fundamental, so it is distorted.
STEADY = """\
time,frequency,voltage_l1,voltage_l2,voltage_l3,active_power_l1,active_power_l2,active_power_l3,reactive_power_l1,reactive_power_l2,reactive_power_l3,current_l1
0,50,240,230,220,1500,-300,-2600,400,0,-150,7
864000,50,240,230,220,1500,-300,-2600,400,0,-150,7
"""
LAST = "sum_current"
HOUR = 3600


@pytest.fixture
def steady(tmp_path: Path) -> str:
    """Return a recording in which nothing changes for ten days."""
    path = tmp_path / "steady.csv"
    path.write_text(STEADY)
    return str(path)


def exact(meter: MeterClient, object_id: str) -> int:
    """Return a total as the whole number its text is."""
    state = meter.states[object_id]
    assert isinstance(state, TextSensorState)
    return int(state.state)


async def test_reads_the_quantities_of_the_supply(
    run_meter: RunMeter, steady: str
) -> None:
    """Compare each quantity with the value worked out by hand from the recorded supply."""
    async with connected(run_meter(NRJ_RECORDING=steady).port) as meter:
        await meter.new_values(LAST, "voltage_half_cycle_l1", count=4)
        expected = {
            "voltage_half_cycle_l1": 240,
            "voltage_10_12_cycles_l3": 220,
            "current_half_cycle_l1": 7,
            "current_10_12_cycles_l1": 7,
            "fundamental_active_power_l1": 1500,
            "fundamental_reactive_power_l1": 400,
            "fundamental_active_power": -1400,
            "fundamental_reactive_power": 250,
            # Fundamental 1552.417 VA / 240 V = 6.468404 A; sqrt(7² - 6.468404²) = 2.675760 A
            "current_thd_l1": 41.3666,
            # atan2(400, 1500) and atan2(-150, -2600)
            "phase_angle_l1": 14.9314,
            "phase_angle_l3": -176.6981,
            "voltage_angle_l1_l2": 120,
            "voltage_angle_l2_l3": 120,
            "voltage_angle_l1_l3": -120,
            "voltage_peak": 240 * 2**0.5,
        }
        read = {name: meter.value(name) for name in expected}
        assert read == {
            name: pytest.approx(value, rel=2e-3) for name, value in expected.items()
        }
        # |240 + 230/_120 + 220/_240| = 17.3205 V over 690 V, turning either way; an angle register's
        # step of 0.018 degrees is worth 0.01 %.
        for name in ("voltage_unbalance", "voltage_zero_sequence"):
            assert meter.value(name) == pytest.approx(2.51022, abs=0.02), name
        assert abs(meter.value("phase_angle_l2")) == pytest.approx(180, abs=0.1)
        assert meter.value("voltage_thd_l1") == pytest.approx(0, abs=0.01)
        assert -40 < meter.value("chip_temperature") < 85


async def test_two_of_three_equal_loads_return_through_the_neutral(
    run_meter: RunMeter, tmp_path: Path
) -> None:
    """Two currents of 10 A, a third of a turn apart, add up to 10 A."""
    path = tmp_path / "two.csv"
    path.write_text(
        "time,voltage_l1,voltage_l2,voltage_l3,active_power_l1,active_power_l2,active_power_l3\n"
        "0,230,230,230,2300,2300,0\n1000,230,230,230,2300,2300,0\n"
    )
    firmware = run_meter(NRJ_RECORDING=str(path), NRJ_SPEED="0")
    async with connected(firmware.port) as meter:
        await meter.new_values(LAST, "neutral_current")
        assert meter.value("sum_current") == pytest.approx(10, rel=1e-3)
        assert meter.value("neutral_current") == pytest.approx(10, rel=1e-3)


async def test_without_voltage_there_are_no_angles(
    run_meter: RunMeter, tmp_path: Path
) -> None:
    """A dead phase has no angle, no distortion and no part in the sequence."""
    path = tmp_path / "single.csv"
    path.write_text("time,active_power_l1\n0,1000\n100,1000\n")
    firmware = run_meter(NRJ_RECORDING=str(path), NRJ_SPEED="0")
    async with connected(firmware.port) as meter:
        await meter.new_values(LAST)
        for name in (
            "phase_angle_l2",
            "voltage_thd_l3",
            "current_thd_l2",
            "voltage_angle_l1_l2",
            "voltage_angle_l2_l3",
            "voltage_unbalance",
        ):
            assert isnan(meter.value(name)), name
        assert meter.value("phase_angle_l1") == pytest.approx(0, abs=0.1)


async def test_counts_every_kind_of_energy(run_meter: RunMeter, steady: str) -> None:
    """Add to each register the energy a meter of the register's kind counts in an hour."""
    firmware = run_meter(NRJ_RECORDING=steady, NRJ_SPEED="0")
    # L1: sqrt((1500² + 400²) / 240² + ...) is given as 7 A * 240 V; L2 300 VA; L3 sqrt(2600² + 150²)
    apparent = {"l1": 1.680, "l2": 0.300, "l3": 2.604323}
    expected = {
        "import_energy_sum_of_phases": 1.5,
        "export_energy_sum_of_phases": 2.9,
        "import_energy": 0.0,
        "export_energy": 1.4,
        "reactive_energy_q1_l1": 0.4,
        "reactive_energy_q2_l1": 0.0,
        "reactive_energy_q3_l3": 0.15,
        "reactive_energy_q4_l3": 0.0,
        # All together export 1400 W and draw 250 var.
        "reactive_energy_q1": 0.0,
        "reactive_energy_q2": 0.25,
        "reactive_energy_q3": 0.0,
        "reactive_energy_q4": 0.0,
        **{f"apparent_energy_{phase}": energy for phase, energy in apparent.items()},
        "apparent_energy": sum(apparent.values()),
    }
    async with connected(firmware.port) as meter:
        await meter.new_values(LAST, "apparent_energy")
        before = {name: meter.value(name) for name in expected}
        exact_before = exact(meter, "import_energy_l1_in_mwh")
        start = meter.value_of_number("simulation_position")
        meter.set_number("simulation_speed", 360)
        await meter.wait(
            lambda: meter.value_of_number("simulation_position") > start + HOUR,
            timeout=20,
        )
        meter.set_number("simulation_speed", 0)
        await meter.new_values("simulation_position", LAST, "apparent_energy")
        hours = (meter.value_of_number("simulation_position") - start) / HOUR
        gained = {name: meter.value(name) - before[name] for name in expected}
        assert gained == {
            name: pytest.approx(energy * hours, rel=1e-3, abs=1e-4)
            for name, energy in expected.items()
        }
        counted = exact(meter, "import_energy_l1_in_mwh") - exact_before
        assert counted == pytest.approx(1.5e6 * hours, rel=1e-3)


async def test_every_total_survives_a_restart(run_meter: RunMeter, steady: str) -> None:
    """The registers of reactive and apparent energy are kept like those of active energy."""
    names = ("import_energy_l1", "reactive_energy_q3_l3", "apparent_energy")
    firmware = run_meter(NRJ_RECORDING=steady, NRJ_SPEED="1000")
    async with connected(firmware.port) as meter:
        await meter.wait(lambda: all(meter.value(name) > 0.2 for name in names))
        before = {name: meter.value(name) for name in names}
    firmware.stop()
    firmware = run_meter(NRJ_RECORDING=steady, NRJ_SPEED="0")
    async with connected(firmware.port) as meter:
        await meter.new_values(*names)
        for name in names:
            assert before[name] <= meter.value(name) < before[name] * 4 + 3, name


def fnv1(text: str) -> int:
    """Return the 32-bit FNV-1 hash, by which ESPHome names a preference."""
    value = 2166136261
    for byte in text.encode():
        value = value * 16777619 % 2**32 ^ byte
    return value


async def test_totals_of_the_first_version_are_taken_over_once(
    run_meter: RunMeter, steady: str, tmp_path: Path
) -> None:
    """Take over the first version's totals once, and continue with the meter's own."""
    kwh = 10**12
    imports = (123 * kwh, 45 * kwh, 6 * kwh, 99 * kwh)
    exports = (1 * kwh, 2 * kwh, 3 * kwh, 4 * kwh)
    folder = tmp_path / "updated"
    folder.mkdir()
    record = struct.pack("<8q", *imports, *exports)
    (folder / "nrj-meter.prefs").write_bytes(
        struct.pack("<IB", fnv1("ade9000.energy.1"), len(record)) + record
    )
    firmware = run_meter("updated", NRJ_RECORDING=steady, NRJ_SPEED="1000")
    async with connected(firmware.port) as meter:
        await meter.wait(lambda: not isnan(meter.value("import_energy_l1")))
        assert meter.value("import_energy_l1") >= 123
        await meter.wait(lambda: not isnan(meter.value("export_energy")))
        assert meter.value("import_energy_l2") == pytest.approx(45, abs=0.001)
        assert meter.value("export_energy") >= 4
        await meter.wait(lambda: meter.value("import_energy_l1") > 125)
    firmware.stop()
    firmware = run_meter("updated", NRJ_RECORDING=steady, NRJ_SPEED="0")
    async with connected(firmware.port) as meter:
        await meter.wait(lambda: not isnan(meter.value("import_energy_l1")))
        assert meter.value("import_energy_l1") > 125


async def test_totals_are_kept_soon_after_the_start(
    run_meter: RunMeter, steady: str
) -> None:
    """Lose the first seconds' energy without an error when the plug is pulled."""
    firmware = run_meter(NRJ_RECORDING=steady)
    async with connected(firmware.port) as meter:
        await meter.new_values(LAST)
    firmware.kill()
    firmware = run_meter(NRJ_RECORDING=steady, NRJ_SPEED="0")
    async with connected(firmware.port) as meter:
        await meter.new_values(LAST, "import_energy_l1")
        assert 0 <= meter.value("import_energy_l1") < 0.1
        assert meter.value("export_energy_l3") < 0.1


async def test_rejected_frames_are_counted_by_cause(
    run_meter: RunMeter, tmp_path: Path
) -> None:
    """Count a damaged bit as a CRC error, and a silent chip as a stuck line."""
    path = tmp_path / "gap.csv"
    path.write_text(
        "time,voltage_l1,active_power_l1\n"
        "0,230,1000\n100,230,1000\n200,NaN,NaN\n300,230,1000\n400,230,1000\n"
    )
    firmware = run_meter(NRJ_RECORDING=str(path), NRJ_SPEED="0", NRJ_START="50")
    async with connected(firmware.port) as meter:
        await meter.new_values(LAST)
        at_start = meter.value("rejected_frames_stuck")
        meter.press("simulate_damaged_frames")
        await meter.wait(lambda: meter.value("rejected_frames_crc") == 1)
        assert meter.value("rejected_frames_stuck") == at_start
        meter.set_number("simulation_position", 200)
        await meter.wait(lambda: meter.value("rejected_frames_stuck") > at_start + 2)
        assert meter.value("rejected_frames_crc") == 1
        meter.set_number("simulation_position", 350)
        await meter.wait(lambda: meter.value("voltage_l1") > 229)
        assert meter.value("chip_resets") == 0
        assert meter.value("configuration_errors") == 0
        total = sum(
            meter.value(f"rejected_frames_{cause}")
            for cause in ("crc", "implausible", "stuck")
        )
        await meter.wait(lambda: meter.value("rejected_frames") >= total)

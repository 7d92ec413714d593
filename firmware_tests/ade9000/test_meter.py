"""Run the real firmware on a known supply: readings, counters, restarts and outages."""

import asyncio
from functools import partial
from math import isnan
from pathlib import Path

import pytest

from firmware_tests.conftest import RunMeter
from firmware_tests.meter_client import MeterClient, connected

# L1 draws, L2 feeds a little, L3 feeds more than both draw: the house exports.
STEADY = """\
time,frequency,voltage_l1,voltage_l2,voltage_l3,active_power_l1,active_power_l2,active_power_l3,reactive_power_l1,reactive_power_l2,reactive_power_l3
0,49.97,230.0,235.5,221.25,1500,-300,-2600,400,0,-150
864000,49.97,230.0,235.5,221.25,1500,-300,-2600,400,0,-150
"""

FAST = ("active_power_l1", "frequency")
SLOW = ("voltage_l1", "import_energy_l1")


@pytest.fixture
def steady(tmp_path: Path) -> str:
    """Return a recording in which nothing changes for ten days."""
    path = tmp_path / "steady.csv"
    path.write_text(STEADY)
    return str(path)


async def test_reads_the_voltages_and_powers_of_the_supply(
    run_meter: RunMeter, steady: str
) -> None:
    """Every quantity agrees with the physics of the recorded supply."""
    async with connected(run_meter(NRJ_RECORDING=steady).port) as meter:
        await meter.new_values(*FAST, *SLOW)
        assert meter.value("voltage_l1") == pytest.approx(230.0, rel=2e-4)
        assert meter.value("voltage_l2") == pytest.approx(235.5, rel=2e-4)
        assert meter.value("voltage_l3") == pytest.approx(221.25, rel=2e-4)
        assert meter.value("active_power_l1") == pytest.approx(1500, rel=5e-4)
        assert meter.value("active_power_l2") == pytest.approx(-300, rel=5e-4)
        assert meter.value("active_power_l3") == pytest.approx(-2600, rel=5e-4)
        assert meter.value("reactive_power_l1") == pytest.approx(400, rel=5e-4)
        assert meter.value("reactive_power_l3") == pytest.approx(-150, rel=5e-4)
        # sqrt(1500² + 400²) = 1552.417 VA; / 230 V = 6.74964 A; 1500 / 1552.417 = 0.96624
        assert meter.value("apparent_power_l1") == pytest.approx(1552.417, rel=5e-4)
        assert meter.value("current_l1") == pytest.approx(6.74964, rel=5e-4)
        assert meter.value("power_factor_l1") == pytest.approx(0.96624, abs=1e-3)
        assert meter.value("power_factor_l2") == pytest.approx(-1.0, abs=1e-3)
        for name in ("frequency", "frequency_l1", "frequency_l2", "frequency_l3"):
            assert meter.value(name) == pytest.approx(49.97, abs=1e-3)
        assert meter.value("active_power") == pytest.approx(-1400, rel=5e-4)
        assert meter.value("reactive_power") == pytest.approx(250, rel=2e-3)


async def test_counts_import_and_export_of_each_phase_and_of_the_sum(
    run_meter: RunMeter, steady: str
) -> None:
    """An hour of the supply adds an hour's kilowatt-hours, each on its side."""
    firmware = run_meter(NRJ_RECORDING=steady, NRJ_SPEED="0")
    async with connected(firmware.port) as meter:
        await meter.new_values(*SLOW)
        energies = {
            name: meter.value(name) for name in meter.entities if "energy" in name
        }
        start = meter.value_of_number("simulation_position")
        meter.set_number("simulation_speed", 360)
        await meter.wait(
            lambda: meter.value_of_number("simulation_position") > start + 3600,
            timeout=20,
        )
        meter.set_number("simulation_speed", 0)
        await meter.new_values("simulation_position", *SLOW)
        hours = (meter.value_of_number("simulation_position") - start) / 3600
        expected = {
            "import_energy_l1": 1.5,
            "export_energy_l1": 0.0,
            "import_energy_l2": 0.0,
            "export_energy_l2": 0.3,
            "export_energy_l3": 2.6,
            "import_energy": 0.0,
            "export_energy": 1.4,
        }
        gained = {name: meter.value(name) - energies[name] for name in expected}
        assert gained == {
            name: pytest.approx(power * hours, rel=1e-3, abs=1e-4)
            for name, power in expected.items()
        }


async def test_totals_survive_a_restart(run_meter: RunMeter, steady: str) -> None:
    """Continue the energy totals after a restart."""
    firmware = run_meter(NRJ_RECORDING=steady, NRJ_SPEED="1000")
    async with connected(firmware.port) as meter:
        await meter.wait(lambda: meter.value("import_energy_l1") > 1.0)
        before = meter.value("import_energy_l1")
    firmware.stop()
    firmware = run_meter(NRJ_RECORDING=steady, NRJ_SPEED="0")
    async with connected(firmware.port) as meter:
        await meter.new_values("import_energy_l1")
        after = meter.value("import_energy_l1")
    # 1000 times real time: between the last reading and the stop lie a few real seconds at most.
    assert before <= after < before + 3.0


async def test_totals_are_written_when_the_mains_goes(
    run_meter: RunMeter, tmp_path: Path
) -> None:
    """Lose no energy when the supply outlives the mains by a moment."""
    path = tmp_path / "outage.csv"
    path.write_text(
        "time,voltage_l1,voltage_l2,voltage_l3,active_power_l1\n"
        "0,230,230,230,36000\n20,230,230,230,36000\n20.001,0,0,0,0\n90,0,0,0,0\n"
    )
    firmware = run_meter(NRJ_RECORDING=str(path))
    async with connected(firmware.port) as meter:
        await meter.wait(lambda: meter.value("voltage_l1") > 200)
        await meter.wait(lambda: meter.value("voltage_l1") < 1, timeout=30)
        await meter.new_values("import_energy_l1")
        before = meter.value("import_energy_l1")
    firmware.kill()
    assert before > 0.05
    firmware = run_meter(NRJ_RECORDING=str(path), NRJ_SPEED="0", NRJ_START="60")
    async with connected(firmware.port) as meter:
        await meter.wait(lambda: not isnan(meter.value("import_energy_l1")))
        # Within the millisecond of the edge 36 kW may still count 1e-5 kWh.
        assert meter.value("import_energy_l1") == pytest.approx(before, abs=1.1e-5)


async def test_first_published_total_is_the_restored_one(
    run_meter: RunMeter, steady: str
) -> None:
    """No client ever sees a zero before the stored total."""
    firmware = run_meter(NRJ_RECORDING=steady, NRJ_SPEED="1000")
    async with connected(firmware.port) as meter:
        await meter.wait(lambda: meter.value("import_energy_l1") > 1.0)
    firmware.stop()
    firmware = run_meter(NRJ_RECORDING=steady, NRJ_SPEED="0")
    async with connected(firmware.port) as meter:
        await meter.wait(lambda: not isnan(meter.value("import_energy_l1")))
        assert meter.value("import_energy_l1") > 1.0


async def test_power_goes_out_five_times_a_second_and_voltage_once(
    run_meter: RunMeter, steady: str
) -> None:
    """No sample is dropped on the way to the client."""
    async with connected(run_meter(NRJ_RECORDING=steady).port) as meter:
        await meter.new_values(*FAST, *SLOW)
        before = dict(meter.counts)
        await asyncio.sleep(4)
        rates = {
            name: (meter.counts[name] - before[name]) / 4 for name in (*FAST, *SLOW)
        }
    assert all(4.25 <= rates[name] <= 5.75 for name in FAST), rates
    assert all(0.75 <= rates[name] <= 1.25 for name in SLOW), rates


async def test_a_chip_that_was_reset_is_set_up_again(
    run_meter: RunMeter, steady: str
) -> None:
    """A brown-out of the chip alone is noticed, counted, and costs no energy already counted."""
    async with connected(run_meter(NRJ_RECORDING=steady).port) as meter:
        await meter.new_values(*FAST, *SLOW)
        before = meter.value("import_energy_l1")
        meter.press("simulate_chip_brownout")
        await meter.wait(lambda: meter.value("chip_resets") == 1)
        await meter.new_values(*FAST, *SLOW)
        assert meter.value("voltage_l1") == pytest.approx(230.0, rel=2e-4)
        assert meter.value("active_power_l3") == pytest.approx(-2600, rel=5e-4)
        first = meter.value("import_energy_l1")
        assert first >= before
        await meter.new_values(*SLOW)
        # 1.5 kW for a few seconds, not the accumulator's jump back to zero.
        assert 0 < meter.value("import_energy_l1") - first < 0.01


async def test_damaged_frames_are_counted_and_never_published(
    run_meter: RunMeter, steady: str
) -> None:
    """Bit errors on the wire reach no state and no total."""
    async with connected(run_meter(NRJ_RECORDING=steady).port) as meter:
        await meter.new_values(*FAST, *SLOW)
        wrong = watch_for_wrong_values(meter)
        for damaged in range(1, 6):
            meter.press("simulate_damaged_frames")
            await meter.wait(partial(has_rejected, meter, damaged))
        await meter.new_values(*FAST, *SLOW)
        assert not wrong
        assert meter.value("import_energy_l1") < 0.1


def has_rejected(meter: MeterClient, frames: int) -> bool:
    """Tell whether the meter has thrown away at least so many frames."""
    return meter.value("rejected_frames") >= frames


def watch_for_wrong_values(meter: MeterClient) -> list[tuple[str, float]]:
    """Collect every value away from the steady supply's."""
    truth = {
        "voltage_l1": 230.0,
        "voltage_l2": 235.5,
        "voltage_l3": 221.25,
        "active_power_l1": 1500.0,
        "active_power_l2": -300.0,
        "active_power_l3": -2600.0,
        "frequency": 49.97,
    }
    wrong: list[tuple[str, float]] = []
    original = meter.on_state

    def watch(name: str) -> None:
        value = meter.value(name)
        plausible = isnan(value) or value == pytest.approx(truth.get(name, 0), rel=1e-3)
        if name in truth and not plausible:
            wrong.append((name, value))
        original(name)

    meter.on_state = watch
    return wrong


async def test_no_measurement_is_no_reading(
    run_meter: RunMeter, tmp_path: Path
) -> None:
    """Where the recording has no measurement, the meter says nothing; totals stay."""
    path = tmp_path / "gap.csv"
    path.write_text(
        "time,frequency,voltage_l1,active_power_l1\n"
        "0,50.0,230,1000\n100,50.0,230,1000\n200,NaN,NaN,NaN\n"
        "300,50.0,230,1000\n400,50.0,230,1000\n"
    )
    firmware = run_meter(NRJ_RECORDING=str(path), NRJ_SPEED="0", NRJ_START="50")
    async with connected(firmware.port) as meter:
        await meter.new_values("voltage_l1", "frequency")
        assert meter.value("voltage_l1") == pytest.approx(230, rel=2e-4)
        meter.set_number("simulation_position", 200)
        await meter.wait(lambda: isnan(meter.value("voltage_l1")))
        await meter.new_values("voltage_l1", "active_power_l1", "frequency")
        for name in ("voltage_l1", "active_power_l1", "frequency", "current_l1"):
            assert isnan(meter.value(name)), name
        assert not isnan(meter.value("import_energy_l1"))
        meter.set_number("simulation_position", 350)
        await meter.wait(lambda: meter.value("voltage_l1") > 229)


async def test_a_phase_that_is_not_recorded_is_dead(
    run_meter: RunMeter, tmp_path: Path
) -> None:
    """A single-phase recording leaves L2 and L3 without voltage, frequency and power factor."""
    path = tmp_path / "single.csv"
    path.write_text("time,active_power_l1\n0,1000\n100,1000\n")
    firmware = run_meter(NRJ_RECORDING=str(path), NRJ_SPEED="0")
    async with connected(firmware.port) as meter:
        await meter.new_values(*FAST, *SLOW)
        assert meter.value("voltage_l1") == pytest.approx(230, rel=2e-4)
        assert meter.value("active_power") == pytest.approx(1000, rel=5e-4)
        assert meter.value("voltage_l2") == pytest.approx(0, abs=0.01)
        assert isnan(meter.value("frequency_l2"))
        assert isnan(meter.value("power_factor_l3"))
        assert meter.value("frequency") == pytest.approx(50, abs=1e-3)


async def test_relays_obey_and_return_to_their_states(
    run_meter: RunMeter, steady: str
) -> None:
    """Each relay is switched alone, and a restart keeps its state."""
    firmware = run_meter(NRJ_RECORDING=steady)
    async with connected(firmware.port) as meter:
        await meter.wait(lambda: {"relay_1", "relay_2"} <= meter.states.keys())
        assert (meter.is_on("relay_1"), meter.is_on("relay_2")) == (False, False)
        meter.set_switch("relay_2", on=True)
        await meter.wait(lambda: meter.is_on("relay_2"))
        assert not meter.is_on("relay_1")
    firmware.stop()
    firmware = run_meter(NRJ_RECORDING=steady)
    async with connected(firmware.port) as meter:
        await meter.wait(lambda: {"relay_1", "relay_2"} <= meter.states.keys())
        assert (meter.is_on("relay_1"), meter.is_on("relay_2")) == (False, True)


async def test_the_built_in_house_moves(run_meter: RunMeter) -> None:
    """Without a recording a house lives behind the meter: three phases, all changing."""
    async with connected(run_meter().port) as meter:
        await meter.new_values(*FAST, *SLOW)
        names = [f"{q}_l{n}" for q in ("voltage", "active_power") for n in (1, 2, 3)]
        before = {name: meter.value(name) for name in names}
        await meter.wait(
            lambda: all(meter.value(name) != before[name] for name in names)
        )
        assert all(207 < meter.value(f"voltage_l{n}") < 253 for n in (1, 2, 3))
        assert 49.8 < meter.value("frequency") < 50.2

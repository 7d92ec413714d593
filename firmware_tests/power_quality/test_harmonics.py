"""Find the known harmonics of waveforms with the real firmware."""

from math import isnan
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml

from firmware_tests.configurations import FOLDER, OWN_COMPONENTS, esphome
from firmware_tests.conftest import RunMeter
from firmware_tests.meter_client import MeterClient, connected

from .test_power_quality import measuring

DISTORTED = """\
time,frequency,voltage_l1,voltage_l2,voltage_l3,voltage_h3_l1,voltage_h5_l1,voltage_h13_l2,current_h3_l1,current_h5_l1,current_h7_l2,active_power_l1,active_power_l2,active_power_l3
0,50,230,230,230,2.5,6,1.2,40,20,12.5,2000,1000,0
864000,50,230,230,230,2.5,6,1.2,40,20,12.5,2000,1000,0
"""


@pytest.fixture
def distorted(tmp_path: Path) -> str:
    """Return a recording with a different distortion on each phase, for ten days."""
    path = tmp_path / "distorted.csv"
    path.write_text(DISTORTED)
    return str(path)


LAST = "voltage_harmonic_13_l3"


async def measured(meter: MeterClient) -> None:
    """Wait until every harmonic is measured anew, about 10 s at most."""
    before = meter.counts.get(LAST, 0)
    await meter.wait(
        lambda: meter.counts.get(LAST, 0) > before and not isnan(meter.value(LAST)),
        timeout=30,
    )


async def test_each_harmonic_matches_the_signal(
    run_meter: RunMeter, distorted: str
) -> None:
    """Measure each harmonic of each voltage and current in percent of its own fundamental.

    The chip's resampler attenuates by less than 0.2 % up to the 13th (data sheet).
    """
    async with connected(run_meter(NRJ_RECORDING=distorted).port) as meter:
        await measured(meter)
        expected = {
            "voltage_harmonic_3_l1": 2.5,
            "voltage_harmonic_5_l1": 6,
            "voltage_harmonic_7_l1": 0,
            "voltage_harmonic_13_l2": 1.2,
            "voltage_harmonic_5_l2": 0,
            "current_harmonic_3_l1": 40,
            "current_harmonic_5_l1": 20,
            "current_harmonic_7_l2": 12.5,
            "current_harmonic_3_l2": 0,
        }
        assert {name: meter.value(name) for name in expected} == {
            name: pytest.approx(value, rel=0.005, abs=0.05)
            for name, value in expected.items()
        }


async def test_without_a_fundamental_there_are_no_harmonics(
    run_meter: RunMeter, distorted: str
) -> None:
    """Noise about zero is not so many percent of nothing."""
    async with connected(run_meter(NRJ_RECORDING=distorted).port) as meter:
        await measured(meter)
        assert isnan(meter.value("current_harmonic_3_l3"))
        assert meter.value("voltage_harmonic_3_l3") == pytest.approx(0, abs=0.05)


async def test_events_come_first(run_meter: RunMeter, distorted: str) -> None:
    """Report every dip with a waveform while harmonics are measured."""
    async with connected(run_meter(NRJ_RECORDING=distorted).port) as meter:
        client = await measuring(meter)
        for i in range(1, 11):
            await client.disturb(0b100, 0.4, voltage=0.5)
            told = i
            await client.wait(lambda told=told: len(client.events) == told)  # type: ignore[misc]
        assert {event["kind"] for event in client.events} == {"dip"}
        await measured(meter)
        samples, about = await client.oscillogram(int(client.events[-1]["number"]))
        volts = float(about["volts_per_code"])
        # The event may have begun in the last of the four cycles.
        lowest = min(
            max(abs(row[5]) for row in samples[start : start + 64]) * volts
            for start in range(0, 449, 8)
        )
        assert lowest == pytest.approx(0.5 * 230 * 2**0.5, rel=0.03)


def configured(
    tmp_path: Path, wiring: str, phase: str, order: int
) -> CompletedProcess[str]:
    """Return ESPHome's result for a meter with an additional harmonic."""
    path = tmp_path / "mine.yaml"
    path.write_text(
        f"packages:\n  meter: !include {FOLDER}/nrj-meter-simulated.yaml\n"
        f"substitutions:\n  wiring: {wiring}\n"
        f"sensor:\n  - platform: power_quality\n    {phase}:\n"
        f"      voltage_harmonics:\n        {order}: One more\n"
    )
    return esphome(*OWN_COMPONENTS, "config", path, data=tmp_path / "data")


@pytest.mark.parametrize(
    ("order", "accepted"), [(2, True), (40, True), (1, False), (41, False)]
)
def test_any_order_can_be_added(order: int, accepted: bool, tmp_path: Path) -> None:
    """Accept harmonic orders from the second to the fortieth, and no other order."""
    result = configured(tmp_path, "wye", "l1", order)
    assert (result.returncode == 0) is accepted, result.stdout + result.stderr


def test_harmonics_of_a_missing_phase_are_refused(tmp_path: Path) -> None:
    """Refuse harmonics of a phase missing from the wiring, with the reason and advice."""
    result = configured(tmp_path, "single_phase", "l2", 3)
    assert result.returncode != 0
    said = " ".join((result.stdout + result.stderr).split())
    assert "has no voltage_harmonics of l2: there is no other phase than L1" in said


@pytest.mark.parametrize(
    "wiring",
    ["wye", "delta_with_neutral", "delta", "split_phase", "two_legs", "single_phase"],
)
def test_harmonics_of_a_wiring_are_complete(wiring: str) -> None:
    """Compare the wiring's package with packages/harmonics.yaml less the missing phases."""
    without = {
        "delta": {("l2", "current_harmonics")},
        "two_legs": {("l3", "voltage_harmonics"), ("l3", "current_harmonics")},
        "split_phase": {("l3", "voltage_harmonics"), ("l3", "current_harmonics")},
        "single_phase": {
            (phase, option)
            for phase in ("l2", "l3")
            for option in ("voltage_harmonics", "current_harmonics")
        },
    }.get(wiring, set())
    name = wiring.replace("_", "-")
    packages = FOLDER / "packages"
    path = packages / f"harmonics-{name}.yaml"
    if not without:
        path = packages / "harmonics.yaml"

    def offered(file: Path) -> dict[tuple[str, str], dict[int, str]]:
        (platform,) = yaml.safe_load(file.read_text())["sensor"]
        return {
            (phase, option): names
            for phase in ("l1", "l2", "l3")
            for option, names in platform.get(phase, {}).items()
        }

    everything = offered(packages / "harmonics.yaml")
    assert offered(path) == {
        key: names for key, names in everything.items() if key not in without
    }


@pytest.mark.parametrize(
    ("wiring", "mask"),
    [
        ("wye", 0b111),
        ("split_phase", 0b011),
        ("two_legs", 0b011),
        ("single_phase", 0b001),
    ],
)
def test_events_are_those_of_the_phases_of_the_wiring(
    wiring: str, mask: int, tmp_path: Path
) -> None:
    """A meter has no events of a phase that its wiring lacks."""
    path = tmp_path / "mine.yaml"
    path.write_text(
        f"packages:\n  meter: !include {FOLDER}/nrj-meter-simulated.yaml\n"
        f"substitutions:\n  wiring: {wiring}\n"
    )
    data = tmp_path / "data"
    result = esphome(*OWN_COMPONENTS, "compile", "--only-generate", path, data=data)
    assert result.returncode == 0, result.stdout + result.stderr
    (main,) = data.rglob("main.cpp")
    assert f".phases = {mask}," in main.read_text()

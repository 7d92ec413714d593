"""Check each wiring's quantities, and the chip settings made from the wiring."""

from pathlib import Path
import re
from typing import Any

import pytest
import yaml

from firmware_tests.configurations import (
    COMPONENTS,
    FOLDER,
    OWN_COMPONENTS,
    esphome,
    resolved,
)
from firmware_tests.esphome_python import ask

METER = """
esphome:
  name: wiring
host:
external_components:
  - source: {components}
ade9000_simulator:
  id: chip
  voltage_divider: 1000
  current_sensitivity: 0.01
ade9000:
  id: meter
  simulator_id: chip
  voltage_divider: 1000
  current_sensitivity: 0.01
  wiring: {wiring}
"""


@pytest.fixture(scope="module")
def table() -> dict[str, Any]:
    """Return every quantity of the schema, and the quantities each wiring refuses."""
    answer: dict[str, Any] = ask(
        """
        channels = ("l1", "l2", "l3", "total")
        quantities = {
            channel: [key for key, info in sensor.QUANTITIES.items()
                      if (info.total if channel == "total" else info.phases)]
            for channel in channels
        }
        answer = {
            "quantities": quantities,
            "known": sorted(wiring.KNOWN),
            "refused": {
                name: {
                    channel: [key for key in quantities[channel] if kind.refusal(channel, key)]
                    for channel in channels
                }
                for name, kind in wiring.WIRINGS.items()
            },
            "registers": {name: [kind.accmode, kind.disabled] for name, kind in wiring.WIRINGS.items()},
        }
        """
    )
    return answer


def test_every_quantity_has_been_thought_about(table: dict[str, Any]) -> None:
    """A quantity added to the sensors is not silently given by every wiring."""
    offered = {key for keys in table["quantities"].values() for key in keys}
    assert offered == set(table["known"])


@pytest.mark.parametrize("wiring", ["wye", "delta_with_neutral"])
def test_three_phases_with_a_neutral_give_everything(
    table: dict[str, Any], wiring: str
) -> None:
    """Nothing is refused where each phase is measured against the neutral."""
    assert not any(table["refused"][wiring].values())


def test_only_the_phases_there_are(table: dict[str, Any]) -> None:
    """Split and single phase refuse everything of the phases they do not have, and nothing of those they have."""
    for wiring, there in (
        ("split_phase", {"l1", "l2"}),
        ("two_legs", {"l1", "l2"}),
        ("single_phase", {"l1"}),
    ):
        for phase in ("l1", "l2", "l3"):
            refused = table["refused"][wiring][phase]
            assert refused == ([] if phase in there else table["quantities"][phase])


def test_a_delta_has_power_only_in_total(table: dict[str, Any]) -> None:
    """Refuse a delta's power, energy and angle per phase; offer the totals of active and reactive ones."""
    refused = table["refused"]["delta"]
    for phase in ("l1", "l2", "l3"):
        given = set(table["quantities"][phase]) - set(refused[phase])
        assert not [key for key in given if re.search("power|energy|angle", key)]
        assert "voltage" in given
        assert ("current" in given) == (phase != "l2")
    given = set(table["quantities"]["total"]) - set(refused["total"])
    assert {"active_power", "reactive_power", "import_energy", "export_energy"} <= given
    assert not given & {"apparent_power", "power_factor", "neutral_current"}


def test_registers_of_the_data_sheet(table: dict[str, Any]) -> None:
    """ACCMODE.VCONSEL is bits 6:4; CHNL_DIS is IA, IB, IC, IN, VA, VB, VC from bit 0."""
    assert table["registers"] == {
        "wye": [0x00, 0b000_0000],
        "delta": [0x10, 0b010_0010],
        "delta_with_neutral": [0x00, 0b000_0000],
        "split_phase": [0x00, 0b100_0100],
        "two_legs": [0x00, 0b100_0100],
        "single_phase": [0x00, 0b110_0110],
    }


def test_quantities_missing_from_a_wiring_are_refused_by_name(tmp_path: Path) -> None:
    """The error names quantity, channel, wiring and reason, for sensors and for text sensors."""
    path = tmp_path / "wiring.yaml"
    path.write_text(
        METER.format(components=COMPONENTS, wiring="delta")
        + "sensor:\n  - platform: ade9000\n"
        "    l1: {voltage: V1, active_power: P1}\n"
        "    total: {active_power: P}\n"
        "text_sensor:\n  - platform: ade9000\n    l3: {import_energy: E3}\n"
    )
    result = esphome("config", path, data=tmp_path / "data")
    assert result.returncode != 0
    said = re.sub(r"\s+", " ", result.stdout + result.stderr)
    assert "the wiring 'delta', 3-wire delta" in said
    assert "active_power of l1 (sensor): without a neutral" in said
    assert "import_energy of l3 (text_sensor): without a neutral" in said
    assert "Remove these, or correct the wiring" in said
    assert "voltage of l1" not in said
    assert "of total" not in said


@pytest.mark.parametrize(
    ("wiring", "measurements"),
    [
        ("wye", "measurements"),
        ("delta_with_neutral", "measurements"),
        ("delta", "measurements-delta"),
        ("split_phase", "measurements-split-phase"),
        ("two_legs", "measurements-two-legs"),
        ("single_phase", "measurements-single-phase"),
    ],
)
def test_each_wiring_has_its_measurements(
    wiring: str, measurements: str, tmp_path: Path
) -> None:
    """Accept the package of measurements of every wiring."""
    path = tmp_path / "wiring.yaml"
    path.write_text(
        METER.format(components=COMPONENTS, wiring=wiring)
        + f"packages:\n  measurements: !include {FOLDER}/packages/{measurements}.yaml\n"
    )
    result = esphome("config", path, data=tmp_path / "data")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("wiring", ["delta", "split_phase", "two_legs", "single_phase"])
def test_measurements_of_a_wiring_are_complete(
    table: dict[str, Any], wiring: str
) -> None:
    """Compare the wiring's package with packages/measurements.yaml less the refused quantities."""
    packages = FOLDER / "packages"
    everything = yaml.safe_load((packages / "measurements.yaml").read_text())
    name = f"measurements-{wiring.replace('_', '-')}.yaml"
    its_own = yaml.safe_load((packages / name).read_text())
    assert its_own["substitutions"] == everything["substitutions"]
    for domain in ("sensor", "text_sensor"):
        expected = everything[domain][0]
        for channel, refused in table["refused"][wiring].items():
            for quantity in refused:
                expected[channel].pop(quantity, None)
            if not expected[channel]:
                del expected[channel]
        assert its_own[domain] == [expected]


@pytest.mark.parametrize(
    ("wiring", "phases"),
    [
        ("wye", "123"),
        ("delta", ""),
        ("split_phase", "12"),
        ("two_legs", "12"),
        ("single_phase", "1"),
    ],
)
def test_one_substitution_wires_a_meter(
    wiring: str, phases: str, tmp_path: Path
) -> None:
    """Select the wiring and its measurements with a single substitution."""
    path = tmp_path / "mine.yaml"
    path.write_text(
        f"packages:\n  meter: !include {FOLDER}/nrj-meter-simulated.yaml\n"
        f"substitutions:\n  wiring: {wiring}\n"
    )
    configuration = resolved(path, tmp_path / "data", *OWN_COMPONENTS)
    assert configuration["ade9000"][0]["wiring"] == wiring
    measured = configuration["sensor"][0]
    powers = [n for n in "123" if "active_power" in measured.get(f"l{n}", {})]
    assert "".join(powers) == phases
    assert measured["total"]["active_power"]["name"] == "Active power"


def test_unknown_wiring_is_refused(tmp_path: Path) -> None:
    """The error lists the wirings there are."""
    path = tmp_path / "wiring.yaml"
    path.write_text(METER.format(components=COMPONENTS, wiring="triangle"))
    result = esphome("config", path, data=tmp_path / "data")
    assert result.returncode != 0
    assert "delta_with_neutral" in result.stdout + result.stderr

"""Check the ratios computed from the parts between mains and chip, and refuse impossible parts."""

from pathlib import Path
import re
from typing import Any

import pytest

from firmware_tests.configurations import FOLDER, esphome
from firmware_tests.esphome_python import ask

SIMULATED = """
esphome:
  name: front-end
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
{meter}
"""


def configuration(folder: Path, *lines: str) -> Path:
    """Write a meter with these lines in its `ade9000:`."""
    path = folder / "front-end.yaml"
    meter = "\n".join(f"  {line}" for line in lines)
    path.write_text(SIMULATED.format(components=FOLDER / "components", meter=meter))
    return path


# Worked out by hand from the data sheets.
VOLTAGE_INPUTS: list[tuple[dict[str, Any], float]] = [
    # 1 000 000 + 1000 Ohm over 1000 Ohm.
    ({"type": "resistor_divider", "upper": "1MOhm", "lower": "1kOhm"}, 1001.0),
    ({"type": "resistor_divider", "upper": "990kOhm", "lower": "1kOhm"}, 991.0),
    # 230 V over 110 kOhm is 2.0909 mA, which 100 Ohm turn into 209.09 mV: 230 / 0.20909 = 1100.
    ({"type": "zmpt101b", "primary_resistor": "110kOhm", "burden": "100Ohm"}, 1100.0),
    # 230 V to 9 V, then a tenth of that would be 25.56; behind 9 k / 1 k it is 255.6.
    (
        {
            "type": "voltage_transformer",
            "primary": "230V",
            "secondary": "9V",
            "upper": "9kOhm",
            "lower": "1kOhm",
        },
        255.5556,
    ),
    ({"type": "voltage_transformer", "primary": "230V", "secondary": "0.5V"}, 460.0),
]

CURRENT_INPUTS: list[tuple[dict[str, Any], float]] = [
    # 1 A makes 0.5 mA, which 13.6 Ohm turn into 6.8 mV.
    ({"type": "sct_013_000", "burden": "13.6Ohm"}, 0.0068),
    ({"type": "sct_013_030"}, 1 / 30),
    # 1 A makes 1 mA.
    ({"type": "zmct103c", "burden": "100Ohm"}, 0.1),
    # 80 A make 26.67 mA, which 18 Ohm turn into 0.48 V.
    ({"type": "sct_010", "burden": "18Ohm"}, 0.48 / 80),
    # 200 A make 100 mA, which 6.8 Ohm turn into 0.68 V.
    ({"type": "sct_024", "burden": "6.8Ohm"}, 0.68 / 200),
    # 200 A make 5 A, which 0.1 Ohm turn into 0.5 V.
    ({"type": "current_transformer", "primary": "200A", "burden": "0.1Ohm"}, 0.0025),
    (
        {
            "type": "current_transformer",
            "primary": "200A",
            "secondary": "50mA",
            "burden": "10Ohm",
        },
        0.0025,
    ),
    # 100 mV for 1000 A at 50 Hz; the same coil's data sheet at 60 Hz would say 120 mV.
    ({"type": "rogowski_coil", "sensitivity": 1e-4}, 1e-4),
    ({"type": "rogowski_coil", "sensitivity": 1.2e-4, "frequency": "60Hz"}, 1e-4),
]


def test_ratios_follow_from_the_parts() -> None:
    """Compute each preset's ratio as its data sheet and Ohm's law give the ratio."""
    answer = ask(
        f"""
        voltages = {[parts for parts, _ in VOLTAGE_INPUTS]!r}
        currents = {[parts for parts, _ in CURRENT_INPUTS]!r}
        answer = [
            [front_end.voltage_divider({{"voltage_input": front_end.VOLTAGE_INPUT_SCHEMA(p)}}) for p in voltages],
            [front_end.current_sensitivity({{"current_input": front_end.CURRENT_INPUT_SCHEMA(p)}}) for p in currents],
        ]
        """
    )
    assert answer[0] == pytest.approx([ratio for _, ratio in VOLTAGE_INPUTS], rel=1e-6)
    assert answer[1] == pytest.approx([ratio for _, ratio in CURRENT_INPUTS], rel=1e-6)


def test_the_presets_named_in_the_documentation_exist() -> None:
    """A preset is not lost unnoticed."""
    answer = ask(
        """
        answer = sorted([*front_end.RATED_TRANSFORMERS, *front_end.VOLTAGE_OUTPUT_TRANSFORMERS])
        """
    )
    assert answer == ["sct_010", "sct_013_000", "sct_013_030", "sct_024", "zmct103c"]


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (
            ["current_sensitivity: 0.0068"],
            "neither voltage_divider nor voltage_input is given: give exactly one",
        ),
        (
            ["voltage_divider: 1001"],
            "neither current_sensitivity nor current_input is given: give exactly one",
        ),
        (
            [
                "voltage_divider: 1001",
                "voltage_input: {type: resistor_divider, upper: 1MOhm, lower: 1kOhm}",
                "current_sensitivity: 0.0068",
            ],
            "both voltage_divider and voltage_input are given: give exactly one",
        ),
        (
            [
                "voltage_divider: 1001",
                "current_sensitivity: 0.0068",
                "current_input: {type: sct_013_030}",
            ],
            "'current_sensitivity: !remove'",
        ),
        (
            [
                "voltage_input: {type: resistor_divider, upper: 100kOhm, lower: 1kOhm}",
                "current_sensitivity: 0.0068",
            ],
            "with this divider the chip takes 71.42 V",
        ),
        (
            ["voltage_divider: 1001", "current_input: {type: sct_013_000}"],
            "burden",
        ),
        (
            [
                "voltage_divider: 1001",
                "current_input: {type: current_transformer, primary: 1000kA, burden: 0.1Ohm}",
            ],
            "these parts make a current sensitivity of 5e-07 V/A",
        ),
        (["voltage_divider: 1001", "current_input: {type: sct_999}"], "sct_013_000"),
    ],
)
def test_an_impossible_front_end_is_refused(
    lines: list[str], complaint: str, tmp_path: Path
) -> None:
    """Refuse impossible parts with the key's name and advice."""
    path = configuration(tmp_path, *lines)
    result = esphome("config", path, data=tmp_path / "data")
    assert result.returncode != 0
    said = re.sub(r"\s+", " ", result.stdout + result.stderr)
    assert complaint in said, said


@pytest.mark.parametrize("interval", ["31s", "5min", "never"])
def test_an_interval_in_which_the_counters_could_go_round_is_refused(
    interval: str, tmp_path: Path
) -> None:
    """At full scale the chip's counters are ambiguous after 106 s, beyond it sooner."""
    ratios = ("voltage_divider: 1001", "current_sensitivity: 0.0068")
    path = configuration(tmp_path, *ratios, f"update_interval: {interval}")
    result = esphome("config", path, data=tmp_path / "data")
    assert result.returncode != 0
    said = re.sub(r"\s+", " ", result.stdout + result.stderr)
    assert "energy counters could go round" in said, said
    assert "publish_interval" in said


def test_an_interval_of_half_a_minute_is_taken(tmp_path: Path) -> None:
    """The longest interval is valid."""
    ratios = ("voltage_divider: 1001", "current_sensitivity: 0.0068")
    path = configuration(tmp_path, *ratios, "update_interval: 30s")
    result = esphome("config", path, data=tmp_path / "data")
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_rogowski_coil_turns_the_integrator_on(tmp_path: Path) -> None:
    """CONFIG0.INTEN (bit 5 of 0x060) and DICOEFF (0x072) go to the chip, with the coil's ratio."""
    path = configuration(
        tmp_path,
        "voltage_input: {type: resistor_divider, upper: 1MOhm, lower: 1kOhm}",
        "current_input: {type: rogowski_coil, sensitivity: 0.0005}",
    )
    result = esphome("compile", "--only-generate", path, data=tmp_path / "data")
    assert result.returncode == 0, result.stdout + result.stderr
    main = next((tmp_path / "data").rglob("main.cpp")).read_text()
    registers = {
        int(address, 0): int(value.rstrip("UL"), 0)
        for address, value in re.findall(
            r"set_register\((\w+), (\w+)\)", main.replace("ULL", "")
        )
    }
    assert registers == {0x060: 0x20, 0x072: 0xFFFFE000}
    assert re.search(r"set_scaling\(1001\.0f, 0\.0005f\)", main)


@pytest.mark.parametrize(
    ("lines", "watts"),
    [
        # A thousandth of 5 A at 230 V.
        ([], 1.15),
        (["nominal_voltage: 120V"], 0.6),
        (["nominal_current: 20A"], 4.6),
        (["no_load_power: 3.6W"], 3.6),
    ],
)
def test_a_meter_counts_from_its_starting_current(
    lines: list[str], watts: float, tmp_path: Path
) -> None:
    """The starting current of class 0.2 S (IEC 62053-22), unless a power is given."""
    path = configuration(
        tmp_path, "voltage_divider: 1001", "current_sensitivity: 0.0067", *lines
    )
    result = esphome("compile", "--only-generate", path, data=tmp_path / "data")
    assert result.returncode == 0, result.stdout + result.stderr
    main = next((tmp_path / "data").rglob("main.cpp")).read_text()
    said = re.search(r"set_no_load_power\(([\d.]+)f?\)", main)
    assert said is not None
    assert float(said[1]) == pytest.approx(watts)


@pytest.mark.parametrize("lines", [["no_load_power: 1W"], ["nominal_current: 5A"]])
def test_a_meter_does_not_count_the_noise_of_the_chip(
    lines: list[str], tmp_path: Path
) -> None:
    """With 7 kA of full scale noise is 20 W: a lower power is refused, a lower default raised."""
    path = configuration(
        tmp_path,
        "voltage_divider: 1001",
        "current_input: {type: rogowski_coil, sensitivity: 0.0001}",
        *lines,
    )
    result = esphome("compile", "--only-generate", path, data=tmp_path / "data")
    if lines == ["no_load_power: 1W"]:
        assert result.returncode != 0
        assert "below the noise of the chip" in re.sub(
            r"\s+", " ", result.stdout + result.stderr
        )
        return
    assert result.returncode == 0, result.stdout + result.stderr
    main = next((tmp_path / "data").rglob("main.cpp")).read_text()
    said = re.search(r"set_no_load_power\(([\d.]+)f?\)", main)
    assert said is not None
    assert float(said[1]) == pytest.approx(20, rel=0.02)

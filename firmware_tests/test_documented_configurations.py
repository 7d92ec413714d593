"""Check the documents' ESPHome snippets and driver facts against ESPHome and the driver."""

from pathlib import Path
import re
import subprocess

from nrj_bench.benches.firmware import traffic
import pytest
import yaml

from tests.docs.snippets import Snippet, snippets
from tests.docs.tables import codes, table

from .configurations import FOLDER, OWN_COMPONENTS, esphome
from .esphome_python import ask

FROM_GITHUB = re.compile(
    r"github://nrj-monitor/nrj-monitor/esphome/(?P<file>[\w/.-]+\.yaml)@\S+"
)
METER = FOLDER / "nrj-meter-factory.yaml"
PACKAGES = f"packages:\n  documented: !include {METER}\n"
SECRETS = {
    "wifi_ssid": "home",
    "wifi_password": "correct horse",
    "api_encryption_key": "aGVsbG8gd29ybGQsIHRoaXMgaXMgbm90IHNlY3JldCE=",
    "mqtt_username": "meter",
    "mqtt_password": "correct horse",
    "web_username": "me",
    "web_password": "correct horse",
}


def configuration(snippet: Snippet, folder: Path) -> Path:
    """Write a snippet in a user's way: beside the meter's package.

    What it takes from GitHub is taken from this copy of the repository.
    """
    text = FROM_GITHUB.sub(rf"!include {FOLDER}/\g<file>", snippet.block.text)
    if "packages" not in snippet.content:
        text = PACKAGES + text
    file = folder / "meter.yaml"
    file.write_text(text)
    (folder / "secrets.yaml").write_text(yaml.safe_dump(SECRETS))
    return file


def check(snippet: Snippet, folder: Path) -> subprocess.CompletedProcess[str]:
    """Let ESPHome check a snippet."""
    file = configuration(snippet, folder)
    return esphome(*OWN_COMPONENTS, "config", file, data=folder / "data")


@pytest.mark.parametrize("snippet", snippets("esphome"), ids=lambda s: s.id)
def test_a_snippet_is_a_valid_configuration(snippet: Snippet, tmp_path: Path) -> None:
    """Accept every documented snippet with the meter's package."""
    for found in FROM_GITHUB.finditer(snippet.block.text):
        assert (FOLDER / found["file"]).exists()
    checked = check(snippet, tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_wrong_snippet_is_refused(tmp_path: Path) -> None:
    """Refuse parts given beside the package's own ratios, a mistake once in hardware.md."""
    (snippet,) = (s for s in snippets("esphome") if "voltage_input" in s.block.text)
    file = configuration(snippet, tmp_path)
    file.write_text(file.read_text().replace("  voltage_divider: !remove\n", ""))
    checked = esphome(*OWN_COMPONENTS, "config", file, data=tmp_path / "data")
    assert checked.returncode != 0
    assert "give exactly one" in checked.stdout + checked.stderr


def test_the_pins_are_the_meter_s() -> None:
    """Substitutions and their values, in the order of the table."""
    substitutions = re.findall(
        r"^  (\w+_pin): (\w+)$", (FOLDER / "nrj-meter.yaml").read_text(), re.MULTILINE
    )
    documented = {
        name: pin
        for row in table("install.md", "substitution", "default", "what it is")
        for name, pin in zip(
            codes(row["substitution"]), row["default"].split(", "), strict=True
        )
    }
    assert documented == dict(substitutions)


CURRENT_INPUTS = """answer = sorted([
    *front_end.RATED_TRANSFORMERS, *front_end.VOLTAGE_OUTPUT_TRANSFORMERS,
    front_end.ROGOWSKI_COIL, "current_transformer",
])"""
VOLTAGE_INPUTS = "answer = sorted(front_end._DIVIDERS)"


@pytest.mark.parametrize(
    ("kind", "code"),
    [("current_input", CURRENT_INPUTS), ("voltage_input", VOLTAGE_INPUTS)],
)
def test_the_parts_are_listed_completely(kind: str, code: str) -> None:
    """Give each type of the component its row."""
    head = f"`{kind}: type:`"
    rows = table("hardware.md", head, "what it is", "with")
    documented = [name for row in rows for name in codes(row[head])]
    assert sorted(documented) == ask(code)


def test_the_driver_s_cost_is_documented() -> None:
    """Compare the documented frames, bytes and wire time with the driver's traffic."""
    rows = table("performance.md", "pass of the loop", "frames", "bytes", "at 5 MHz")
    assert [tuple(row.values()) for row in rows] == [
        (
            entry["name"],
            str(entry["frames"]),
            str(entry["bytes"]),
            f"{entry['blocking_ms']:.2f} ms",
        )
        for entry in traffic()
    ]

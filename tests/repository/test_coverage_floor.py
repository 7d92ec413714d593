"""Check of the coverage floor: each module counts, not the average."""

import json
from pathlib import Path

import pytest

from coverage_floor import main


def report(path: Path, **modules: float) -> Path:
    """Write a report with modules of given coverage in percent."""
    files = {
        f"{name}.py": {"summary": {"percent_covered": percent}, "missing_lines": [7]}
        for name, percent in modules.items()
    }
    path.write_text(json.dumps({"files": files, "totals": {"percent_covered": 99.0}}))
    return path


def test_all_modules_above_the_floor_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The output includes the worst module."""
    assert main(report(tmp_path / "r.json", meter=100.0, sensor=95.1)) == 0
    assert "2 modules, each at least 95.1 %" in capsys.readouterr().out


def test_module_below_the_floor_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Modules below the floor are named with the lines not run, the worst first."""
    assert main(report(tmp_path / "r.json", meter=100.0, llm=94.9, mqtt=0.0)) == 1
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "mqtt.py: 0.0 % of 95 %, not run: lines 7",
        "llm.py: 94.9 % of 95 %, not run: lines 7",
    ]


def test_report_without_modules_fails(tmp_path: Path) -> None:
    """A report without modules, as of a wrong path, is no success."""
    assert main(report(tmp_path / "r.json")) == 1


def test_the_dialogues_have_a_floor_of_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refuse a single untested line of a dialogue."""
    folder = "custom_components/nrj_monitor"
    modules = {f"{folder}/flows/native": 99.5, f"{folder}/meter": 99.5}
    assert main(report(tmp_path / "r.json", **modules)) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{folder}/flows/native.py: 99.5 % of 100 %, not run: lines 7"
    ]

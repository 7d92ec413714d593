#!/usr/bin/env python3
"""Check of the test coverage of each module of the integration.

    coverage_floor.py REPORT     a report of `coverage json`, with branches

The rule test-coverage asks for more than 95 % of every module, not of all together; the
rule config-flow-test-coverage for every line and branch of the dialogues.
"""

import json
from pathlib import Path
import sys
from typing import Any

FLOOR = 95.0
"""Percent of a module's lines and branches that tests must run, at least."""

DIALOGUES = ("config_flow.py", "flows/")
DIALOGUE_FLOOR = 100.0
"""The same for the dialogues: files and folders within the integration."""


def floor_of(name: str) -> float:
    """Return the percent of the statements tests must run in the module at the path `name`."""
    inside = name.partition("custom_components/nrj_monitor/")[2]
    return DIALOGUE_FLOOR if inside.startswith(DIALOGUES) else FLOOR


def below(report: dict[str, Any]) -> list[str]:
    """Return a line for each module below the floor, the lowest first."""
    found = sorted(
        (module["summary"]["percent_covered"], name, module["missing_lines"])
        for name, module in report["files"].items()
        if module["summary"]["percent_covered"] < floor_of(name)
    )
    return [
        f"{name}: {percent:.1f} % of {floor_of(name):.0f} %, not run: lines "
        + (", ".join(map(str, lines)) or "none, but branches")
        for percent, name, lines in found
    ]


def main(path: Path) -> int:
    """Check the report at `path`, print the result; return the exit status."""
    report = json.loads(path.read_text())
    if not report["files"]:
        print(f"{path} holds no module: nothing was measured.")
        return 1
    lacking = below(report)
    for line in lacking:
        print(line)
    if not lacking:
        worst = min(f["summary"]["percent_covered"] for f in report["files"].values())
        print(
            f"{len(report['files'])} modules, each at least {worst:.1f} % covered, "
            f"together {report['totals']['percent_covered']:.1f} %."
        )
    return 1 if lacking else 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))

"""Attack: hostile inputs of each kind, after each of which the promises are checked.

The same property tests as in the test command, with many more inputs, others each time.
"""

from collections.abc import Sequence
import json
import os
from pathlib import Path
import subprocess
import sys
import tempfile

from nrj_tools import ROOT
from nrj_tools.command_line import CommandLine, number
from tests.support.attack import EXAMPLES, REPORT

ATTACKS = {
    "meter": "tests/attack/test_hostile_meter.py",
    "mqtt": "tests/attack/test_hostile_mqtt.py",
    "files": "tests/attack/test_hostile_files.py",
    "broker": "tests/attack/test_hostile_broker.py",
    "queue": "tests/attack/test_hostile_queue.py",
}
"""Test file of each attack."""


def main(arguments: Sequence[str]) -> int:
    """Run the attacks and print their figures as JSON; return 1 if a promise was broken."""
    parser = CommandLine(
        "scripts/bench attack",
        "Checks what is promised after thousands of hostile inputs of each kind.",
    )
    parser.add_argument(
        "--examples",
        type=number(1, 1_000_000, "examples", whole=True),
        default=2000,
        help="sequences of inputs of each attack",
    )
    parser.add_argument(
        "--only", choices=sorted(ATTACKS), action="append", help="only this attack"
    )
    parser.add_argument(
        "--seed",
        type=number(0, 2**32 - 1, "a seed", whole=True),
        help="the seed that a failed run has printed",
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report"
        report.touch()
        tests = [ATTACKS[name] for name in options.only or ATTACKS]
        command = [sys.executable, "-m", "pytest", "-q", "--timeout=0", *tests]
        if options.seed is not None:
            command.append(f"--hypothesis-seed={int(options.seed)}")
        environment = os.environ | {
            EXAMPLES: str(int(options.examples)),
            REPORT: str(report),
        }
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        figures = [json.loads(line) for line in report.read_text().splitlines()]
    if done.returncode:
        print(done.stdout, done.stderr, file=sys.stderr)
    print(
        json.dumps({"attacks": figures, "promises kept": not done.returncode}, indent=2)
    )
    return 1 if done.returncode else 0

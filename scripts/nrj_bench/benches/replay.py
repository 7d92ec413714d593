"""Benchmark of scripts/replay: time and memory of a long recording, and its start.

The recording is of a house with solar panels on a grid that sags twice a day. Beside
it the obvious way is measured: the whole file in memory, the arbiter asked at each row.
"""

from collections.abc import Sequence
import json
from math import cos, pi
import os
from pathlib import Path
import random
import subprocess
import sys
import tempfile
import time
from typing import Any

from nrj_tools import ROOT
from nrj_tools.command_line import CommandLine, number

DAY = 86_400
ROWS = 864_000
"""Rows of a day at ten a second; the obvious way is given no more of them."""

AIM_CPU = 20.0
AIM_MEMORY = 100.0
AIM_START = 2.0
"""Seconds of CPU for `ROWS`, MiB of memory for any number of rows, and seconds to start."""

HOUSE = """
limits:
  contract: {power: 9000, tolerance: graded}
loads:
  - {name: boiler, class: surplus, power: 2000, phase: L1}
  - {name: heater, class: shed_1, power: 1500, phase: L2}
  - {name: freezer, class: shed_2, power: 150, phase: L3, longest_off: 1800}
  - {name: router, power: 20}
"""


WHOLE_FILE = """\
import sys
from pathlib import Path
from nrj_replay.rules_alone import use_rules_alone
use_rules_alone()
from nrj_bench.whole_file_replay import main
main(*map(Path, sys.argv[1:]))
"""


def write(path: Path, rows: int, interval: float) -> None:
    """Write a recording with a row every `interval` s."""
    noise = random.Random(1)
    with path.open("w") as file:
        file.write(
            "time_s,frequency_hz,voltage_l1,voltage_l2,voltage_l3,"
            "power_l1,power_l2,power_l3\n"
        )
        for n in range(rows):
            at = n * interval
            sun = max(0.0, -cos(2 * pi * at / DAY)) * 4000
            hertz = 49.75 if 40_000 <= at % (DAY / 2) < 40_060 else 50.0
            file.write(
                f"{at:.2f},{hertz + noise.uniform(-0.02, 0.02):.3f},"
                f"{noise.uniform(228, 232):.2f},{noise.uniform(228, 232):.2f},"
                f"{noise.uniform(228, 232):.2f},{noise.uniform(500, 900) - sun:.1f},"
                f"{noise.uniform(1600, 2000):.1f},{noise.uniform(200, 400):.1f}\n"
            )


def measure(*words: str | Path) -> tuple[dict[str, float], str]:
    """Run a program; return seconds, seconds of CPU and MiB, and its output."""
    begun = time.monotonic()
    with subprocess.Popen(
        [sys.executable, *words],
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'scripts'}"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{words[1]} failed: it ended with {process.returncode}")
    return {
        "seconds": round(time.monotonic() - begun, 2),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
        "memory_mib": round(used.ru_maxrss / 1024, 1),
    }, said


def compare(rows: int, interval: float) -> dict[str, Any]:
    """Run the benchmark; return its result for JSON."""
    with tempfile.TemporaryDirectory() as folder:
        recording, house = Path(folder) / "recording.csv", Path(folder) / "loads.yaml"
        house.write_text(HOUSE)
        write(recording, 2, interval)
        play = ("-m", "nrj_replay", recording, "--profile", "continental_europe")
        # The first run may build the guard.
        starts = [measure(*play)[0]["seconds"] for _ in range(4)]
        write(recording, rows, interval)
        replay, said = measure(*play, "--loads", house)
        summary = json.loads(said.splitlines()[-1])["summary"]
        write(recording, min(rows, ROWS), interval)
        obvious, decided = measure("-c", WHOLE_FILE, recording, house)
    return {
        "start, seconds": min(starts[1:]),
        "replay": {
            "rows": summary["samples"],
            **replay,
            "actions": summary["actions"],
        },
        "the whole file in memory": {
            "rows": min(rows, ROWS),
            **obvious,
            "actions": int(decided),
        },
    }


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark, print its result; return 1 where an aim is missed."""
    parser = CommandLine("scripts/bench replay", __doc__)
    parser.add_argument(
        "--rows",
        type=number(100, 1e8, "rows", whole=True),
        default=ROWS,
        help="rows of the recording",
    )
    parser.add_argument(
        "--interval",
        type=number(0.02, 300, "seconds"),
        default=0.1,
        help="seconds between two rows",
    )
    options = parser.parse_args(arguments)
    result = compare(options.rows, options.interval)
    print(json.dumps(result, indent=2))
    replay = result["replay"]
    return int(
        replay["cpu_seconds"] > AIM_CPU * max(1.0, options.rows / ROWS)
        or replay["memory_mib"] > AIM_MEMORY
        or result["start, seconds"] > AIM_START
    )

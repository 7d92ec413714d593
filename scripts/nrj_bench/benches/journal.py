"""A day away: the time until its minutes are in the statistics, and who waits meanwhile."""

import asyncio
from collections.abc import Sequence
import json
from pathlib import Path
import sys
import tempfile

from nrj_faults.schedule import Life

from nrj_tools.command_line import CommandLine, number
from nrj_tools.firmware import FirmwareError, build

SECONDS_AIMED = 5.0
LAG_AIMED = 0.050


def main(arguments: Sequence[str]) -> int:
    """Measure; 1 if an aim is missed."""
    parser = CommandLine("scripts/bench journal", __doc__)
    parser.add_argument(
        "--hours",
        type=number(1, 24 * 30, "hours", whole=True),
        default=24,
        help="how long Home Assistant is away, in simulated time",
    )
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as folder:
            seconds, lag, filled = asyncio.run(
                Life(1, build(), Path(folder)).measure_backfill(options.hours)
            )
    except FirmwareError as error:
        print(error, file=sys.stderr)
        return 1
    print(
        json.dumps(
            {
                "hours away": options.hours,
                "records": options.hours * 60,
                "hours of sensors filled in": filled,
                "seconds": round(seconds, 2),
                "aim, s": SECONDS_AIMED,
                "longest lag of the event loop, ms": round(1000 * lag, 1),
                "aim, ms": 1000 * LAG_AIMED,
            }
        )
    )
    return 0 if seconds <= SECONDS_AIMED and lag <= LAG_AIMED else 1

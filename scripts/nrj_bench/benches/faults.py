"""Seeded random lives of a meter and a Home Assistant: does every watt-hour arrive?"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
import json
from pathlib import Path
import shutil
import sys
import tempfile

from nrj_faults.schedule import Outcome, run_schedule

from nrj_tools.command_line import CommandLine, number
from nrj_tools.firmware import FirmwareError, build


async def run(
    first: int, count: int, jobs: int, steps: int | None, folder: Path
) -> list[Outcome]:
    """Run the schedules of `count` seeds from `first` on, `jobs` at a time."""
    program = build()
    places = asyncio.Semaphore(jobs)

    async def one(seed: int) -> Outcome:
        own = folder / str(seed)
        async with places:
            outcome = await run_schedule(seed, program, own, steps)
        print(json.dumps(vars(outcome)), flush=True)
        if outcome.errors:
            print(f"Its database and logs are in {own}", file=sys.stderr, flush=True)
        else:
            shutil.rmtree(own)
        return outcome

    return await asyncio.gather(*(one(first + index) for index in range(count)))


def main(arguments: Sequence[str]) -> int:
    """Run schedules; return 1 if any lost or invented energy."""
    parser = CommandLine("scripts/bench faults", __doc__)
    parser.add_argument(
        "--schedules",
        type=number(1, 1e6, "schedules", whole=True),
        default=200,
        help="how many lives",
    )
    parser.add_argument(
        "--first-seed",
        type=number(0, 1e9, "a seed", whole=True),
        default=1,
        help="seed of the first life",
    )
    parser.add_argument(
        "--jobs",
        type=number(1, 64, "jobs", whole=True),
        default=2,
        help="lives at a time",
    )
    parser.add_argument(
        "--steps",
        type=number(0, 288, "steps", whole=True),
        help="five minutes in which something may fail; by default three to six hours of them, as the seed says",
    )
    options = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    try:
        outcomes = asyncio.run(
            run(
                options.first_seed,
                options.schedules,
                options.jobs,
                options.steps,
                folder,
            )
        )
    except FirmwareError as error:
        print(error, file=sys.stderr)
        return 1
    with suppress(OSError):
        # Not where something is kept.
        folder.rmdir()
    bad = [outcome.seed for outcome in outcomes if outcome.errors]
    quiet = [o for o in outcomes if not any("meter killed" in f for f in o.faults)]
    print(
        json.dumps(
            {
                "schedules": len(outcomes),
                "with errors": bad,
                "hours compared": sum(outcome.hours for outcome in outcomes),
                "worst hour, part of its energy": max(o.worst_hour for o in outcomes),
                "worst total, Wh": max(o.total_error for o in outcomes),
                "worst total where the meter was never killed, Wh": max(
                    (o.total_error for o in quiet), default=None
                ),
            }
        )
    )
    return 1 if bad else 0

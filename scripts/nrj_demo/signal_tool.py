"""Client of the signal tool: the simulator's signal model as a program."""

from collections.abc import Mapping, Sequence
import csv
from datetime import UTC, datetime, timedelta
import json
from pathlib import Path

from nrj_tools.errors import ScriptError, UsageError
from nrj_tools.processes import run

from .options import Playback

type Row = Mapping[str, float]
"""One step of the built-in house: what signal_model history prints, by column."""


async def check_recording(tool: Path, playback: Playback) -> str:
    """Check a recording for the simulated chip; return a sentence about the file.

    Raises:
        UsageError: with the sentence that says what is wrong with it.
    """
    if playback.recording is None:
        raise UsageError("There is no recording to check.")
    options: list[str | Path] = []
    if playback.columns:
        options += ["--columns", playback.columns]
    if playback.scale:
        options += ["--scale", playback.scale]
    checked = await run([tool, "check", playback.recording, *options])
    if checked.status != 0:
        raise UsageError(checked.errors.strip())
    found = json.loads(checked.output)
    gaps = found["rows_without_measurement"]
    return (
        f"Playing {playback.recording.name}: {found['rows']} rows over"
        f" {timedelta(seconds=round(found['duration']))}"
        + (f", {gaps} of them without a measurement" if gaps else "")
        + f" ({', '.join(found['quantities'])})."
    )


async def house_history(
    tool: Path, start: datetime, end: datetime, step: timedelta
) -> Sequence[Row]:
    """Return the readings of the built-in house's meter, step by step.

    A row has the step's `start` (Unix seconds), energies in Wh, and mean, min and
    max of everything else in the unit of the catalog; its column names begin with
    the catalog's keys. The last step is cut short at `end`.
    """
    computed = await run(
        [
            tool,
            "history",
            "--from",
            str(int(start.timestamp())),
            "--to",
            str(int(end.timestamp())),
            "--step",
            str(int(step.total_seconds())),
        ]
    )
    if computed.status != 0:
        raise ScriptError(
            f"The past statistics could not be computed: {computed.errors.strip()}"
        )
    return [
        {name: float(value) for name, value in row.items()}
        for row in csv.DictReader(computed.output.splitlines())
    ]


def start_of(row: Row) -> datetime:
    """Return when a step of the built-in house begins."""
    return datetime.fromtimestamp(row["start"], UTC)

"""The simulator's own signal model, asked from outside the firmware."""

from collections.abc import Mapping, Sequence
import csv
from datetime import UTC, datetime, timedelta
import json
from pathlib import Path

from .errors import DemoError, UsageError
from .options import Playback
from .processes import run

type Row = Mapping[str, float]
"""One step of the built-in house: what signal_model history prints, by column."""


async def check_recording(tool: Path, playback: Playback) -> str:
    """Check that a recording can be played and return a sentence about it.

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
    """Return what the built-in house's meter would have shown, step by step.

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
        raise DemoError(
            f"The past statistics could not be computed: {computed.errors.strip()}"
        )
    return [
        {name: float(value) for name, value in row.items()}
        for row in csv.DictReader(computed.output.splitlines())
    ]


def start_of(row: Row) -> datetime:
    """Return when a step of the built-in house begins."""
    return datetime.fromtimestamp(row["start"], UTC)

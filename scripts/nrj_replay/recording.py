"""Reader of recordings of the grid: frequency, voltages and powers."""

from collections.abc import Iterator
import csv
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import isfinite, nan
from pathlib import Path
from statistics import median

from custom_components.nrj_monitor.control.supply import PHASES, Supply
from custom_components.nrj_monitor.frequency_guard.frequency_check import (
    GridSample,
    PhaseSample,
)

from .errors import ReplayError

FREQUENCY = "frequency_hz"
NOT_MEASURED = frozenset({"", "nan", "none", "null", "unknown", "unavailable"})


@dataclass(frozen=True, slots=True)
class Sample:
    """Row of a recording: input of the guard, and power by phase and in total, W."""

    grid: GridSample
    powers: dict[Supply, float | None]

    @property
    def seconds(self) -> float:
        """Return the time, s since the first row."""
        return self.grid.time_ms / 1000.0


@dataclass(frozen=True, slots=True)
class Recording:
    """Rows of a recording, and the longest silence of its source, ms."""

    samples: tuple[Sample, ...]
    silence_ms: int


def read(path: Path, nominal_voltage: float) -> Recording:
    """Read a recording; a missing voltage is nominal.

    Raises:
        ReplayError: the file is missing, has not the columns, or a row is no row.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            samples = tuple(_rows(path, csv.reader(file), nominal_voltage))
    except OSError as error:
        raise ReplayError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ReplayError(
            f"{path} is not text in UTF-8: is it a CSV file at all?"
        ) from error
    except csv.Error as error:
        raise ReplayError(f"{path} is no CSV file: {error}.") from error
    if len(samples) < 2:
        raise ReplayError(
            f"{path} has {len(samples)} rows of measurements: at least 2 are needed."
        )
    steps = [
        later.grid.time_ms - sample.grid.time_ms for sample, later in pairwise(samples)
    ]
    return Recording(samples, max(1000, round(2.5 * median(steps))))


def _rows(
    path: Path, rows: Iterator[list[str]], nominal_voltage: float
) -> Iterator[Sample]:
    header = [name.strip().lower() for name in next(rows, [])]
    if len(set(header)) != len(header):
        raise ReplayError(f"{path} names a column twice: {', '.join(header)}.")
    times = [name for name in ("time_s", "time") if name in header]
    if not times or FREQUENCY not in header:
        raise ReplayError(
            f"{path} needs the columns time_s (seconds) or time (ISO 8601) and"
            f" {FREQUENCY}; its first line has {', '.join(header) or 'nothing'}."
        )
    first: float | None = None
    before: float | None = None
    for row in rows:
        # The reader's own count, which quoted line breaks do not disturb.
        number = rows.line_num  # type: ignore[attr-defined]
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            raise ReplayError(
                f"{path}, line {number} has {len(row)} columns, the first line"
                f" {len(header)}."
            )
        cells = dict(zip(header, row, strict=True))
        seconds = _time(path, number, times[0], cells[times[0]])
        first = seconds if first is None else first
        if before is not None and seconds < before:
            raise ReplayError(
                f"{path}, line {number} goes back in time by {before - seconds:g} s:"
                " sort the rows."
            )
        before = seconds
        yield _sample(path, number, cells, seconds - first, nominal_voltage)


def _time(path: Path, number: int, column: str, text: str) -> float:
    if column == "time_s":
        seconds = _number(path, number, column, text)
        if not isfinite(seconds):
            raise ReplayError(f"{path}, line {number} has no time.")
        return seconds
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except ValueError as error:
        raise ReplayError(
            f"{path}, line {number}: '{text}' is no time in ISO 8601, like"
            " 2025-04-28T12:33:20."
        ) from error


def _number(path: Path, number: int, column: str, text: str) -> float:
    """Return a measurement, NaN for an empty field."""
    if text.strip().lower() in NOT_MEASURED:
        return nan
    try:
        return float(text)
    except ValueError as error:
        raise ReplayError(
            f"{path}, line {number}, {column}: '{text}' is no number."
        ) from error


def _sample(
    path: Path, number: int, cells: dict[str, str], seconds: float, nominal: float
) -> Sample:
    frequency = _number(path, number, FREQUENCY, cells[FREQUENCY])
    volts = [
        _number(path, number, column, cells[column])
        for phase in PHASES
        if (column := f"voltage_{phase.lower()}") in cells
    ] or [nominal]
    powers: dict[Supply, float | None] = {
        phase: _number(path, number, column, cells[column])
        for phase in PHASES
        if (column := f"power_{phase.lower()}") in cells
    }
    if powers:
        powers[Supply.TOTAL] = sum(
            value for value in powers.values() if value is not None
        )
    return Sample(
        GridSample(
            round(seconds * 1000), tuple(PhaseSample(v, frequency) for v in volts)
        ),
        powers,
    )

"""Reader of recordings of the grid: frequency, voltages and powers."""

from collections.abc import Iterator
import csv
from dataclasses import dataclass
import io
from itertools import pairwise
from math import nan
from pathlib import Path
import re
from statistics import median

from custom_components.nrj_monitor.control.supply import PHASES, Supply
from custom_components.nrj_monitor.frequency_guard.frequency_check import (
    GridSample,
    PhaseSample,
)

from .errors import ReplayError
from .recording_header import FREQUENCY, TIMES, Column, read as read_header, separator
from .recording_time import RecordingClock, TimeError, find_slash_order

NOT_MEASURED = frozenset({"", "?", "nan", "none", "null", "unknown", "unavailable"})
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?", re.ASCII)


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
        text = path.read_text(encoding="utf-8-sig")
        samples = tuple(_samples(path, text, nominal_voltage))
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


def _samples(path: Path, text: str, nominal_voltage: float) -> Iterator[Sample]:
    delimiter = separator(text.partition("\n")[0])
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns = read_header(path, next(rows, []))
    time_column = next(
        name for name in TIMES if any(column.name == name for column in columns)
    )
    numbers = NumberReader(may_have_comma=delimiter != ",")
    cells = list(_cells(path, rows, columns))
    clock = RecordingClock(
        next(
            filter(None, (find_slash_order(row[time_column]) for _, row in cells)), None
        )
    )
    factors = {column.name: column.factor for column in columns}
    first: float | None = None
    for number, row in cells:
        text = row.pop(time_column)
        if time_column == "time_s" and text.lower() in NOT_MEASURED:
            raise ReplayError(f"{path}, line {number} has no time.")
        try:
            seconds = clock.next(numbers.with_point(text))
        except TimeError as error:
            raise ReplayError(f"{path}, line {number}: {error}") from error
        first = seconds if first is None else first
        values: dict[str, float] = {}
        for column, cell in row.items():
            try:
                values[column] = numbers.read(cell) * factors[column]
            except ValueError as error:
                raise ReplayError(
                    f"{path}, line {number}, {column}: {error}"
                ) from error
        yield _sample(values, seconds - first, nominal_voltage)


def _cells(
    path: Path, rows: Iterator[list[str]], columns: list[Column]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row's line number and its cells by column."""
    for row in rows:
        # The reader's own count, which quoted line breaks do not disturb.
        number = rows.line_num  # type: ignore[attr-defined]
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(columns):
            raise ReplayError(
                f"{path}, line {number} has {len(row)} columns, the first line"
                f" {len(columns)}."
            )
        yield (
            number,
            {
                column.name: cell.strip()
                for column, cell in zip(columns, row, strict=True)
                if column.name
            },
        )


class NumberReader:
    """Read numbers with a decimal point or a decimal comma, all with the same."""

    def __init__(self, may_have_comma: bool) -> None:
        """Begin a file; `may_have_comma` where a comma separates no columns."""
        self._may_have_comma = may_have_comma
        self._first = ""

    def with_point(self, text: str) -> str:
        """Return a number with a decimal point; any other text as it is."""
        if self._may_have_comma and _DECIMAL_COMMA.fullmatch(text):
            return text.replace(",", ".")
        return text

    def read(self, text: str) -> float:
        """Return a measurement, NaN for an empty field.

        Raises:
            ValueError: the text is no number, or may be two.
        """
        if text.lower() in NOT_MEASURED:
            return nan
        try:
            value = float(self.with_point(text))
        except ValueError:
            raise ValueError(
                f"'{text}' is no number: write nothing between thousands."
            ) from None
        if "," in text or "." in text:
            if self._first and ("," in self._first) is not ("," in text):
                raise ValueError(
                    f"'{text}' has another decimal mark than '{self._first}' before it:"
                    " write all numbers with a point, or all with a comma."
                )
            self._first = self._first or text
        return value


def _sample(values: dict[str, float], seconds: float, nominal: float) -> Sample:
    frequency = values[FREQUENCY]
    volts = [
        values[column]
        for phase in PHASES
        if (column := f"voltage_{phase.lower()}") in values
    ] or [nominal]
    powers: dict[Supply, float | None] = {
        phase: values[column]
        for phase in PHASES
        if (column := f"power_{phase.lower()}") in values
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

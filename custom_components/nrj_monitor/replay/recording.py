"""Reader of recordings of the grid, row by row: frequency, voltages and powers."""

from collections.abc import Iterator, Sequence
import csv
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from pathlib import Path
from statistics import median

from ..control.supply import PHASES, Supply
from .errors import ReplayError
from .moments import Row
from .recording_header import (
    FREQUENCY,
    TIMES,
    is_measured,
    read as read_header,
    separator,
)
from .recording_numbers import NumberReader
from .recording_time import RecordingClock, SlashOrder, TimeError, find_slash_order

HEAD_ROWS = 10_000
"""Rows that are read ahead, to know a recording's forms and its usual step."""

LONGEST_LINE = 1 << 20
"""Characters; no line of a recording is longer, and a file without lines fills no memory."""

LEAST_SILENCE_MS = 1000
USUAL_STEPS = 2.5
"""A source is silent after that many of its usual steps, and `LEAST_SILENCE_MS` at least."""

type Cells = tuple[int, list[str]]
"""Number and fields of a line."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Recording whose rows are read while they are played, once.

    `supplies` are the parts of the supply with a power; `step_ms` is the usual time
    between two rows, and `silence_ms` the time after which the source is silent.
    `begin` is the time of the first row, s: since 1970, or of the recording's own count.
    """

    supplies: tuple[Supply, ...]
    step_ms: int
    rows: Iterator[Row]
    begin: float = 0.0

    @property
    def silence_ms(self) -> int:
        """Return the time without a row after which the source counts as silent, ms."""
        return max(LEAST_SILENCE_MS, round(USUAL_STEPS * self.step_ms))


def read(path: Path, nominal_voltage: float, name: str | None = None) -> Recording:
    """Open a recording, `name` in messages; a missing voltage is nominal.

    Raises:
        ReplayError: the file is missing, or has not the columns; while the rows are
            read, a row is no row.
    """
    file = _RecordingFile(path, nominal_voltage, name or str(path))
    rows = file.rows()
    head = list(islice(rows, HEAD_ROWS))
    if len(head) < 2:
        raise ReplayError(
            f"{file.name} has {len(head)} rows of measurements: at least 2 are needed."
        )
    steps = [later.time_ms - row.time_ms for row, later in pairwise(head)]
    return Recording(file.supplies, round(median(steps)), chain(head, rows), file.begin)


class _RecordingFile:
    """A recording's file, and what its first lines tell of its forms."""

    def __init__(self, path: Path, nominal_voltage: float, name: str) -> None:
        """Read the first line."""
        self.name = name
        self.begin = 0.0
        self._path = path
        self._nominal = (nominal_voltage,)
        first = next(self._lines(), "")
        self._delimiter = separator(first)
        header = next(csv.reader([first], delimiter=self._delimiter), [])
        self._columns = read_header(name, header, self._delimiter)
        names = [column.name for column in self._columns]
        self._time_at = next(names.index(time) for time in TIMES if time in names)
        volts = [name for phase in PHASES if (name := _voltage(phase)) in names]
        self.supplies = tuple(phase for phase in PHASES if _power(phase) in names)
        watts = [_power(phase) for phase in self.supplies]
        self._read_names = [FREQUENCY, *volts, *watts]
        self._places = [names.index(name) for name in self._read_names]
        self._power_from = 1 + len(volts)
        factors = [self._columns[place].factor for place in self._places]
        self._factors = None if set(factors) == {1.0} else factors

    def _lines(self) -> Iterator[str]:
        """Yield the lines of the file.

        Raises:
            ReplayError: the file cannot be read, or is no text.
        """
        try:
            with self._path.open(encoding="utf-8-sig", newline="") as file:
                while line := file.readline(LONGEST_LINE):
                    yield line
        except OSError as error:
            raise ReplayError(
                f"{self.name} cannot be read: {error.strerror}."
            ) from error
        except UnicodeDecodeError as error:
            raise ReplayError(
                f"{self.name} is not text in UTF-8: is it a CSV file at all? Export it"
                " as 'CSV UTF-8'."
            ) from error

    def _cells(self) -> Iterator[Cells]:
        """Yield number and fields of each line after the first, blank lines left out."""
        rows = csv.reader(self._lines(), delimiter=self._delimiter)
        width = len(self._columns)
        try:
            next(rows, None)
            for row in rows:
                # The reader's own count, which quoted line breaks do not disturb.
                if len(row) == width:
                    yield rows.line_num, row
                elif any(cell.strip() for cell in row):
                    raise ReplayError(self._wrong_width(rows.line_num, len(row)))
        except csv.Error as error:
            raise ReplayError(f"{self.name} is no CSV file: {error}.") from error

    def _wrong_width(self, line: int, columns: int) -> str:
        advice = (
            " Numbers with a decimal comma need another separator: export with"
            " semicolons or tabs between the columns, or with decimal points."
            if self._delimiter == "," and columns > len(self._columns)
            else ""
        )
        return (
            f"{self.name}, line {line} has {columns} columns, the first line"
            f" {len(self._columns)}.{advice}"
        )

    def rows(self) -> Iterator[Row]:
        """Yield the rows.

        Raises:
            ReplayError: a row is no row.
        """
        cells = self._cells()
        head = list(islice(cells, HEAD_ROWS))
        clock = RecordingClock(self._slash_order(head))
        numbers = NumberReader(self._delimiter, self._values_of(head))
        time_at, first = self._time_at, None
        for line, row in chain(head, cells):
            text = row[time_at]
            try:
                seconds = clock.next(numbers.with_point(text))
            except TimeError as error:
                if not any(cell.strip() for cell in row):
                    continue
                if not is_measured(text.strip()):
                    raise ReplayError(
                        f"{self.name}, line {line} has no time."
                    ) from None
                raise ReplayError(f"{self.name}, line {line}: {error}") from error
            if first is None:
                first = self.begin = seconds
            yield self._row(line, row, seconds - first, numbers)

    def _values_of(self, head: Sequence[Cells]) -> Iterator[str]:
        """Yield the fields of measurements in the first lines."""
        return (row[place] for _, row in head for place in self._places)

    def _slash_order(self, head: Sequence[Cells]) -> SlashOrder | None:
        """Return the order of day and month, from the first row that tells."""
        if not head or "/" not in head[0][1][self._time_at]:
            return None
        cells = chain(head, islice(self._cells(), len(head), None))
        orders = (find_slash_order(row[self._time_at].strip()) for _, row in cells)
        return next(filter(None, orders), None)

    def _row(
        self, line: int, row: list[str], seconds: float, numbers: NumberReader
    ) -> Row:
        try:
            values = numbers.read_all([row[place] for place in self._places])
        except ValueError:
            # Read again one by one, to name the column.
            values = []
            for name, place in zip(self._read_names, self._places, strict=True):
                try:
                    values.append(numbers.read(row[place].strip()))
                except ValueError as error:
                    raise ReplayError(
                        f"{self.name}, line {line}, {name}: {error}"
                    ) from error
        if self._factors is not None:
            values = [
                value * factor
                for value, factor in zip(values, self._factors, strict=True)
            ]
        return Row(
            round(seconds * 1000),
            values[0],
            tuple(values[1 : self._power_from]) or self._nominal,
            tuple(values[self._power_from :]),
        )


def _voltage(phase: Supply) -> str:
    return f"voltage_{phase.lower()}"


def _power(phase: Supply) -> str:
    return f"power_{phase.lower()}"

"""Read the recordings for the tests, apart from the simulator's reader."""

from collections.abc import Callable, Mapping
import csv
from dataclasses import dataclass
from datetime import datetime
from math import isnan
from pathlib import Path

from tests.support.skips import skip_for_good

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

TOLEDO = DATA / "iberia_2025_04_28_toledo" / "toledo_data.csv"
HOUSEHOLD = DATA / "household_1min" / "household_power_consumption.txt"


@dataclass(frozen=True, slots=True)
class Recording:
    """Samples by name in the meter's units, over seconds since the first sample."""

    seconds: list[float]
    samples: Mapping[str, list[float]]

    def at(self, name: str, second: float) -> float:
        """Return a value, between two samples on the straight line; NaN in a gap."""
        after = next(
            (i for i, time in enumerate(self.seconds) if time >= second),
            len(self.seconds) - 1,
        )
        values = self.samples[name]
        if self.seconds[after] <= second or after == 0:
            return values[after]
        span = self.seconds[after] - self.seconds[after - 1]
        share = (second - self.seconds[after - 1]) / span
        return values[after - 1] + share * (values[after] - values[after - 1])

    def range(self, name: str, start: float, end: float) -> tuple[float, float]:
        """Return the least and the greatest value from `start` to `end`."""
        inside = [
            value
            for time, value in zip(self.seconds, self.samples[name], strict=True)
            if start < time < end
        ]
        values = [self.at(name, start), *inside, self.at(name, end)]
        return min(values), max(values)

    def integral(self, name: str, start: float, end: float) -> float:
        """Return the area under the straight lines from `start` to `end`, unit * s."""
        times = [start, *(t for t in self.seconds if start < t < end), end]
        values = [self.at(name, time) for time in times]
        return sum(
            (later - earlier) * (before + after) / 2
            for earlier, later, before, after in zip(
                times, times[1:], values, values[1:], strict=False
            )
        )

    def second_of(self, row: int) -> float:
        """Return when a row was recorded."""
        return self.seconds[row]

    def gaps(self) -> list[int]:
        """Return the rows without a measurement."""
        return [
            row
            for row in range(len(self.seconds))
            if any(isnan(values[row]) for values in self.samples.values())
        ]


def toledo() -> Recording:
    """Read the Iberian blackout; the line's 27.6 kV stand for 230 V (SOURCE.md)."""
    columns = {f"voltage_l{n}": f"AnalyzerL{n}PhaseVoltage" for n in (1, 2, 3)}
    return _read(
        TOLEDO,
        ",",
        lambda row: datetime.strptime(row["time"], "%d-%b-%Y %H:%M:%S"),
        {name: (column, 1 / 120.08) for name, column in columns.items()}
        | {"frequency": ("AnalyzerL1Frequency", 1.0)},
    )


def household() -> Recording:
    """Read the household: a single phase, powers in kW and kvar."""
    return _read(
        HOUSEHOLD,
        ";",
        lambda row: datetime.strptime(
            f"{row['Date']} {row['Time']}", "%d/%m/%Y %H:%M:%S"
        ),
        {
            "voltage_l1": ("Voltage", 1.0),
            "current_l1": ("Global_intensity", 1.0),
            "active_power_l1": ("Global_active_power", 1000.0),
            "reactive_power_l1": ("Global_reactive_power", 1000.0),
        },
    )


def _read(
    path: Path,
    delimiter: str,
    time_of: Callable[[Mapping[str, str]], datetime],
    columns: Mapping[str, tuple[str, float]],
) -> Recording:
    if not path.exists():
        skip_for_good(f"the recording {path.name} is not in ../shared/data")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter=delimiter))
    start = time_of(rows[0])
    return Recording(
        seconds=[(time_of(row) - start).total_seconds() for row in rows],
        samples={
            name: [float(row[column]) * factor for row in rows]
            for name, (column, factor) in columns.items()
        },
    )

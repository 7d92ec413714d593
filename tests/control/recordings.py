"""Recorded grids, as samples for the guard."""

from collections.abc import Callable, Iterator
import csv
from dataclasses import dataclass
from datetime import datetime
from math import nan
from pathlib import Path

from custom_components.nrj_monitor.frequency_guard.frequency_check import (
    GridSample,
    PhaseSample,
)
from tests.support.skips import skip_for_good

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

type Rows = Iterator[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording, its longest silence (ms) and its nominal voltage (V)."""

    name: str
    path: Path
    nominal_voltage: float
    silence_ms: int
    read: Callable[[Rows], Iterator[GridSample]]

    def samples(self) -> Iterator[GridSample]:
        """Yield the samples; skip the test where the recording is missing."""
        if not self.path.exists():
            skip_for_good(f"the recording {self.path.name} is not in ../shared/data")
        with self.path.open(newline="") as file:
            yield from self.read(csv.DictReader(file))


def _number(text: str) -> float:
    return float(text) if text.strip() else nan


def _toledo(rows: Rows) -> Iterator[GridSample]:
    start: datetime | None = None
    for row in rows:
        time = datetime.strptime(row["time"], "%d-%b-%Y %H:%M:%S")
        start = start or time
        frequency = _number(row["AnalyzerL1Frequency"])
        yield GridSample(
            round((time - start).total_seconds() * 1000),
            tuple(
                PhaseSample(_number(row[f"AnalyzerL{n}PhaseVoltage"]), frequency)
                for n in (1, 2, 3)
            ),
        )


def _pmu(rows: Rows) -> Iterator[GridSample]:
    for row in rows:
        yield GridSample(
            round(float(row["Time"]) * 1000),
            (PhaseSample(float(row["Bus1.V"]), float(row["Bus1.F"])),),
        )


TOLEDO = Recorded(
    "toledo",
    DATA / "iberia_2025_04_28_toledo" / "toledo_data.csv",
    27600.0,
    5000,
    _toledo,
)
GENERATION_LOSS = Recorded(
    "generation_loss",
    DATA / "us_pmu_30fps" / "Grid_Info_data_artificial_inertia.csv",
    543.0,
    1000,
    _pmu,
)
OVER_FREQUENCY = Recorded(
    "over_frequency",
    DATA / "us_pmu_30fps" / "Grid_Info_data_artificial_inertia2.csv",
    543.0,
    1000,
    _pmu,
)
RECORDINGS = (TOLEDO, GENERATION_LOSS, OVER_FREQUENCY)

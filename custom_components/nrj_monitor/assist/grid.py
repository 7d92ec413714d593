"""Assessment of the grid: is the supply stable?"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Any

from ..catalog import Phase
from . import Readings, by_phase

FREQUENCY_BAND = 0.2
"""Hz either side of nominal: the normal band of an interconnected system (Continental
Europe 49.8 to 50.2 Hz, at whose edges all primary control is spent)."""

VOLTAGE_BAND = 0.10
"""Part of the nominal voltage, either side (EN 50160, 95 % of a week's 10-minute means)."""

INTERRUPTED = 0.05
"""Part of the nominal voltage below which the supply is interrupted (EN 50160)."""

UNBALANCE_LIMIT = 2.0
"""Largest negative sequence in percent of the positive sequence (EN 50160)."""

MIN_ENERGY = 0.01
"""kWh that a connected phase has counted at least; less is noise."""

RECENT_TIME = timedelta(hours=1)
"""Age up to which a disturbance is part of the response."""


class Verdict(StrEnum):
    """Verdict on the supply now."""

    STABLE = "stable"
    DISTURBED = "disturbed"
    UNKNOWN = "unknown"


class ProblemKind(StrEnum):
    """Kind of a problem with the supply."""

    FREQUENCY_LOW = "frequency_low"
    FREQUENCY_HIGH = "frequency_high"
    VOLTAGE_LOW = "voltage_low"
    VOLTAGE_HIGH = "voltage_high"
    PHASE_LOST = "phase_lost"
    UNBALANCED = "unbalanced"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Problem:
    """Problem with the supply: the measured value and the exceeded limit."""

    kind: ProblemKind
    value: float
    limit: float
    phase: Phase | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the problem as JSON data."""
        return {
            "problem": str(self.kind),
            "phase": self.phase and str(self.phase),
            "value": self.value,
            "limit": self.limit,
        }


@dataclass(frozen=True, slots=True)
class Disturbance:
    """Power-quality event of the meter, and the time of its report."""

    kind: str
    at: datetime
    phase: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GridState:
    """State of the grid: frequency in Hz, voltages in V, and problems."""

    verdict: Verdict
    nominal_voltage: float
    nominal_frequency: float
    frequency: float | None
    voltages: dict[Phase, float]
    problems: tuple[Problem, ...]
    last: Disturbance | None
    minutes_ago: int | None

    def as_dict(self) -> dict[str, Any]:
        """Return the state as JSON data."""
        last = self.last and {
            "kind": self.last.kind,
            "phase": self.last.phase,
            "minutes_ago": self.minutes_ago,
        }
        return {
            "verdict": str(self.verdict),
            "frequency_hz": self.frequency,
            "nominal_frequency_hz": self.nominal_frequency,
            "voltage_v": {str(phase): value for phase, value in self.voltages.items()},
            "nominal_voltage_v": self.nominal_voltage,
            "problems": [problem.as_dict() for problem in self.problems],
            "last_disturbance": last,
        }


def assess_grid(
    readings: Readings, disturbances: Iterable[Disturbance], now: datetime
) -> GridState:
    """Assess the supply by the latest readings and the last hour's disturbances.

    A phase without voltage is lost if it has ever counted energy; otherwise nothing
    is connected to it, unless no phase has voltage.
    """
    measured = by_phase(readings, "voltage")
    frequency = readings.get("frequency")
    if frequency is None:
        per_phase = by_phase(readings, "frequency")
        frequency = median(per_phase.values()) if per_phase else None
    nominal_frequency = 60.0 if frequency is not None and frequency > 55 else 50.0
    nominal_voltage = _nominal_voltage(measured, nominal_frequency)
    dead = INTERRUPTED * nominal_voltage
    connected = {
        phase: value
        for phase, value in measured.items()
        if value >= dead or _has_counted_energy(readings, phase)
    } or measured
    problems = [
        *_voltage_problems(connected, nominal_voltage),
        *_frequency_problems(frequency, nominal_frequency),
        *_unbalance_problems(readings.get("voltage_unbalance"), connected),
    ]
    recent = [event for event in disturbances if now - event.at <= RECENT_TIME]
    last = max(recent, key=lambda event: event.at, default=None)
    if problems:
        verdict = Verdict.DISTURBED
    elif connected or frequency is not None:
        verdict = Verdict.STABLE
    else:
        verdict = Verdict.UNKNOWN
    return GridState(
        verdict=verdict,
        nominal_voltage=nominal_voltage,
        nominal_frequency=nominal_frequency,
        frequency=frequency,
        voltages=connected,
        problems=tuple(problems),
        last=last,
        minutes_ago=None if last is None else (now - last.at) // timedelta(minutes=1),
    )


def _nominal_voltage(measured: dict[Phase, float], nominal_frequency: float) -> float:
    """Return 230 V, or 120 V where frequency and voltage are those of North America."""
    if nominal_frequency == 60.0 and measured and median(measured.values()) < 160:
        return 120.0
    return 230.0


def _has_counted_energy(readings: Readings, phase: Phase) -> bool:
    """Return whether a phase has ever counted energy."""
    return any(
        (readings.get(f"{direction}_energy_{phase.lower()}") or 0.0) >= MIN_ENERGY
        for direction in ("import", "export")
    )


def _voltage_problems(
    voltages: dict[Phase, float], nominal: float
) -> Iterator[Problem]:
    low, high = nominal * (1 - VOLTAGE_BAND), nominal * (1 + VOLTAGE_BAND)
    dead = INTERRUPTED * nominal
    if voltages and all(value < dead for value in voltages.values()):
        yield Problem(ProblemKind.INTERRUPTED, max(voltages.values()), dead)
        return
    for phase, value in voltages.items():
        if value < dead:
            yield Problem(ProblemKind.PHASE_LOST, value, dead, phase)
        elif value < low:
            yield Problem(ProblemKind.VOLTAGE_LOW, value, low, phase)
        elif value > high:
            yield Problem(ProblemKind.VOLTAGE_HIGH, value, high, phase)


def _frequency_problems(frequency: float | None, nominal: float) -> Iterator[Problem]:
    if frequency is None:
        return
    low, high = nominal - FREQUENCY_BAND, nominal + FREQUENCY_BAND
    if frequency < low:
        yield Problem(ProblemKind.FREQUENCY_LOW, frequency, low)
    elif frequency > high:
        yield Problem(ProblemKind.FREQUENCY_HIGH, frequency, high)


def _unbalance_problems(
    unbalance: float | None, connected: Sequence[Phase] | dict[Phase, float]
) -> Iterator[Problem]:
    if unbalance is not None and unbalance > UNBALANCE_LIMIT and len(connected) == 3:
        yield Problem(ProblemKind.UNBALANCED, unbalance, UNBALANCE_LIMIT)

"""Plausibility check of the grid frequency.

The twin of the firmware's `frequency_guard/frequency_check.cpp`.
"""

from dataclasses import dataclass
from enum import Enum, auto
from math import isfinite, nan

from .guard_state import GuardReason


@dataclass(frozen=True, slots=True)
class PhaseSample:
    """Measurement on a phase: V rms and Hz; NaN without a measurement."""

    voltage: float
    frequency: float


@dataclass(frozen=True, slots=True)
class GridSample:
    """Measurements on all phases at a time, ms of a monotonic clock."""

    time_ms: int
    phases: tuple[PhaseSample, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequencyLimits:
    """Limits of a plausible frequency.

    Voltages in V and as fractions of nominal (EU 2016/1388 Art. 19 blocks
    frequency relays by voltage), deviations in Hz, rate in Hz/s, silence in ms.
    """

    nominal_voltage: float = 230.0
    minimum_voltage: float = 0.8
    maximum_voltage: float = 1.2
    maximum_deviation: float = 5.0
    maximum_rate: float = 5.0
    jump: float = 0.05
    maximum_disagreement: float = 0.05
    silence_ms: int = 1000


class Trust(Enum):
    """Trust in a frequency."""

    INVALID = auto()
    SUSPECT = auto()
    BELIEVED = auto()


@dataclass(frozen=True, slots=True)
class CheckedFrequency:
    """Frequency in Hz (NaN while invalid), its trust, and the reason if invalid."""

    trust: Trust
    hertz: float
    reason: GuardReason = GuardReason.START


class FrequencyCheck:
    """Checks the median frequency over the phases with voltage.

    A jump is not believed until the grid could have moved that far: a damaged
    reading is gone by then, a real change is still there.
    """

    def __init__(self, limits: FrequencyLimits, nominal: float) -> None:
        """Start without a reference; `nominal` is in Hz."""
        self._limits = limits
        self._nominal = nominal
        self._reference: tuple[int, float] | None = None

    def reset(self) -> None:
        """Drop the reference: the next frequency needs a confirmation."""
        self._reference = None

    def check(self, sample: GridSample) -> CheckedFrequency:
        """Return the frequency of `sample`, whose time must not go back."""
        checked = self._combine(sample)
        if checked.trust is Trust.INVALID:
            return checked
        if self._reference is not None:
            since_ms, hertz = self._reference
            seconds = (sample.time_ms - since_ms) / 1000.0
            reach = self._limits.maximum_rate * seconds + self._limits.jump
            if abs(checked.hertz - hertz) > reach:
                return checked
            checked = CheckedFrequency(Trust.BELIEVED, checked.hertz)
        self._reference = (sample.time_ms, checked.hertz)
        return checked

    def _combine(self, sample: GridSample) -> CheckedFrequency:
        """Return the median over the phases, without comparison to earlier samples."""
        limits = self._limits
        live = [
            phase
            for phase in sample.phases
            if limits.minimum_voltage
            <= phase.voltage / limits.nominal_voltage
            <= limits.maximum_voltage
        ]
        if not any(isfinite(phase.voltage) for phase in sample.phases):
            return _invalid(GuardReason.SILENT)
        if not live:
            return _invalid(GuardReason.NO_VOLTAGE)
        found = sorted(phase.frequency for phase in live if isfinite(phase.frequency))
        if not found:
            return _invalid(GuardReason.NO_FREQUENCY)
        lowest, highest = found[0], found[-1]
        if max(abs(lowest - self._nominal), abs(highest - self._nominal)) > (
            limits.maximum_deviation
        ):
            return _invalid(GuardReason.OUT_OF_RANGE)
        if highest - lowest > limits.maximum_disagreement:
            return _invalid(GuardReason.PHASES_DISAGREE)
        middle = len(found) // 2
        hertz = (lowest + highest) / 2 if len(found) == 2 else found[middle]
        return CheckedFrequency(Trust.SUSPECT, hertz)


def _invalid(reason: GuardReason) -> CheckedFrequency:
    return CheckedFrequency(Trust.INVALID, nan, reason)

"""Corrections that a meter was calibrated to, as its text sensor shows them; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
import re
from typing import Final, Self

from ..catalog import Phase

TEXT: Final = "calibration_corrections"
"""Object id of the firmware's text sensor."""

TAKE_OVER: Final = "take_over_calibration"
"""Action of the firmware that takes over another meter's corrections."""

RESIDUAL: Final = "residual_currents: "
"""Begin of the line with the residual currents that are nulled."""

MAX_LENGTH: Final = 255
"""Longest text of corrections, in characters."""

_NUMBER: Final = r"([+-]?[0-9]{1,6}(?:\.[0-9]{1,9})?)"
_LINE: Final = re.compile(
    rf"(l[123]): \{{voltage_gain: {_NUMBER}, current_gain: {_NUMBER}, phase: {_NUMBER}\}}"
)


@dataclass(frozen=True, slots=True)
class PhaseCorrection:
    """Factors of voltage and current of a phase, and degrees that a current is early."""

    voltage_gain: float
    current_gain: float
    phase: float


NO_CORRECTION: Final = PhaseCorrection(1.0, 1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Corrections:
    """Corrections of each phase."""

    phases: Mapping[Phase, PhaseCorrection]

    @classmethod
    def from_text(cls, text: str | None) -> Self | None:
        """Parse the text of the firmware, a line a phase; None for another text."""
        if not text or len(text) > MAX_LENGTH:
            return None
        phases = {}
        for line in text.splitlines():
            if line.startswith(RESIDUAL):
                # Of that meter's own: another one nulls its own.
                continue
            if (match := _LINE.fullmatch(line)) is None:
                return None
            name, *numbers = match.groups()
            phases[Phase(name.upper())] = PhaseCorrection(*map(float, numbers))
        return cls(phases) if phases.keys() == set(Phase) else None

    @property
    def is_calibrated(self) -> bool:
        """Return whether any phase is corrected."""
        return any(phase != NO_CORRECTION for phase in self.phases.values())

    def as_arguments(self) -> dict[str, float]:
        """Return the arguments of the firmware's action `TAKE_OVER`."""
        return {
            f"{name}_{phase.lower()}": value
            for phase, correction in self.phases.items()
            for name, value in (
                ("voltage_gain", correction.voltage_gain),
                ("current_gain", correction.current_gain),
                ("phase", correction.phase),
            )
        }

    def describe(self) -> str:
        """Return the corrections as a list for a person, in percent and degrees."""
        return "\n".join(
            f"- {phase}: U {_percent(correction.voltage_gain)},"
            f" I {_percent(correction.current_gain)}, φ {correction.phase:+.3f}°"
            for phase, correction in self.phases.items()
        )


def _percent(gain: float) -> str:
    return f"{(gain - 1.0) * 100:+.2f} %"

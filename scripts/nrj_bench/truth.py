"""Truth of a signal: the readings a perfect meter shows.

Voltages and currents are written out as waves, sampled over one cycle, and the
definitions of IEEE 1459 applied to the samples: nothing here comes from the driver or
the simulated chip. Reactive power is the sum over the orders of V I sin(phi), as the
ADE9000's total reactive power is (data sheet Rev B, "Total reactive power").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan, pi, sqrt, tau

import numpy as np
from numpy.typing import NDArray

from .probe import Harmonic, Phase, Segment

SAMPLES = 512
"""Of a cycle: more than twice any order of harmonic."""
_TURN = np.arange(SAMPLES) * tau / SAMPLES

type Wave = NDArray[np.float64]


def _wave(
    rms: float, angle: float, voltage_angle: float, harmonics: Sequence[Harmonic]
) -> Wave:
    wave = sqrt(2) * rms * np.sin(_TURN + angle)
    for harmonic in harmonics:
        wave += (
            sqrt(2)
            * rms
            * harmonic.ratio
            * np.sin(harmonic.order * (_TURN + voltage_angle) + harmonic.angle)
        )
    return wave


def waves(index: int, phase: Phase, since: float = 0.0) -> tuple[Wave, Wave]:
    """Return a cycle of voltage (V) and current (A), `since` s into the segment."""
    angle = phase.angle - tau * index / 3
    volts = phase.voltage + phase.voltage_slope * since
    amperes = phase.current + phase.current_slope * since
    return (
        _wave(volts, angle, angle, phase.voltage_harmonics),
        _wave(amperes, angle - phase.lag, angle, phase.current_harmonics),
    )


def _rms(wave: Wave) -> float:
    return float(np.sqrt(np.mean(wave**2)))


def _phasors(wave: Wave) -> NDArray[np.complex128]:
    """Return rms phasors by order; a sine's angle is 0."""
    return np.fft.rfft(wave) * 1j * sqrt(2) / SAMPLES


def _wrapped(degrees: float) -> float:
    return (degrees + 180) % 360 - 180


@dataclass(frozen=True)
class PhaseTruth:
    """True readings of a phase: V, A, W, var, VA, percent, degrees of lag."""

    voltage: float
    current: float
    active_power: float
    reactive_power: float
    apparent_power: float
    power_factor: float
    fundamental_active_power: float
    fundamental_reactive_power: float
    voltage_thd: float
    current_thd: float
    phase_angle: float
    fundamental: complex
    current_wave: Wave


def phase_truth(index: int, phase: Phase, since: float = 0.0) -> PhaseTruth:
    """Return the true readings of a phase, `since` s into its segment."""
    voltage, current = waves(index, phase, since)
    u, i = _phasors(voltage), _phasors(current)
    powers = u * i.conjugate()
    apparent = _rms(voltage) * _rms(current)
    active = float(np.mean(voltage * current))
    u1, i1 = abs(u[1]), abs(i[1])
    return PhaseTruth(
        voltage=_rms(voltage),
        current=_rms(current),
        active_power=active,
        reactive_power=float(powers[1:].imag.sum()),
        apparent_power=apparent,
        power_factor=active / apparent if apparent else nan,
        fundamental_active_power=float(powers[1].real),
        fundamental_reactive_power=float(powers[1].imag),
        voltage_thd=100 * float(np.linalg.norm(u[2:])) / u1 if u1 else nan,
        current_thd=100 * float(np.linalg.norm(i[2:])) / i1 if i1 else nan,
        phase_angle=_wrapped(float(np.angle(powers[1])) * 180 / pi),
        fundamental=complex(u[1]),
        current_wave=current,
    )


def truth(segment: Segment, since: float = 0.0) -> dict[str, float]:
    """Return the true readings of a segment by the keys of the probe."""
    phases = [
        phase_truth(index, phase, since) for index, phase in enumerate(segment.phases)
    ]
    values: dict[str, float] = {}
    for index, phase in enumerate(phases, 1):
        for key in (
            *("voltage", "current", "active_power", "reactive_power"),
            *("apparent_power", "power_factor", "fundamental_active_power"),
            *("fundamental_reactive_power", "voltage_thd", "current_thd"),
            "phase_angle",
        ):
            values[f"{key}_l{index}"] = getattr(phase, key)
        for key in ("half_cycle", "10_12_cycles"):
            values[f"voltage_{key}_l{index}"] = phase.voltage
            values[f"current_{key}_l{index}"] = phase.current
        values[f"frequency_l{index}"] = segment.frequency + segment.slope * since
    for key in (
        *("active_power", "reactive_power", "apparent_power"),
        *("fundamental_active_power", "fundamental_reactive_power"),
    ):
        values[f"{key}_total"] = sum(getattr(phase, key) for phase in phases)
    if values["apparent_power_total"]:
        values["power_factor_total"] = (
            values["active_power_total"] / values["apparent_power_total"]
        )
    values["frequency_total"] = segment.frequency + segment.slope * since
    u = [phase.fundamental for phase in phases]
    for first, second in ((0, 1), (1, 2), (0, 2)):
        lag = float(np.angle(u[first] * u[second].conjugate())) * 180 / pi
        values[f"voltage_angle_l{first + 1}_l{second + 1}_total"] = lag
    turn = np.exp(1j * tau / 3)
    zero, positive, negative = (
        abs(u[0] + u[1] * turn**k + u[2] * turn ** (2 * k)) / 3 for k in (0, 1, 2)
    )
    values["voltage_unbalance_total"] = 100 * negative / positive
    values["voltage_zero_sequence_total"] = 100 * zero / positive
    line = np.sum([phase.current_wave for phase in phases], axis=0)
    values["neutral_current_total"] = values["sum_current_total"] = _rms(line)
    return values


def energies(
    segments: Sequence[Segment], end: float, step: float = 0.02
) -> dict[str, float]:
    """Return Wh imported and exported from the first segment to `end` (s).

    Split by the sign of each step, for each phase and netted over the three.
    """
    names = ("l1", "l2", "l3", "total")
    totals = {f"{way}_{name}": 0.0 for way in ("import", "export") for name in names}
    starts = [segment.start for segment in segments] + [end]
    for segment, stop in zip(segments, starts[1:], strict=True):
        length = min(stop, end) - segment.start
        moments = np.arange(step / 2, length, step)
        # Power is a parabola in time where voltage and current are lines.
        known = [0.0, length / 2, length]
        powers = []
        for index, phase in enumerate(segment.phases):
            values = [phase_truth(index, phase, t).active_power for t in known]
            powers.append(np.polyval(np.polyfit(known, values, 2), moments))
        powers.append(np.sum(powers, axis=0))
        for name, power in zip(names, powers, strict=True):
            totals[f"import_{name}"] += float(power[power > 0].sum()) * step / 3600
            totals[f"export_{name}"] -= float(power[power < 0].sum()) * step / 3600
    return totals

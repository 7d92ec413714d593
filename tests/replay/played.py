"""Recordings that a test writes row by row, and plays to the twin of the firmware's guard."""

from collections.abc import Iterable, Sequence
from typing import Any

from custom_components.nrj_monitor.control.supply import PHASES
from custom_components.nrj_monitor.frequency_guard.frequency_check import (
    FrequencyLimits,
)
from custom_components.nrj_monitor.frequency_guard.guard import GuardSettings
from custom_components.nrj_monitor.replay.guards import TwinGuard
from custom_components.nrj_monitor.replay.house import House, default_house
from custom_components.nrj_monitor.replay.moments import Row
from custom_components.nrj_monitor.replay.recording import Recording
from custom_components.nrj_monitor.replay.replay import Replay

type Lines = list[dict[str, Any]]


def row(seconds: float, frequency: float = 50.0, *powers: float) -> Row:
    """Return a row with a healthy voltage."""
    return Row(round(seconds * 1000), frequency, (230.0,), powers)


def replay_of(
    rows: Iterable[Row],
    house: House | None = None,
    *,
    step: float = 1.0,
    phases: int = 1,
    asks_each_second: bool = False,
) -> Replay:
    """Return a replay of rows whose usual step is `step` s, on so many phases."""
    recording = Recording(PHASES[:phases], round(step * 1000), iter(rows))
    limits = FrequencyLimits(silence_ms=recording.silence_ms)
    return Replay(
        recording,
        house or default_house(),
        TwinGuard(GuardSettings(limits=limits)),
        asks_each_second=asks_each_second,
    )


def play(rows: Sequence[Row], house: House | None = None, **how: Any) -> Lines:
    """Play rows; return the lines and the summary."""
    replay = replay_of(rows, house, phases=len(rows[0].powers), **how)
    return [*replay.lines(), replay.summary()]

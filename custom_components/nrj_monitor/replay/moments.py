"""Moments of a replay, in the order of time: rows, time without a row, fresh starts."""

from typing import NamedTuple


class Row(NamedTuple):
    """Row of a recording.

    `time_ms` counts from the first row; `frequency` is in Hz, `voltages` are in V and
    `powers` in W, import positive, by the recording's `supplies`. NaN is not measured.
    """

    time_ms: int
    frequency: float
    voltages: tuple[float, ...]
    powers: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """Return the time, s since the first row."""
        return self.time_ms / 1000.0


class Ticks(NamedTuple):
    """Time that passes without a row, in steps: the first and the last moment, ms."""

    first_ms: int
    last_ms: int


class Restart(NamedTuple):
    """Start of a guard that knows nothing of before, ms."""

    time_ms: int


type Moment = Row | Ticks | Restart

TICK_MS = 1000
"""Step of time without a row, ms: as often as the arbiter decides in the house."""

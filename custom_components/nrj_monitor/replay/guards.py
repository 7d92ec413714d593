"""Guards that a recording is played to."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from ..frequency_guard.frequency_check import GridSample, PhaseSample
from ..frequency_guard.guard import FrequencyGuard, GuardSettings
from ..frequency_guard.guard_state import GuardReason, GuardState
from .moments import TICK_MS, Moment, Restart, Row


class Change(NamedTuple):
    """Change of the guard's stage, with its time."""

    time_ms: int
    state: str
    reason: str
    frequency: str
    may_restore: bool
    outage: bool


class Guard(Protocol):
    """Guard that plays moments in the order of time."""

    def play(self, moments: Iterable[Moment]) -> list[Change]:
        """Play moments; return the changes they cause."""


class NoGuard:
    """Guard of a meter that has none: the grid is taken for normal, as in the house."""

    def __init__(self) -> None:
        """Say so with the first row."""
        self._is_told = False

    def play(self, moments: Iterable[Moment]) -> list[Change]:
        """Play moments; return the change with which the first row begins."""
        changes = [
            Change(
                moment.time_ms, GuardState.NORMAL, GuardReason.START, "nan", True, False
            )
            for moment in moments
            if isinstance(moment, Row)
        ]
        first = changes[: 0 if self._is_told else 1]
        self._is_told = self._is_told or bool(first)
        return first


class TwinGuard:
    """Guard of Home Assistant, the twin of the firmware's."""

    def __init__(self, settings: GuardSettings) -> None:
        """Guard with `settings`, from time 0."""
        self._settings = settings
        self._guard = FrequencyGuard(settings)
        self._known: tuple[object, ...] = (0, False, False)

    def play(self, moments: Iterable[Moment]) -> list[Change]:
        """Play moments; return the changes they cause."""
        changes: list[Change] = []
        for moment in moments:
            if isinstance(moment, Row):
                phases = (PhaseSample(v, moment.frequency) for v in moment.voltages)
                self._guard.sample(GridSample(moment.time_ms, tuple(phases)))
                self._note(moment.time_ms, changes)
            elif isinstance(moment, Restart):
                self._guard = FrequencyGuard(self._settings, now_ms=moment.time_ms)
                self._note(moment.time_ms, changes)
            else:
                for now_ms in range(moment.first_ms, moment.last_ms + 1, TICK_MS):
                    self._guard.tick(now_ms)
                    self._note(now_ms, changes)
        return changes

    def _note(self, now_ms: int, changes: list[Change]) -> None:
        """Add a change since the last moment."""
        guard = self._guard
        seen = (guard.changes, guard.may_restore, guard.had_outage)
        if seen == self._known:
            return
        self._known = seen
        changes.append(
            Change(
                now_ms,
                guard.state,
                guard.reason,
                f"{guard.frequency:.17g}",
                guard.may_restore,
                guard.had_outage,
            )
        )

"""Deadline of what a load does now: when it ends, for a person who waits for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .decision import Activity
from .load import Load
from .load_state import LoadState


class DeadlineKind(StrEnum):
    """Meaning of a deadline."""

    UNTIL = "until"
    """The activity lasts until then."""
    LATEST = "latest"
    """The load is back by then at the latest."""
    ABOUT = "about"
    """The load comes back about then, when nothing else keeps it off."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """End of an activity: `at` is a time of the arbiter, s."""

    at: float
    kind: DeadlineKind


def deadline_of(load: Load, state: LoadState, now: float) -> Deadline | None:
    """Return when the present activity of a load ends; None where nobody knows.

    Neither does anybody once it is over, for example since another load has to start
    first.
    """
    rule = _RULES.get(state.activity)
    found = None if rule is None else rule(load, state)
    return None if found is None or found.at <= now else found


def _of_override(load: Load, state: LoadState) -> Deadline | None:
    override = state.override
    return None if override is None else Deadline(override.until, DeadlineKind.UNTIL)


def _of_comfort(load: Load, state: LoadState) -> Deadline | None:
    until = state.comfort_until
    return None if until is None else Deadline(until, DeadlineKind.UNTIL)


def _of_minimum_time(load: Load, state: LoadState) -> Deadline | None:
    if state.changed_at is None:
        return None
    minimum = load.minimum_on if state.is_on else load.minimum_off
    return Deadline(state.changed_at + minimum, DeadlineKind.UNTIL)


def _of_longest_off(load: Load, state: LoadState) -> Deadline | None:
    if load.longest_off is None or state.off_since is None:
        return None
    return Deadline(state.off_since + load.longest_off, DeadlineKind.LATEST)


def _of_restore(load: Load, state: LoadState) -> Deadline | None:
    latest = _of_longest_off(load, state)
    if state.restore_at is None or (
        latest is not None and latest.at <= state.restore_at
    ):
        return latest
    return Deadline(state.restore_at, DeadlineKind.ABOUT)


_RULES: Final[Mapping[Activity, Callable[[Load, LoadState], Deadline | None]]] = {
    Activity.OVERRIDDEN: _of_override,
    Activity.COMFORT: _of_comfort,
    Activity.WAITING: _of_minimum_time,
    Activity.SHED: _of_longest_off,
    Activity.HELD: _of_longest_off,
    Activity.RESTORING: _of_restore,
}

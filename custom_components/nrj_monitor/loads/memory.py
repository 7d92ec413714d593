"""What is remembered of loads over a pause, by its age and by what happened meanwhile: pure rules."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

MEMORY_LIFE: Final = 86400.0
"""Seconds after which a load is left as it is found: what a person wanted the day before
is no reason any more to switch a heater on."""

COMMAND_TIME: Final = 60.0
"""Seconds after the last save in which an entity may still report the effect of our own
last command, without saying whose command it was."""


@dataclass(frozen=True, slots=True)
class EntityChange:
    """Last change of a load's entity: when, s since 1970, and the id of its context."""

    at: float
    context_id: str


def recall(
    stored: Mapping[str, Mapping[str, Any]],
    *,
    saved: float | None,
    now: float,
    changes: Mapping[str, EntityChange],
    our_contexts: Collection[str],
) -> dict[str, dict[str, Any]]:
    """Return what still counts of the loads' stored states, by load.

    Args:
        stored: results of `LoadState.as_dict` by load.
        saved: when these were saved, s since 1970; None for a file without a date,
            which counts as just saved, as does a date in the future.
        now: the time, s since 1970.
        changes: last change of the entity of each load that nobody but its user, an
            automation or our own command can have caused.
        our_contexts: ids of the contexts of our own latest commands.

    Raises:
        LookupError, TypeError or ValueError: the stored states are of no use.
    """
    if saved is not None and not isfinite(saved):
        raise ValueError(f"{saved} is no time")
    age = 0.0 if saved is None else max(0.0, now - saved)
    recalled = {}
    for id_, state in stored.items():
        change = changes.get(id_)
        is_outdated = (
            saved is not None
            and change is not None
            and change.at > saved + COMMAND_TIME
            and change.context_id not in our_contexts
        )
        override = None if is_outdated else _aged(state["override"], age)
        if age <= MEMORY_LIFE and not is_outdated:
            recalled[id_] = {**state, "override": override}
        elif override is not None:
            # A person said how long; that is still to be kept.
            recalled[id_] = {
                **state,
                "to_restore": False,
                "mine": False,
                "limited": False,
                "override": override,
            }
    return recalled


def _aged(override: Any, age: float) -> list[Any] | None:
    """Return a stored override, `[on, seconds left]`, after `age` s; None once it is over."""
    if override is None:
        return None
    on, left = override
    if not isfinite(left := float(left)):
        raise ValueError(f"{left} s are no time for which a person wants something")
    return [bool(on), left - age] if left > age else None

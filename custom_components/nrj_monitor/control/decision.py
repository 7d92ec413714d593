"""Decisions of the arbiter, with their reasons, activities and actions."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from .supply import Supply


class Reason(IntEnum):
    """Reason for the state of a load; a greater reason always wins."""

    DEFAULT = 0
    AUTOMATION = 1
    SURPLUS = 2
    ABSORB = 3
    INHIBIT = 4
    OVERLOAD = 5
    UNDER_FREQUENCY = 6
    OVERRIDE = 7
    SAFETY = 8

    @property
    def word(self) -> str:
        """Return the name of the reason in states and events."""
        return self.name.lower()


EMERGENCIES: Final = frozenset({Reason.SAFETY, Reason.UNDER_FREQUENCY, Reason.OVERLOAD})
"""Reasons that do not wait for the minimum time on of a load."""


class Activity(StrEnum):
    """Activity of a load as a person asks for it: state and purpose in a word."""

    IDLE = "idle"
    """Off, and not requested."""
    RUNNING = "running"
    """On, as requested."""
    SHED = "shed"
    RESTORING = "restoring"
    """Off, and waiting for the time of return."""
    COMFORT = "comfort"
    """On in spite of a shed: the longest time off is over."""
    ABSORBING = "absorbing"
    SURPLUS = "surplus"
    OVERRIDDEN = "overridden"
    HELD = "held"
    """Unchanged while the frequency is invalid."""
    LOST = "lost"
    """In the state that is configured for a lost meter."""
    WAITING = "waiting"
    """To be switched once the minimum time is over."""
    DISOBEYING = "disobeying"
    """Commanded repeatedly, without effect."""
    CUT_OFF = "cut_off"
    LIMITED = "limited"
    """On as requested, with less power."""


class Action(StrEnum):
    """Effect of a decision on a load."""

    SHED = "shed"
    RESTORE = "restore"
    ABSORB = "absorb"
    RELEASE = "release"
    OVERRIDE = "override"
    LIMIT = "limit"
    HOLD = "hold"


_ACTIONS: Final = {
    Activity.SHED: Action.SHED,
    Activity.CUT_OFF: Action.SHED,
    Activity.COMFORT: Action.RESTORE,
    Activity.LIMITED: Action.LIMIT,
    Activity.ABSORBING: Action.ABSORB,
    Activity.SURPLUS: Action.ABSORB,
    Activity.OVERRIDDEN: Action.OVERRIDE,
    Activity.RESTORING: Action.HOLD,
    Activity.HELD: Action.HOLD,
    Activity.LOST: Action.HOLD,
    Activity.WAITING: Action.HOLD,
    Activity.DISOBEYING: Action.HOLD,
}

_OFF: Final = frozenset(
    {Activity.SHED, Activity.RESTORING, Activity.CUT_OFF, Activity.HELD, Activity.LOST}
)


def action_of(before: Activity, activity: Activity) -> Action:
    """Return the action leading from the activity `before` to `activity`."""
    if activity is Activity.RUNNING and before in _OFF:
        return Action.RESTORE
    return _ACTIONS.get(activity, Action.RELEASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """State of a load from now on, as decided.

    `on` is None where the arbiter has no say. `switch` says that the load must be
    commanded. `time` is that of the arbiter, s. `level` is the power that an adjustable
    load is to draw, W; None leaves the power to the load.
    """

    load_id: str
    time: float
    on: bool | None
    action: Action
    activity: Activity
    reason: Reason
    switch: bool
    level: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Message to a person: `key` selects the text, the other fields complete the text."""

    key: str
    time: float
    load_id: str | None = None
    limit: Supply | None = None

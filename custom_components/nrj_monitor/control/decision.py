"""What the arbiter decides, and the words for why."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final


class Reason(IntEnum):
    """Why a load is as it is; a greater one always wins (design: priority of reasons)."""

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
        """Return its name in states and events."""
        return self.name.lower()


EMERGENCIES: Final = frozenset({Reason.SAFETY, Reason.UNDER_FREQUENCY, Reason.OVERLOAD})
"""Reasons that do not wait for a load's minimum time on."""


class Activity(StrEnum):
    """What a load does, in the sense a person asks for it."""

    IDLE = "idle"
    """Off, and nobody wants it on."""
    RUNNING = "running"
    """On, as it was asked for."""
    SHED = "shed"
    RESTORING = "restoring"
    """Off, and waits for its turn to come back."""
    COMFORT = "comfort"
    """On although it could be shed: it has been off as long as it may be."""
    ABSORBING = "absorbing"
    SURPLUS = "surplus"
    OVERRIDDEN = "overridden"
    HELD = "held"
    """The frequency is invalid: it stays as it is."""
    LOST = "lost"
    """The meter is lost: it does what it is to do then."""
    WAITING = "waiting"
    """It is to change, and its minimum time is not over."""
    DISOBEYING = "disobeying"
    """It was told to change, again and again, and did not."""
    CUT_OFF = "cut_off"


class Action(StrEnum):
    """What a decision does to a load."""

    SHED = "shed"
    RESTORE = "restore"
    ABSORB = "absorb"
    RELEASE = "release"
    OVERRIDE = "override"
    HOLD = "hold"


_ACTIONS: Final = {
    Activity.SHED: Action.SHED,
    Activity.CUT_OFF: Action.SHED,
    Activity.COMFORT: Action.RESTORE,
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
    """Return what turns the activity `before` into `activity`."""
    if activity is Activity.RUNNING and before in _OFF:
        return Action.RESTORE
    return _ACTIONS.get(activity, Action.RELEASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a load is to do from now on.

    `on` is None where it does as it likes. `switch` says that it is not so yet, and
    must be told. `time` is in s, as the arbiter was told it. `level` is the power a load
    that can be set is to draw, W; None is as it likes.
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
    """Something a person should know: `key` names the sentence, the rest fills it in."""

    key: str
    time: float
    load_id: str | None = None
    phase: str | None = None

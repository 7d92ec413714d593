"""The word for what a decision does, from what the load did before."""

from typing import Final

from .decision import Action, Activity

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

"""Activity of a load as a key of the translations."""

from typing import Any, Final

from ..control.decision import Activity, Decision, Reason
from ..control.load_state import LoadState

WITH_REASON: Final = {
    Activity.SHED: (Reason.UNDER_FREQUENCY, Reason.OVERLOAD, Reason.INHIBIT),
    Activity.RESTORING: (Reason.UNDER_FREQUENCY, Reason.OVERLOAD, Reason.INHIBIT),
}
"""Activities whose key contains the reason."""

ACTIVITIES: Final = tuple(
    key
    for activity in Activity
    for key in (
        ("overridden_on", "overridden_off")
        if activity is Activity.OVERRIDDEN
        else tuple(
            f"{activity.value}_{reason.word}" for reason in WITH_REASON[activity]
        )
        if activity in WITH_REASON
        else (activity.value,)
    )
)
"""Keys of all activities; the translations have their texts."""


def activity_key(activity: Activity, reason: Reason, *, on: bool) -> str:
    """Return the key of an activity for a reason; `on` is the state of an override."""
    if activity is Activity.OVERRIDDEN:
        return f"overridden_{'on' if on else 'off'}"
    if activity in WITH_REASON:
        known = reason if reason in WITH_REASON[activity] else Reason.UNDER_FREQUENCY
        return f"{activity.value}_{known.word}"
    return activity.value


def current_activity(state: LoadState) -> str:
    """Return the key of the present activity of a load."""
    on = state.override.on if state.override is not None else state.is_on
    return activity_key(state.activity, state.reason, on=on)


def is_reportable(decision: Decision) -> bool:
    """Return whether a person should hear of a decision."""
    as_requested = decision.activity in (Activity.IDLE, Activity.RUNNING)
    return decision.switch or not as_requested


def event_data(decision: Decision, *, dry_run: bool) -> dict[str, Any]:
    """Return a decision as the data of a Home Assistant event."""
    return {
        "action": decision.action.value,
        "activity": activity_key(
            decision.activity, decision.reason, on=decision.on is not False
        ),
        "reason": decision.reason.word,
        "on": decision.on,
        "switched": decision.switch,
        "dry_run": dry_run,
        **({} if decision.level is None else {"power": round(decision.level)}),
    }

"""What a load does and why, as one word Home Assistant translates, and as a sentence."""

from typing import Any, Final

from ..control.decision import Activity, Decision, Reason
from ..control.load_state import LoadState

WITH_REASON: Final = {
    Activity.SHED: (Reason.UNDER_FREQUENCY, Reason.OVERLOAD, Reason.INHIBIT),
    Activity.RESTORING: (Reason.UNDER_FREQUENCY, Reason.OVERLOAD, Reason.INHIBIT),
}
"""What is said together with its reason."""

SENTENCES: Final = {
    "idle": "is off, and nobody wants it on",
    "running": "runs as it was asked to",
    "shed_under_frequency": "is off: the frequency of the grid is low",
    "shed_overload": "is off: too much is drawn",
    "shed_inhibit": "is off: the grid has nothing to spare",
    "restoring_under_frequency": "comes back soon: the grid has recovered",
    "restoring_overload": "comes back as soon as there is room",
    "restoring_inhibit": "comes back soon: the grid has recovered",
    "comfort": "runs although it could be off: it has been off as long as it may be",
    "absorbing": "takes up what the grid has too much",
    "surplus": "runs on what would be given away",
    "overridden_on": "is on because somebody wants it so",
    "overridden_off": "is off because somebody wants it so",
    "held": "stays as it is: the frequency is not known",
    "lost": "does what it is to do without the meter",
    "waiting": "waits for its minimum time",
    "disobeying": "does not do what it is told",
    "cut_off": "is off for safety",
}
"""What a load does, for the logbook and for answers; translations have it too."""

WORDS: Final = tuple(SENTENCES)

NOTICES: Final = {
    "futile": "shedding was given up: it did not reduce what is drawn",
    "no_effect": "was started on surplus, and nothing shows of it",
    "disobeys": "was told three times and did not switch",
    "no_relief": "loads were shed for the grid, and nothing shows of it: no more are shed",
    "lost": "the meter is lost: each load does what it is to do then",
}


def activity_key(activity: Activity, reason: Reason, *, on: bool) -> str:
    """Return what a load does and why, as one word."""
    if activity is Activity.OVERRIDDEN:
        return f"overridden_{'on' if on else 'off'}"
    if activity in WITH_REASON:
        known = reason if reason in WITH_REASON[activity] else Reason.UNDER_FREQUENCY
        return f"{activity.value}_{known.word}"
    return activity.value


def current_activity(state: LoadState) -> str:
    """Return what a load does now."""
    on = state.override.on if state.override is not None else state.is_on
    return activity_key(state.activity, state.reason, on=on)


def is_reportable(decision: Decision) -> bool:
    """Return whether a decision changes anything for a person."""
    as_asked = decision.activity in (Activity.IDLE, Activity.RUNNING)
    return decision.switch or not as_asked


def event_data(decision: Decision, *, dry_run: bool) -> dict[str, Any]:
    """Return a decision as the data of an event."""
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

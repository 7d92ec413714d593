"""Answer about a load in a sentence: what it does, why, and until when."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from homeassistant.util import dt as dt_util

from ..control.deadline import deadline_of
from ..control.load import LoadClass
from ..texts import ACTIVITY_STATES
from .activity import current_activity
from .manager import LoadManager

ANSWERS: Final = "selector.load_answer.options"
"""Place of the sentences in the translations."""

PLAIN: Final = "plain"
NEVER_SHED: Final = "never_shed"
"""Keys of sentences without a time; the others are those of `DeadlineKind`."""

type Texts = Callable[[str, str], str]
"""Function that returns the text of a key at a place of the translations."""


def end_of(manager: LoadManager, load_id: str) -> datetime | None:
    """Return when the present activity of a load ends, UTC; None where nobody knows."""
    arbiter, now = manager.arbiter, manager.now()
    found = deadline_of(arbiter.loads[load_id], arbiter.states[load_id], now)
    if found is None:
        return None
    return dt_util.utcnow() + timedelta(seconds=found.at - now)


def answer_about(
    manager: LoadManager, load_id: str, texts: Texts, *, shed: bool = False
) -> str:
    """Return the sentence about a load; `shed` says that a person wants it off.

    A load that is never shed stays as it is, and the sentence says that.
    """
    arbiter = manager.arbiter
    load, state = arbiter.loads[load_id], arbiter.states[load_id]
    key, at = PLAIN, ""
    if shed and load.load_class is LoadClass.NEVER_SHED:
        key = NEVER_SHED
    elif found := deadline_of(load, state, manager.now()):
        key, at = found.kind.value, clock_time(end_of(manager, load_id))
    return texts(ANSWERS, key).format(
        name=manager.titles[load_id],
        activity=texts(ACTIVITY_STATES, current_activity(state)),
        time=at,
    )


def clock_time(at: datetime | None) -> str:
    """Return the local time of day of a moment, with the date where it is another day."""
    if at is None:
        return ""
    local = dt_util.as_local(at)
    today = local.date() == dt_util.now().date()
    return local.strftime("%H:%M" if today else "%Y-%m-%d %H:%M")

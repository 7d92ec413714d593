"""Repair issues of a broker: failures no retry ends, and dead letters."""

from typing import Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN
from ..entry_data import NrjConfigEntry
from .errors import HistoryState, LinkState
from .forwarder import ForwarderStatus
from .settings import SUBENTRY_BROKER

LEARN_MORE: Final = (
    "https://github.com/nrj-monitor/nrj-monitor/blob/main/docs/fiware.md"
)

NEED_A_PERSON: Final = (
    LinkState.FORBIDDEN,
    LinkState.NOT_A_BROKER,
    LinkState.REFUSED,
    LinkState.UNTRUSTED,
)
"""Failures that no retry ends; a wrong token starts a reauthentication instead."""

HISTORY_NEEDS_A_PERSON: Final = (
    HistoryState.NOT_NOTIFIED,
    HistoryState.NOT_SUBSCRIBED,
)
"""States of a history in which what is measured may not reach it."""

DEAD_LETTERS: Final = "samples_set_aside"
"""Stored id and translation key of the issue of refused samples."""


def issue_id(key: str, subentry_id: str) -> str:
    """Return the id of an issue of a broker."""
    return f"{key}_{subentry_id}"


@callback
def async_update_issues(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    subentry: ConfigSubentry,
    status: ForwarderStatus,
) -> None:
    """Create or delete the issues of a broker to match its `status`."""
    wanted: dict[str, dict[str, str] | None] = {
        key: {} if status.error is key else None for key in NEED_A_PERSON
    }
    for state in HISTORY_NEEDS_A_PERSON:
        is_now = status.history is state
        why = {"reason": status.history_reason}
        wanted[f"history_{state}"] = why if is_now else None
    wanted[DEAD_LETTERS] = None
    if count := status.spool.dead_letters:
        reason = status.dead_letters[-1].reason if status.dead_letters else ""
        wanted[DEAD_LETTERS] = {"count": str(count), "reason": reason}
    for key, placeholders in wanted.items():
        id_ = issue_id(key, subentry.subentry_id)
        if placeholders is None:
            ir.async_delete_issue(hass, DOMAIN, id_)
            continue
        ir.async_create_issue(
            hass,
            DOMAIN,
            id_,
            data={"entry_id": entry.entry_id, SUBENTRY_BROKER: subentry.subentry_id},
            is_fixable=key == DEAD_LETTERS,
            is_persistent=False,
            learn_more_url=LEARN_MORE,
            severity=ir.IssueSeverity.WARNING,
            translation_key=f"broker_{key}" if key in NEED_A_PERSON else key,
            translation_placeholders={"name": subentry.title, **placeholders},
        )


@callback
def async_delete_issues(hass: HomeAssistant, subentry_id: str) -> None:
    """Delete all issues of a broker."""
    histories = [f"history_{state}" for state in HISTORY_NEEDS_A_PERSON]
    for key in (DEAD_LETTERS, *NEED_A_PERSON, *histories):
        ir.async_delete_issue(hass, DOMAIN, issue_id(key, subentry_id))

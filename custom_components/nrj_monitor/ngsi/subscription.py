"""Subscription by which a broker notifies QuantumLeap of every change."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from .answers import items, member
from .broker import V2Broker
from .http import REASON_LIMIT
from .names import plain

NOTIFY_PATH: Final = "/v2/notify"
"""Path of QuantumLeap's notifications, whatever its computer is called."""


def subscription(type_: str, url: str) -> dict[str, Any]:
    """Return a subscription of `url` to all entities of a type.

    Without a condition any change notifies, that of TimeInstant too: constant values are
    recorded as well. Without throttling no change is skipped.
    """
    return {
        "description": f"{type_} to QuantumLeap",
        "subject": {"entities": [{"idPattern": ".*", "type": type_}]},
        "notification": {
            "http": {"url": url},
            "metadata": ["dateCreated", "dateModified", "*"],
        },
    }


def find_history(
    type_: str, known: Iterable[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """Return the subscription of `known` that notifies a history of a type, None without.

    Its address is not compared: the same QuantumLeap has many spellings, and a second
    subscription would store every row twice.
    """
    for other in known:
        types = {
            item.get("type") for item in items(member(other, "subject", "entities"))
        }
        if type_ in types and notify_url(other) is not None:
            return other
    return None


def notify_url(subscribed: Mapping[str, Any]) -> str | None:
    """Return the address of the history a subscription notifies, None for another one."""
    for kind in ("http", "httpCustom"):
        url = member(subscribed, "notification", kind, "url")
        try:
            if isinstance(url, str) and urlsplit(url).path.endswith(NOTIFY_PATH):
                return url
        except ValueError:
            continue
    return None


def outcome(subscribed: Mapping[str, Any]) -> tuple[bool | None, str]:
    """Return whether the last notification arrived, None before the first, and why not.

    Orion calls any answer a success: its status tells whether it was one.
    """
    told = member(subscribed, "notification")
    status = member(subscribed, "status")
    success, failure = member(told, "lastSuccess"), member(told, "lastFailure")
    code = member(told, "lastSuccessCode")
    if status in ("inactive", "expired", "oneshot"):
        return False, f"it is {status}"
    # Both may be in the same second, which is all that Orion tells: its status decides.
    latest = success if isinstance(success, str) else ""
    if isinstance(failure, str) and (
        failure > latest or (failure == latest and status == "failed")
    ):
        reason = member(told, "lastFailureReason")
        words = plain(str(reason)[:REASON_LIMIT]) if reason else ""
        return False, words or "nothing answers"
    if isinstance(code, int) and code >= 300:
        return False, f"status {code}"
    return (True, "") if isinstance(success, str) else (None, "")


async def ensure(broker: V2Broker, type_: str, url: str) -> tuple[str, bool]:
    """Return the id of the subscription, and True for a new subscription."""
    if (known := find_history(type_, await broker.subscriptions())) is not None:
        return str(known.get("id", "")), False
    return await broker.subscribe(subscription(type_, url)), True

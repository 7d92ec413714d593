"""Subscription by which a broker notifies QuantumLeap of every change."""

from collections.abc import Iterable, Mapping
from typing import Any

from .broker import V2Broker


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


def find_equal(
    wanted: Mapping[str, Any], known: Iterable[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """Return the subscription of `known` with the same URL and subject, None without."""
    return next((other for other in known if _key(other) == _key(wanted)), None)


async def ensure(broker: V2Broker, type_: str, url: str) -> tuple[str, bool]:
    """Return the id of the subscription, and True for a new subscription.

    A broker creates an equal subscription without complaint, and QuantumLeap would then
    store every row twice.
    """
    wanted = subscription(type_, url)
    if (known := find_equal(wanted, await broker.subscriptions())) is not None:
        return str(known["id"]), False
    return await broker.subscribe(wanted), True


def _key(subscribed: Mapping[str, Any]) -> tuple[object, ...]:
    subject, notification = (
        subscribed.get("subject", {}),
        subscribed.get("notification", {}),
    )
    return (
        notification.get("http", {}).get("url"),
        sorted(
            (entity.get("type", ""), entity.get("idPattern") or entity.get("id", ""))
            for entity in subject.get("entities", ())
        ),
    )

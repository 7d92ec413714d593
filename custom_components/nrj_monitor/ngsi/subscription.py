"""The subscription by which a broker tells QuantumLeap of every change, made once."""

from collections.abc import Iterable, Mapping
from typing import Any

from .broker import V2Broker


def subscription(type_: str, url: str) -> dict[str, Any]:
    """Return a subscription of `url` to all entities of a type.

    Without a condition any change counts, that of the time too: what stays constant is
    recorded as well. Without throttling nothing is left out.
    """
    return {
        "description": f"{type_} to QuantumLeap",
        "subject": {"entities": [{"idPattern": ".*", "type": type_}]},
        "notification": {
            "http": {"url": url},
            "metadata": ["dateCreated", "dateModified", "*"],
        },
    }


def equal(
    wanted: Mapping[str, Any], known: Iterable[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """Return the one of `known` that does what is wanted, whatever it is called."""
    return next((one for one in known if _key(one) == _key(wanted)), None)


async def ensure(broker: V2Broker, type_: str, url: str) -> tuple[str, bool]:
    """Return the id of the subscription, and whether it had to be created.

    A broker would create an equal one without a word, and every row would be doubled.
    """
    wanted = subscription(type_, url)
    if (known := equal(wanted, await broker.subscriptions())) is not None:
        return str(known["id"]), False
    return await broker.subscribe(wanted), True


def _key(one: Mapping[str, Any]) -> tuple[object, ...]:
    subject, notification = one.get("subject", {}), one.get("notification", {})
    return (
        notification.get("http", {}).get("url"),
        sorted(
            (entity.get("type", ""), entity.get("idPattern") or entity.get("id", ""))
            for entity in subject.get("entities", ())
        ),
    )

"""Clients of brokers (NGSI-v2, NGSI-LD) and of history servers (QuantumLeap, temporal)."""

from collections.abc import Mapping, Sequence
import json
from secrets import token_hex
from typing import Any, Final, Protocol
from urllib.parse import quote

from .answers import items, member
from .errors import DeliveryError, NotABrokerError, RefusedError
from .http import REASON_LIMIT, Answer, Server
from .mapping import CONTEXTS, Api, temporal
from .names import plain
from .sample import from_iso, iso

PROBE_TYPE: Final = "NrjMonitorProbe"

PAGE: Final = 1000
"""Subscriptions asked for at once: the most Orion gives."""

ROWS: Final = 10_000
"""Rows of a history asked for at once: the most QuantumLeap gives."""

MOST_PAGES: Final = 10
"""Pages read of a list, which may never end."""

type Entity = Mapping[str, Any]

_JSON: Final = {"Content-Type": "application/json", "Accept": "application/json"}
_LD: Final = {"Content-Type": "application/ld+json", "Accept": "application/ld+json"}
_READ: Final = {"Accept": "application/json"}


def dump(value: object) -> bytes:
    """Return `value` as JSON; raises ValueError for NaN and infinity."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


class Target(Protocol):
    """Server to deliver entities to."""

    largest_batch: int
    """Number of samples of one entity a request may hold."""

    def payload(self, entities: Sequence[bytes]) -> bytes:
        """Return the body of a request with `entities`, each encoded as JSON."""

    async def deliver(self, payload: bytes) -> None:
        """Send a request with the body `payload`; raises DeliveryError."""

    async def arrived(self, id_: str, type_: str, times: Sequence[int]) -> set[int]:
        """Return the `times` (ms, ascending) of the samples the target has already."""


class Broker(Target, Protocol):
    """Context broker: a target with a version and a probe."""

    async def version(self) -> str:
        """Return the broker's version, "" if unknown; raises DeliveryError for no broker."""

    async def probe(self) -> None:
        """Write, read and delete a probe entity; raises DeliveryError."""


class V2Broker:
    """Client of an NGSI-v2 broker such as Orion."""

    largest_batch = 100

    def __init__(self, server: Server) -> None:
        """Prepare requests to `server`."""
        self._server = server

    async def version(self) -> str:
        """Return the broker's version, "" if unknown; raises DeliveryError for no broker."""
        answer = await self._server.ask(
            "GET", "/v2/entities", headers=_READ, params={"limit": "1"}
        )
        if not isinstance(answer.json(), list):
            raise NotABrokerError("it is no list of entities")
        return await read_version(self._server)

    async def probe(self) -> None:
        """Write, read and delete a probe entity with a random id; raises DeliveryError."""
        id_ = f"urn:ngsi-ld:{PROBE_TYPE}:{token_hex(8)}"
        entity = {"id": id_, "type": PROBE_TYPE, "ok": {"type": "Number", "value": 1}}
        await self.deliver(self.payload([dump(entity)]))
        try:
            answer = await self._server.ask("GET", _of(id_, PROBE_TYPE), headers=_READ)
            if member(answer.json(), "ok", "value") != 1:
                raise NotABrokerError("it did not keep what was written")
        finally:
            await self._server.ask("DELETE", _of(id_, PROBE_TYPE), allowed=(404,))

    def payload(self, entities: Sequence[bytes]) -> bytes:
        """Return a batch update; the broker applies entities of the same id in order."""
        return b'{"actionType":"append","entities":[' + b",".join(entities) + b"]}"

    async def deliver(self, payload: bytes) -> None:
        """Send a batch update: creates or updates entities."""
        await self._server.ask("POST", "/v2/op/update", body=payload, headers=_JSON)

    async def arrived(self, id_: str, type_: str, times: Sequence[int]) -> set[int]:
        """Return `times` up to the entity's TimeInstant: batches are applied in order."""
        path = (
            f"/v2/entities/{quote(id_, '')}/attrs/TimeInstant?type={quote(type_, '')}"
        )
        answer = await self._server.ask("GET", path, headers=_READ, allowed=(404,))
        if answer.status == 404:
            return set()
        return times_until(_time(answer.json()), times)

    async def subscriptions(self) -> list[dict[str, Any]]:
        """Return the subscriptions of the tenant and service path, the first ten thousand."""
        found: list[dict[str, Any]] = []
        for page in range(MOST_PAGES):
            params = {"limit": str(PAGE), "offset": str(page * PAGE)}
            answer = await self._server.ask(
                "GET", "/v2/subscriptions", headers=_READ, params=params
            )
            listed = answer.json()
            if not isinstance(listed, list):
                raise NotABrokerError("it is no list of subscriptions")
            found += items(listed[:PAGE])
            if len(listed) < PAGE:
                break
        return found

    async def subscribe(self, subscription: Mapping[str, Any]) -> str:
        """Create a subscription without a check for equals; return its id."""
        answer = await self._server.ask(
            "POST", "/v2/subscriptions", body=dump(subscription), headers=_JSON
        )
        return answer.headers.get("Location", "").rpartition("/")[2]


class LdBroker:
    """Client of an NGSI-LD broker."""

    # Brokers differ in how they apply a batch with the same entity twice.
    largest_batch = 1

    def __init__(self, server: Server) -> None:
        """Prepare requests to `server`."""
        self._server = server

    async def version(self) -> str:
        """Return the broker's version, "" if unknown; raises DeliveryError for no broker."""
        try:
            answer = await self._server.ask(
                "GET", "/ngsi-ld/v1/types", headers=_READ, params={"limit": "1"}
            )
        except RefusedError as error:
            # An NGSI-v2 broker answers 400, "Service not found".
            raise NotABrokerError(str(error)) from error
        if not isinstance(answer.json(), (dict, list)):
            raise NotABrokerError("it is no list of types")
        return await read_version(self._server)

    async def probe(self) -> None:
        """Write, read and delete a probe entity with a random id; raises DeliveryError."""
        id_ = f"urn:ngsi-ld:{PROBE_TYPE}:{token_hex(8)}"
        entity = {
            "id": id_,
            "type": PROBE_TYPE,
            "ok": {"type": "Property", "value": 1},
            "@context": [CONTEXTS[-1]],
        }
        await self.deliver(self.payload([dump(entity)]))
        path = f"/ngsi-ld/v1/entities/{quote(id_, '')}"
        try:
            answer = await self._server.ask("GET", path, headers=_READ)
            if member(answer.json(), "id") != id_:
                raise NotABrokerError("it did not keep what was written")
        finally:
            await self._server.ask("DELETE", path, allowed=(404,))

    def payload(self, entities: Sequence[bytes]) -> bytes:
        """Return a batch of entities."""
        return b"[" + b",".join(entities) + b"]"

    async def deliver(self, payload: bytes) -> None:
        """Send a batch: creates entities or updates the given attributes.

        Without options=update the broker would delete the attributes not given.
        """
        answer = await self._server.ask(
            "POST",
            "/ngsi-ld/v1/entityOperations/upsert?options=update",
            body=payload,
            headers=_LD,
        )
        if answer.status == 207:
            raise RefusedError(_first_error(answer))

    async def arrived(self, id_: str, type_: str, times: Sequence[int]) -> set[int]:
        """Return `times` up to the newest observedAt of the entity."""
        path = f"/ngsi-ld/v1/entities/{quote(id_, '')}"
        answer = await self._server.ask(
            "GET", path, headers={**_READ, "Link": _link()}, allowed=(404,)
        )
        if answer.status == 404:
            return set()
        observed = [
            _time({"value": member(attribute, "observedAt")})
            for attribute in _members(answer.json())
        ]
        newest = max((time for time in observed if time is not None), default=None)
        return times_until(newest, times)


class QuantumLeap:
    """Client of QuantumLeap, the history of NGSI-v2: notified without a broker."""

    largest_batch = 200

    def __init__(self, server: Server) -> None:
        """Prepare requests to `server`."""
        self._server = server

    async def version(self) -> str:
        """Return the version of QuantumLeap; raises DeliveryError without a version."""
        return await read_version(self._server, required=True)

    def payload(self, entities: Sequence[bytes]) -> bytes:
        """Return a notification of `entities` in the format of a broker."""
        return b'{"subscriptionId":"nrj_monitor","data":[' + b",".join(entities) + b"]}"

    async def deliver(self, payload: bytes) -> None:
        """Send a notification."""
        await self._server.ask("POST", "/v2/notify", body=payload, headers=_JSON)

    async def arrived(self, id_: str, type_: str, times: Sequence[int]) -> set[int]:
        """Return the `times` already stored as rows."""
        params = {"type": type_, "attrs": "TimeInstant", "limit": str(ROWS)}
        params |= _between(times, "fromDate", "toDate")
        answer = await self._server.ask(
            "GET",
            f"/v2/entities/{quote(id_, '')}",
            headers=_READ,
            params=params,
            allowed=(404,),
        )
        if answer.status == 404:
            return set()
        index = member(answer.json(), "index")
        if not isinstance(index, list):
            raise NotABrokerError("it is no list of times")
        stored = {_time({"value": moment}) for moment in index[:ROWS]}
        return {time for time in times if time in stored}


class Temporal:
    """Client of an NGSI-LD broker's temporal interface, its history."""

    largest_batch = 100

    def __init__(self, server: Server) -> None:
        """Prepare requests to `server`."""
        self._server = server

    def payload(self, entities: Sequence[bytes]) -> bytes:
        """Return a temporal entity with an instance of each attribute a sample."""
        return dump(temporal(json.loads(entity) for entity in entities))

    async def deliver(self, payload: bytes) -> None:
        """Send instances for the entity's history."""
        await self._server.ask(
            "POST", "/ngsi-ld/v1/temporal/entities", body=payload, headers=_LD
        )

    async def arrived(self, id_: str, type_: str, times: Sequence[int]) -> set[int]:
        """Return the `times` already stored as instances."""
        params = {"timerel": "between", "timeproperty": "observedAt"}
        params |= _between(times, "timeAt", "endTimeAt")
        answer = await self._server.ask(
            "GET",
            f"/ngsi-ld/v1/temporal/entities/{quote(id_, '')}",
            headers={**_READ, "Link": _link()},
            params=params,
            allowed=(404,),
        )
        if answer.status == 404:
            return set()
        stored = {
            _time({"value": instance.get("observedAt")})
            for instances in _members(answer.json())
            for instance in items(instances)
        }
        return {time for time in times if time in stored}


async def read_version(server: Server, required: bool = False) -> str:
    """Return the version from /version, empty without a version.

    Raises DeliveryError where the request fails and the version is `required`.
    """
    try:
        answer = (await server.ask("GET", "/version", headers=_READ)).json()
    except DeliveryError:
        if required:
            raise
        return ""
    if not isinstance(answer, dict):
        return ""
    inner = next((part for part in answer.values() if isinstance(part, dict)), answer)
    version = inner.get("version")
    return plain(version[:50]) if isinstance(version, str) else ""


def times_until(last: int | None, times: Sequence[int]) -> set[int]:
    """Return `times` up to `last`; none unless `last` is among `times`."""
    if last is None or last not in times:
        return set()
    return {time for time in times if time <= last}


def make_broker(api: Api, server: Server) -> V2Broker | LdBroker:
    """Return the client for the interface `api` of a broker."""
    return V2Broker(server) if api is Api.V2 else LdBroker(server)


def _of(id_: str, type_: str) -> str:
    return f"/v2/entities/{quote(id_, '')}?type={quote(type_, '')}"


def _members(entity: Any) -> list[Any]:
    """Return the members of a decoded entity; raises NotABrokerError for none."""
    if not isinstance(entity, dict):
        raise NotABrokerError("it is no entity")
    return list(entity.values())


def _link() -> str:
    return (
        f'<{CONTEXTS[0]}>; rel="http://www.w3.org/ns/json-ld#context";'
        ' type="application/ld+json"'
    )


def _time(attribute: Any) -> int | None:
    value = attribute.get("value") if isinstance(attribute, dict) else None
    if not isinstance(value, str):
        return None
    try:
        return from_iso(value)
    except ValueError, OverflowError:
        return None


def _between(times: Sequence[int], first: str, last: str) -> dict[str, str]:
    """Return query parameters of a window around `times`, with room for rounding."""
    return {first: iso(min(times) - 1), last: iso(max(times) + 1)}


def _first_error(answer: Answer) -> str:
    """Return the first reason in the answer to a batch."""
    try:
        body = answer.json()
    except NotABrokerError:
        return "refused"
    first = next(iter(items(member(body, "errors"))), {})
    words = member(first, "error", "detail") or member(first, "error", "title")
    return plain(str(words or "refused")[:REASON_LIMIT])

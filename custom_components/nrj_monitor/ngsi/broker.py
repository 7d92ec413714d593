"""The two kinds of broker and the two kinds of history, each in its own words."""

from collections.abc import Mapping, Sequence
import json
from secrets import token_hex
from typing import Any, Final, Protocol
from urllib.parse import quote

from .errors import DeliveryError, NotABrokerError, RefusedError
from .http import Server
from .mapping import CONTEXTS, Api, temporal
from .sample import from_iso, iso

PROBE_TYPE: Final = "NrjMonitorProbe"

type Entity = Mapping[str, Any]

_JSON: Final = {"Content-Type": "application/json", "Accept": "application/json"}
_LD: Final = {"Content-Type": "application/ld+json", "Accept": "application/ld+json"}
_READ: Final = {"Accept": "application/json"}


def dump(value: object) -> bytes:
    """Return JSON; raises ValueError for what is no number, which no broker takes."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


class Target(Protocol):
    """Where entities are delivered to."""

    largest_batch: int
    """How many samples of one entity a request may hold."""

    def payload(self, entities: Sequence[bytes]) -> bytes:
        """Return the body of a request with these entities, each as JSON."""

    async def deliver(self, payload: bytes) -> None:
        """Send a request; raises DeliveryError."""

    async def arrived(self, id_: str, type_: str, times: Sequence[int]) -> set[int]:
        """Return which of samples at `times`, in order, the target has already."""


class Broker(Target, Protocol):
    """A context broker."""

    async def version(self) -> str:
        """Return what answers there, or raise DeliveryError if that is no broker."""

    async def probe(self) -> None:
        """Write, read and remove a probe entity, or raise DeliveryError."""


class V2Broker:
    """A broker that speaks NGSI-v2, such as Orion."""

    largest_batch = 100

    def __init__(self, server: Server) -> None:
        """Talk to `server`."""
        self._server = server

    async def version(self) -> str:
        """Return its version, as far as it tells it."""
        answer = await self._server.ask(
            "GET", "/v2/entities", headers=_READ, params={"limit": "1"}
        )
        if not isinstance(answer.json(), list):
            raise NotABrokerError("What answers is no NGSI-v2 broker")
        return await told_version(self._server)

    async def probe(self) -> None:
        """Write, read and remove an entity that is nobody else's."""
        id_ = f"urn:ngsi-ld:{PROBE_TYPE}:{token_hex(8)}"
        entity = {"id": id_, "type": PROBE_TYPE, "ok": {"type": "Number", "value": 1}}
        await self.deliver(self.payload([dump(entity)]))
        try:
            answer = await self._server.ask("GET", _of(id_, PROBE_TYPE), headers=_READ)
            if answer.json().get("ok", {}).get("value") != 1:
                raise NotABrokerError("The broker did not keep what was written")
        finally:
            await self._server.ask("DELETE", _of(id_, PROBE_TYPE), allowed=(404,))

    def payload(self, entities: Sequence[bytes]) -> bytes:
        """Return a batch update; entities of the same id are applied in their order."""
        return b'{"actionType":"append","entities":[' + b",".join(entities) + b"]}"

    async def deliver(self, payload: bytes) -> None:
        """Create or update entities."""
        await self._server.ask("POST", "/v2/op/update", body=payload, headers=_JSON)

    async def arrived(self, id_: str, type_: str, times: Sequence[int]) -> set[int]:
        """Return `times` up to the one the entity tells: batches are applied in order."""
        path = (
            f"/v2/entities/{quote(id_, '')}/attrs/TimeInstant?type={quote(type_, '')}"
        )
        answer = await self._server.ask("GET", path, headers=_READ, allowed=(404,))
        if answer.status == 404:
            return set()
        return up_to(_time(answer.json()), times)

    async def subscriptions(self) -> list[dict[str, Any]]:
        """Return all subscriptions of the tenant and path."""
        found: list[dict[str, Any]] = []
        while True:
            params = {"limit": "1000", "offset": str(len(found))}
            answer = await self._server.ask(
                "GET", "/v2/subscriptions", headers=_READ, params=params
            )
            page = answer.json()
            found += page
            if len(page) < 1000:
                return found

    async def subscribe(self, subscription: Mapping[str, Any]) -> str:
        """Create a subscription, whether there is an equal one or not; return its id."""
        answer = await self._server.ask(
            "POST", "/v2/subscriptions", body=dump(subscription), headers=_JSON
        )
        return answer.headers.get("Location", "").rpartition("/")[2]


class LdBroker:
    """A broker that speaks NGSI-LD."""

    # What a batch with the same entity twice does differs from broker to broker.
    largest_batch = 1

    def __init__(self, server: Server) -> None:
        """Talk to `server`."""
        self._server = server

    async def version(self) -> str:
        """Return its version, as far as it tells it."""
        try:
            answer = await self._server.ask(
                "GET", "/ngsi-ld/v1/types", headers=_READ, params={"limit": "1"}
            )
        except RefusedError as error:
            # An NGSI-v2 broker answers 400, "Service not found".
            raise NotABrokerError("What answers is no NGSI-LD broker") from error
        if not isinstance(answer.json(), (dict, list)):
            raise NotABrokerError("What answers is no NGSI-LD broker")
        return await told_version(self._server)

    async def probe(self) -> None:
        """Write, read and remove an entity that is nobody else's."""
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
            if answer.json().get("id") != id_:
                raise NotABrokerError("The broker did not keep what was written")
        finally:
            await self._server.ask("DELETE", path, allowed=(404,))

    def payload(self, entities: Sequence[bytes]) -> bytes:
        """Return a batch."""
        return b"[" + b",".join(entities) + b"]"

    async def deliver(self, payload: bytes) -> None:
        """Create entities or update the attributes that are given.

        Without options=update the broker would drop the attributes that are not.
        """
        answer = await self._server.ask(
            "POST",
            "/ngsi-ld/v1/entityOperations/upsert?options=update",
            body=payload,
            headers=_LD,
        )
        if answer.status == 207:
            raise RefusedError(_first_error(answer.json()))

    async def arrived(self, id_: str, type_: str, times: Sequence[int]) -> set[int]:
        """Return `times` up to the one the entity tells."""
        path = f"/ngsi-ld/v1/entities/{quote(id_, '')}"
        answer = await self._server.ask(
            "GET", path, headers={**_READ, "Link": _link()}, allowed=(404,)
        )
        if answer.status == 404:
            return set()
        told = [
            _time({"value": attribute.get("observedAt")})
            for attribute in answer.json().values()
            if isinstance(attribute, dict)
        ]
        return up_to(max((t for t in told if t is not None), default=None), times)


class QuantumLeap:
    """The history of NGSI-v2: what a broker would notify it of, told directly."""

    largest_batch = 200

    def __init__(self, server: Server) -> None:
        """Talk to `server`."""
        self._server = server

    async def version(self) -> str:
        """Return its version, or raise DeliveryError."""
        return await told_version(self._server, needed=True)

    def payload(self, entities: Sequence[bytes]) -> bytes:
        """Return a notification."""
        return b'{"subscriptionId":"nrj_monitor","data":[' + b",".join(entities) + b"]}"

    async def deliver(self, payload: bytes) -> None:
        """Notify."""
        await self._server.ask("POST", "/v2/notify", body=payload, headers=_JSON)

    async def arrived(self, id_: str, type_: str, times: Sequence[int]) -> set[int]:
        """Return which of `times` are rows already."""
        params = {"type": type_, "attrs": "TimeInstant", "limit": "10000"}
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
        index = answer.json().get("index", [])
        told = {_time({"value": moment}) for moment in index}
        return {time for time in times if time in told}


class Temporal:
    """The history of NGSI-LD: the broker's temporal interface."""

    largest_batch = 100

    def __init__(self, server: Server) -> None:
        """Talk to `server`."""
        self._server = server

    def payload(self, entities: Sequence[bytes]) -> bytes:
        """Return one temporal entity with an instance for each sample."""
        return dump(temporal(json.loads(entity) for entity in entities))

    async def deliver(self, payload: bytes) -> None:
        """Add instances to the entity's history."""
        await self._server.ask(
            "POST", "/ngsi-ld/v1/temporal/entities", body=payload, headers=_LD
        )

    async def arrived(self, id_: str, type_: str, times: Sequence[int]) -> set[int]:
        """Return which of `times` have an instance already."""
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
        told = {
            _time({"value": instance.get("observedAt")})
            for instances in answer.json().values()
            if isinstance(instances, list)
            for instance in instances
            if isinstance(instance, dict)
        }
        return {time for time in times if time in told}


async def told_version(server: Server, needed: bool = False) -> str:
    """Return what /version says; "" where it is not `needed` and not told."""
    try:
        told = (await server.ask("GET", "/version", headers=_READ)).json()
    except DeliveryError:
        if needed:
            raise
        return ""
    if not isinstance(told, dict):
        return ""
    inner = next((part for part in told.values() if isinstance(part, dict)), told)
    return str(inner.get("version", ""))


def up_to(last: int | None, times: Sequence[int]) -> set[int]:
    """Return `times` up to `last` where that is one of them, else none."""
    if last is None or last not in times:
        return set()
    return {time for time in times if time <= last}


def make_broker(api: Api, server: Server) -> V2Broker | LdBroker:
    """Return the broker of an interface."""
    return V2Broker(server) if api is Api.V2 else LdBroker(server)


def _of(id_: str, type_: str) -> str:
    return f"/v2/entities/{quote(id_, '')}?type={quote(type_, '')}"


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
    except ValueError:
        return None


def _between(times: Sequence[int], first: str, last: str) -> dict[str, str]:
    """Return a window that holds `times`, with room for rounding."""
    return {first: iso(min(times) - 1), last: iso(max(times) + 1)}


def _first_error(told: Any) -> str:
    """Return the first reason in the answer to a batch."""
    try:
        error = told["errors"][0]["error"]
        return str(error.get("detail") or error.get("title") or "refused")[:200]
    except KeyError, IndexError, TypeError, AttributeError:
        return "refused"

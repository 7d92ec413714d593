"""Test NGSI-v2 broker with the measured behaviour of Orion 4.7."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
import json
import random
import re
from typing import Any

from aiohttp import ClientError, ClientSession, web

from tests.support.ngsi.loopback import (
    LIMIT,
    Applied,
    Loopback,
    Refusal,
    milliseconds,
    normalized_time,
    orion_json,
    parsed,
)

FORBIDDEN = set("<>\"'=;()")
NAME = re.compile(r"[\x21-\x7e]{1,256}")
WORD = re.compile(r"[A-Za-z0-9_]{1,50}")
ACTIONS = ("append", "appendStrict", "update", "replace", "delete")
MEMBERS = {"type", "value", "metadata"}


@lru_cache(4096)
def check_name(text: Any, what: str) -> None:
    """Raise Refusal for an identifier Orion refuses."""
    if not isinstance(text, str) or not NAME.fullmatch(text):
        raise Refusal(400, "BadRequest", f"Invalid characters in {what}")
    if set(text) & (FORBIDDEN | set("&?/#")):
        raise Refusal(400, "BadRequest", f"Invalid characters in {what}")


def check_value(value: Any) -> None:
    """Raise Refusal for a forbidden character in any text."""
    if isinstance(value, str):
        if not FORBIDDEN.isdisjoint(value):
            raise Refusal(400, "BadRequest", "Invalid characters in attribute value")
    elif isinstance(value, dict):
        for key, inner in value.items():
            check_value(key)
            check_value(inner)
    elif isinstance(value, list):
        for inner in value:
            check_value(inner)


def inferred(value: Any) -> dict[str, Any]:
    """Return an attribute inferred with ?options=keyValues: a date becomes a text."""
    kinds = {bool: "Boolean", int: "Number", float: "Number", str: "Text"}
    return {"type": kinds.get(type(value), "StructuredValue"), "value": value}


def answer(body: Any) -> web.Response:
    """Return a successful answer in Orion's way of writing."""
    return web.Response(text=orion_json(body), content_type="application/json")


def moment() -> str:
    """Return the time of an event of a subscription: Orion keeps whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@dataclass
class Tenant:
    """Entities and subscriptions of a tenant and service path."""

    service: str = ""
    path: str = "/"

    entities: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)


class NgsiV2(Loopback):
    """NGSI-v2 broker with the measured behaviour of Orion 4.7."""

    def __init__(self, seed: int = 0) -> None:
        """Prepare an empty broker; `seed` is for the order of notifications."""
        super().__init__()
        self.tenants: dict[tuple[str, str], Tenant] = {}
        self.applied: list[Applied] = []
        self.refuse: Callable[[dict[str, Any]], bool] = lambda entity: False
        self.forbidden_paths: set[str] = set()
        self.remembers = True
        """Whether every entity is kept as it was applied, or only its time."""
        self.largest = LIMIT
        self._random = random.Random(seed)
        self._made = 0
        self._notifying: set[asyncio.Task[None]] = set()
        self._session: ClientSession | None = None

    def routes(self) -> None:
        """Add the routes of the broker."""
        router = self.app.router
        router.add_get("/version", self._version)
        router.add_get("/v2/entities", self._list)
        router.add_post("/v2/op/update", self._update)
        router.add_get("/v2/entities/{id}", self._get)
        router.add_delete("/v2/entities/{id}", self._delete)
        router.add_get("/v2/entities/{id}/attrs/{name}", self._attribute)
        router.add_get("/v2/subscriptions", self._subscriptions)
        router.add_post("/v2/subscriptions", self._subscribe)
        router.add_get("/ngsi-ld/{rest:.*}", self._no_ld)
        router.add_post("/ngsi-ld/{rest:.*}", self._no_ld)

    async def stop(self) -> None:
        """Stop the server and its notifications."""
        for task in tuple(self._notifying):
            task.cancel()
        if self._session is not None:
            await self._session.close()
            self._session = None
        await super().stop()

    @property
    def times(self) -> list[int]:
        """Return the times of all applied entities, in the order of arrival."""
        return [applied.time for applied in self.applied if applied.time is not None]

    def entity(self, id_: str, service: str = "", path: str = "/") -> dict[str, Any]:
        """Return the current state of an entity."""
        tenant = self.tenants[service, path]
        return next(e for (i, _), e in tenant.entities.items() if i == id_)

    def _tenant(self, request: web.Request) -> Tenant:
        service = request.headers.get("Fiware-Service", "")
        path = request.headers.get("Fiware-ServicePath", "/")
        if service and not WORD.fullmatch(service):
            raise Refusal(400, "BadRequest", "bad character in tenant name")
        path = path.rstrip("/") or "/"
        levels = path[1:].split("/") if path != "/" else []
        if not path.startswith("/") or len(levels) > 10:
            raise Refusal(400, "BadRequest", "a service path starts with /, 10 levels")
        if not all(WORD.fullmatch(level) for level in levels):
            raise Refusal(
                400, "BadRequest", "a component of ServicePath is not allowed"
            )
        if path in self.forbidden_paths:
            raise Refusal(403, "Forbidden", "not for this service path")
        key = service.lower(), path
        return self.tenants.setdefault(key, Tenant(*key))

    async def _no_ld(self, request: web.Request) -> web.Response:
        raise Refusal(400, "BadRequest", "Service not found. Check your URL")

    async def _version(self, request: web.Request) -> web.Response:
        return web.json_response({"orion": {"version": "4.7.0", "uptime": "0 d"}})

    async def _list(self, request: web.Request) -> web.Response:
        found = list(self._tenant(request).entities.values())
        return answer(found[: int(request.query.get("limit", "20"))])

    async def _body(self, request: web.Request) -> Any:
        if request.content_length is None:
            raise Refusal(411, "ContentLengthRequired", "Zero/No Content-Length")
        if request.content_type != "application/json":
            raise Refusal(415, "UnsupportedMediaType", "not supported content type")
        body = await request.read()
        self.bodies.append(len(body))
        if len(body) > self.largest:
            raise Refusal(413, "RequestEntityTooLarge", "payload size too large")
        return parsed(body)

    async def _update(self, request: web.Request) -> web.Response:
        tenant = self._tenant(request)
        body = await self._body(request)
        options = request.query.get("options", "").split(",")
        if not isinstance(body, dict) or set(body) - {"actionType", "entities"}:
            raise Refusal(400, "BadRequest", "unknown member")
        action = body.get("actionType")
        if action not in ACTIONS:
            raise Refusal(400, "BadRequest", "invalid update action type")
        entities = body.get("entities")
        if not isinstance(entities, list) or not entities:
            raise Refusal(400, "BadRequest", "empty entities vector")
        # Nothing is applied unless all of it can be understood.
        clean = [self._checked(entity, "keyValues" in options) for entity in entities]
        missing = 0
        for entity in clean:
            missing += not self._apply(
                tenant, action, entity, "forcedUpdate" in options
            )
        if missing == len(clean):
            raise Refusal(404, "NotFound", "The requested entity has not been found")
        if missing:
            raise Refusal(422, "PartialUpdate", "some entities were not found")
        return self.answered(request, web.Response(status=204))

    def _checked(self, entity: Any, key_values: bool) -> dict[str, Any]:
        """Return an entity in Orion's stored form; raises Refusal."""
        if not isinstance(entity, dict) or "id" not in entity:
            raise Refusal(400, "BadRequest", "no entity id")
        for name in ("id", "type"):
            # No attribute can have one of these names: it is taken for the member.
            if not isinstance(entity.get(name, ""), str):
                raise Refusal(400, "BadRequest", f"Invalid JSON type for entity {name}")
        check_name(entity["id"], "entity id")
        check_name(entity.get("type", "Thing"), "entity type")
        if self.refuse(entity):
            raise Refusal(400, "BadRequest", "this one is not liked")
        kept: dict[str, Any] = {"id": entity["id"], "type": entity.get("type", "Thing")}
        for name, attribute in entity.items():
            if name in ("id", "type"):
                continue
            check_name(name, "attribute name")
            if key_values:
                kept[name] = inferred(attribute) | {"metadata": {}}
                check_value(attribute)
                continue
            if not isinstance(attribute, dict) or set(attribute) - MEMBERS:
                raise Refusal(400, "BadRequest", "attribute must be a JSON object")
            value, kind = attribute.get("value"), attribute.get("type")
            metadata = dict(attribute.get("metadata", {}))
            if kind != "TextUnrestricted":
                check_value(value)
            if kind == "DateTime":
                value = normalized_time(value)
            for key, item in metadata.items():
                check_name(key, "metadata name")
                if not isinstance(item, dict) or set(item) - {"type", "value"}:
                    raise Refusal(400, "BadRequest", "metadata must be a JSON object")
                check_value(item.get("value"))
                if item.get("type") == "DateTime":
                    metadata[key] = item | {"value": normalized_time(item["value"])}
            kept[name] = {
                "type": kind or inferred(value)["type"],
                "value": value,
                "metadata": metadata,
            }
        return kept

    def _apply(
        self, tenant: Tenant, action: str, entity: dict[str, Any], forced: bool
    ) -> bool:
        """Apply an entity; return False without an entity to update."""
        key = (entity["id"], entity["type"])
        known = tenant.entities.get(key)
        if action in ("update", "replace", "delete") and known is None:
            return False
        if action == "delete":
            del tenant.entities[key]
            return True
        attributes = {n: a for n, a in entity.items() if n not in ("id", "type")}
        if action == "appendStrict" and known and set(attributes) & set(known):
            raise Refusal(422, "Unprocessable", "one or more of the attributes exist")
        # Only who is to be told of changes has to know whether there is one.
        before = json.dumps(known) if tenant.subscriptions else ""
        if known is None or action == "replace":
            known = tenant.entities[key] = {"id": key[0], "type": key[1]}
        known.update(attributes)
        instant = attributes.get("TimeInstant", {})
        is_time = instant.get("type") == "DateTime"
        time = milliseconds(instant["value"]) if is_time else None
        self.applied.append(Applied(key[0], time, entity if self.remembers else {}))
        if tenant.subscriptions and (forced or json.dumps(known) != before):
            self._notify(tenant, json.loads(json.dumps(known)))
        return True

    def _notify(self, tenant: Tenant, entity: dict[str, Any]) -> None:
        """Notify each subscriber after a delay of its own, which loses the order."""
        for subscription in tenant.subscriptions.values():
            if subscription.get("status") == "inactive":
                continue
            for wanted in subscription["subject"]["entities"]:
                pattern = wanted.get("idPattern", re.escape(wanted.get("id", "")))
                if wanted.get("type", entity["type"]) != entity["type"]:
                    continue
                if re.fullmatch(pattern, entity["id"]):
                    task = asyncio.get_running_loop().create_task(
                        self._tell(tenant, subscription, entity)
                    )
                    self._notifying.add(task)
                    task.add_done_callback(self._notifying.discard)

    async def _tell(
        self, tenant: Tenant, subscription: dict[str, Any], entity: Any
    ) -> None:
        await asyncio.sleep(self._random.random() * 0.02)
        if self._session is None:
            self._session = ClientSession()
        told = subscription["notification"]
        told["timesSent"] = told.get("timesSent", 0) + 1
        told["lastNotification"] = moment()
        # A notification that fails is not repeated.
        try:
            async with self._session.post(
                told["http"]["url"],
                data=orion_json(
                    {"subscriptionId": subscription["id"], "data": [entity]}
                ),
                headers={
                    "Content-Type": "application/json; charset=utf-8",
                    "Fiware-Service": tenant.service,
                    "Fiware-ServicePath": tenant.path,
                    "Ngsiv2-AttrsFormat": "normalized",
                },
            ) as response:
                status = response.status
        except (OSError, ClientError) as error:
            told["lastFailure"] = moment()
            told["lastFailureReason"] = str(error) or type(error).__name__
            subscription["status"] = "failed"
            return
        # Any answer is a notification that arrived; only its status tells more.
        told["lastSuccess"] = moment()
        told["lastSuccessCode"] = status
        subscription["status"] = "active"

    async def notified(self) -> None:
        """Wait until all notifications are sent."""
        while self._notifying:
            await asyncio.gather(*self._notifying, return_exceptions=True)

    def _find(self, request: web.Request) -> tuple[Tenant, tuple[str, str]]:
        tenant = self._tenant(request)
        type_ = request.query.get("type")
        for key in tenant.entities:
            if key[0] == request.match_info["id"] and type_ in (None, key[1]):
                return tenant, key
        raise Refusal(404, "NotFound", "The requested entity has not been found")

    async def _get(self, request: web.Request) -> web.Response:
        tenant, key = self._find(request)
        return answer(tenant.entities[key])

    async def _delete(self, request: web.Request) -> web.Response:
        tenant, key = self._find(request)
        del tenant.entities[key]
        return web.Response(status=204)

    async def _attribute(self, request: web.Request) -> web.Response:
        tenant, key = self._find(request)
        attribute = tenant.entities[key].get(request.match_info["name"])
        if attribute is None:
            raise Refusal(404, "NotFound", "The entity does not have such an attribute")
        return answer(attribute)

    async def _subscriptions(self, request: web.Request) -> web.Response:
        found = list(self._tenant(request).subscriptions.values())
        offset = int(request.query.get("offset", "0"))
        limit = int(request.query.get("limit", "20"))
        return answer(found[offset : offset + limit])

    async def _subscribe(self, request: web.Request) -> web.Response:
        tenant = self._tenant(request)
        body = await self._body(request)
        check_value(body.get("description", ""))
        if not body.get("subject", {}).get("entities"):
            raise Refusal(400, "BadRequest", "no subject entities specified")
        id_ = f"{self._made:024x}"
        self._made += 1
        # An equal one is no reason not to create another.
        tenant.subscriptions[id_] = {"id": id_, **body, "status": "active"}
        return web.Response(
            status=201, headers={"Location": f"/v2/subscriptions/{id_}"}
        )

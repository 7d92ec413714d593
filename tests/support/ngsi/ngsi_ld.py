"""Test NGSI-LD broker with a temporal interface, strict where real brokers agree."""

from collections.abc import Callable
from datetime import UTC, datetime
import re
from typing import Any

from aiohttp import web

from tests.support.ngsi.loopback import (
    Applied,
    Loopback,
    Refusal,
    milliseconds,
    normalized_time,
    parsed,
)


class NgsiLd(Loopback):
    """NGSI-LD broker with a temporal interface."""

    def __init__(self) -> None:
        """Prepare an empty broker."""
        super().__init__()
        self.tenants: dict[str, dict[str, dict[str, Any]]] = {}
        self.applied: list[Applied] = []
        self.instances: list[int] = []
        self.refuse: Callable[[dict[str, Any]], bool] = lambda entity: False

    def routes(self) -> None:
        """Add the routes of the broker."""
        router = self.app.router
        base = "/ngsi-ld/v1"
        router.add_get(f"{base}/types", self._types)
        router.add_post(f"{base}/entityOperations/upsert", self._upsert)
        router.add_get(f"{base}/entities/{{id}}", self._get)
        router.add_delete(f"{base}/entities/{{id}}", self._delete)
        router.add_post(f"{base}/temporal/entities", self._temporal)
        router.add_get(f"{base}/temporal/entities/{{id}}", self._history)

    @property
    def times(self) -> list[int]:
        """Return the times of all upserts, in their order."""
        return [applied.time for applied in self.applied if applied.time is not None]

    def _entities(self, request: web.Request) -> dict[str, dict[str, Any]]:
        return self.tenants.setdefault(request.headers.get("NGSILD-Tenant", ""), {})

    def entity(self, id_: str, tenant: str = "") -> dict[str, Any]:
        """Return the current state of an entity."""
        return self.tenants[tenant][id_]

    async def _body(self, request: web.Request) -> Any:
        linked = "Link" in request.headers
        body = parsed(await request.read())
        items = body if isinstance(body, list) else [body]
        inside = any("@context" in item for item in items)
        plain = request.content_type == "application/json"
        if not plain and request.content_type != "application/ld+json":
            raise Refusal(415, "UnsupportedMediaType", request.content_type)
        if (plain and inside) or (not plain and (linked or not inside)):
            raise Refusal(400, "BadRequestData", "@context: never both, never neither")
        return body

    async def _types(self, request: web.Request) -> web.Response:
        return web.json_response({"id": "urn:ngsi-ld:EntityTypeList:1", "typeList": []})

    def _check(self, entity: Any) -> None:
        if self.refuse(entity):
            raise Refusal(400, "BadRequestData", "this one is not liked")
        if not isinstance(entity, dict) or not re.match(
            r"[a-z][a-z0-9+.-]*:.", str(entity.get("id", ""))
        ):
            raise Refusal(400, "BadRequestData", "the id is no URI")
        for name, attribute in entity.items():
            if name in ("id", "type", "@context"):
                continue
            for one in attribute if isinstance(attribute, list) else [attribute]:
                kind = one.get("type") if isinstance(one, dict) else None
                member = {"Property": "value", "GeoProperty": "value"}.get(
                    str(kind), "object"
                )
                if kind not in ("Property", "GeoProperty", "Relationship"):
                    raise Refusal(400, "BadRequestData", f"{name} is no attribute")
                if one.get(member) is None:
                    raise Refusal(400, "BadRequestData", f"{name} has no {member}")
                if "observedAt" in one:
                    normalized_time(one["observedAt"])

    async def _upsert(self, request: web.Request) -> web.Response:
        entities = self._entities(request)
        body = await self._body(request)
        if not isinstance(body, list) or not body:
            raise Refusal(400, "BadRequestData", "an empty array")
        ids = [entity.get("id") for entity in body if isinstance(entity, dict)]
        if len(set(ids)) != len(ids):
            raise Refusal(400, "BadRequestData", "the same entity twice")
        created: list[str] = []
        updated: list[str] = []
        errors: list[dict[str, Any]] = []
        for entity in body:
            try:
                self._check(entity)
            except Refusal as refusal:
                errors.append(
                    {
                        "entityId": entity.get("id"),
                        "error": {
                            "title": refusal.error,
                            "detail": refusal.description,
                        },
                    }
                )
                continue
            known = entities.get(entity["id"])
            if known is None or request.query.get("options") != "update":
                entities[entity["id"]] = dict(entity)
            else:
                known.update(entity)
            (created if known is None else updated).append(entity["id"])
            times = [
                milliseconds(a["observedAt"])
                for a in entity.values()
                if isinstance(a, dict) and "observedAt" in a
            ]
            self.applied.append(
                Applied(entity["id"], max(times, default=None), dict(entity))
            )
        if errors:
            return web.json_response(
                {"success": created + updated, "errors": errors}, status=207
            )
        if created:
            return self.answered(request, web.json_response(created, status=201))
        return self.answered(request, web.Response(status=204))

    async def _get(self, request: web.Request) -> web.Response:
        entity = self._entities(request).get(request.match_info["id"])
        if entity is None:
            raise Refusal(404, "ResourceNotFound", "no such entity")
        return web.json_response(entity)

    async def _delete(self, request: web.Request) -> web.Response:
        if self._entities(request).pop(request.match_info["id"], None) is None:
            raise Refusal(404, "ResourceNotFound", "no such entity")
        return web.Response(status=204)

    async def _temporal(self, request: web.Request) -> web.Response:
        body = await self._body(request)
        self._check(body)
        lists = [value for value in body.values() if isinstance(value, list)]
        times = {
            milliseconds(one["observedAt"])
            for instances in lists
            for one in instances
            if isinstance(one, dict)
        }
        self.instances += sorted(times)
        return self.answered(request, web.Response(status=204))

    async def _history(self, request: web.Request) -> web.Response:
        first = milliseconds(request.query["timeAt"])
        last = milliseconds(request.query["endTimeAt"])
        found = [t for t in self.instances if first <= t <= last]
        if not self.instances:
            raise Refusal(404, "ResourceNotFound", "no such entity")
        return web.json_response(
            {
                "id": request.match_info["id"],
                "frequency": [
                    {
                        "type": "Property",
                        "value": 50.0,
                        "observedAt": datetime.fromtimestamp(t / 1000, UTC).isoformat(
                            timespec="milliseconds"
                        ),
                    }
                    for t in found
                ],
            }
        )

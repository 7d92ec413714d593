"""Test QuantumLeap with the measured behaviour of version 1.0."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from tests.support.ngsi.loopback import Loopback, Refusal, milliseconds, parsed


class QuantumLeapServer(Loopback):
    """QuantumLeap with the measured behaviour of version 1.0."""

    def __init__(self) -> None:
        """Prepare a server without rows."""
        super().__init__()
        self.rows: list[tuple[str, int, dict[str, Any]]] = []
        self.lost: list[dict[str, Any]] = []
        """Rows of which only the original is kept: a value did not fit its column."""
        self._columns: dict[tuple[str, str], str] = {}
        self.refuse: Callable[[dict[str, Any]], bool] = lambda entity: False

    def routes(self) -> None:
        """Add the routes of the server."""
        self.app.router.add_get("/version", self._version)
        self.app.router.add_post("/v2/notify", self._notify)
        self.app.router.add_get("/v2/entities/{id}", self._entity)

    @property
    def times(self) -> list[int]:
        """Return the time index of all rows in the order of arrival."""
        return [time for _, time, _ in self.rows]

    async def _version(self, request: web.Request) -> web.Response:
        return web.json_response({"version": "1.0.0"})

    async def _notify(self, request: web.Request) -> web.Response:
        body = parsed(await request.read())
        for entity in body["data"]:
            if self.refuse(entity):
                raise Refusal(400, "BadRequest", "this one is not liked")
        for entity in body["data"]:
            row: dict[str, Any] = {}
            fits = True
            for name, attribute in entity.items():
                if name in ("id", "type"):
                    continue
                if not isinstance(attribute, dict) or "value" not in attribute:
                    raise Refusal(500, "InternalError", "keyValues")
                if attribute["type"] == "Relationship":
                    raise Refusal(500, "InternalError", "Relationship with a value")
                column = (entity["type"].lower(), name.lower())
                kind = self._columns.setdefault(column, attribute["type"])
                fits &= kind == attribute["type"] and not (
                    kind == "Number" and isinstance(attribute["value"], str)
                )
                row[name.lower()] = attribute["value"]
            if not fits:
                self.lost.append(entity)
                continue
            time = milliseconds(entity["TimeInstant"]["value"])
            self.rows.append((entity["id"], time, row))
        return self.answered(
            request, web.json_response({"status": "Notification processed"})
        )

    async def _entity(self, request: web.Request) -> web.Response:
        first = milliseconds(request.query["fromDate"])
        last = milliseconds(request.query["toDate"])
        id_ = request.match_info["id"]
        found = sorted(t for i, t, _ in self.rows if i == id_ and first <= t <= last)
        if not found:
            raise Refusal(404, "Not Found", "No records were found for such query.")
        index = [
            datetime.fromtimestamp(t / 1000, UTC).isoformat(timespec="milliseconds")
            for t in found[: int(request.query["limit"])]
        ]
        return web.json_response({"entityId": id_, "index": index, "attributes": []})

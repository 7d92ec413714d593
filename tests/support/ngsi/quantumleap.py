"""Test QuantumLeap with the measured behaviour of version 1.0, over a test CrateDB."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from tests.support.ngsi.crate import QUANTUMLEAP_TYPES, Column, Crate, Misfit, Table
from tests.support.ngsi.loopback import Loopback, Refusal, milliseconds, parsed


def table_name(service: str, type_: str) -> str:
    """Return the name of a type's table: both parts are in lower case."""
    table = f'"et{type_.lower()}"'
    return f'"mt{service.lower()}".{table}' if service else table


class QuantumLeapServer(Loopback):
    """QuantumLeap with the measured behaviour of version 1.0."""

    def __init__(self, crate: Crate | None = None) -> None:
        """Prepare a server without rows, in front of a database."""
        super().__init__()
        self.crate = crate or Crate()
        self.rows: list[tuple[str, int, dict[str, Any]]] = []
        """Id, time and stored values of each row; names are in lower case."""
        self.lost: list[dict[str, Any]] = []
        """Rows of which only the original is kept: a value did not fit its column."""
        self.headers: list[tuple[str, str]] = []
        """Tenant and service path of each notification."""
        self.refuse: Callable[[dict[str, Any]], bool] = lambda entity: False
        self.database_is_down = False

    def routes(self) -> None:
        """Add the routes of the server."""
        self.app.router.add_get("/version", self._version)
        self.app.router.add_post("/v2/notify", self._notify)
        self.app.router.add_get("/v2/entities/{id}", self._entity)

    @property
    def times(self) -> list[int]:
        """Return the time index of all rows in the order of arrival."""
        return [time for _, time, _ in self.rows]

    @property
    def cut(self) -> list[tuple[str, Any, Any]]:
        """Return what the columns took off the values of all tables."""
        return [cut for table in self.crate.tables.values() for cut in table.cut]

    async def _version(self, request: web.Request) -> web.Response:
        return web.json_response({"version": "1.0.0"})

    async def _notify(self, request: web.Request) -> web.Response:
        body = parsed(await request.read())
        if self.database_is_down:
            raise Refusal(500, "InternalError", "the database does not answer")
        service = request.headers.get("Fiware-Service", "")
        self.headers.append((service, request.headers.get("Fiware-ServicePath", "")))
        for entity in body["data"]:
            if self.refuse(entity):
                raise Refusal(400, "BadRequest", "this one is not liked")
            for name, attribute in entity.items():
                if name in ("id", "type"):
                    continue
                if not isinstance(attribute, dict) or "value" not in attribute:
                    raise Refusal(500, "InternalError", "keyValues")
                if attribute["type"] == "Relationship":
                    raise Refusal(500, "InternalError", "Relationship with a value")
        for entity in body["data"]:
            self._insert(table_name(service, entity["type"]), entity)
        return self.answered(
            request, web.json_response({"status": "Notification processed"})
        )

    def _insert(self, name: str, entity: dict[str, Any]) -> None:
        """Store a row, after the columns QuantumLeap's own notes have no word of."""
        attributes = {n: a for n, a in entity.items() if n not in ("id", "type")}
        if self.crate.metadata is None:
            self.crate.metadata = {}
        is_new = name not in self.crate.metadata
        known = self.crate.metadata.setdefault(name, {})
        wanted = {n: a for n, a in attributes.items() if n.lower() not in known}
        known.update({n.lower(): [n, a["type"]] for n, a in wanted.items()})
        if is_new and name in self.crate.tables:
            # "create table if not exists" leaves one that is there as it is.
            wanted = {}
        table = self.crate.tables.setdefault(name, Table())
        for attribute, content in wanted.items():
            if attribute.lower() in table.columns:
                # Its notes are stored before the failure: the next one goes through.
                raise Refusal(500, "InternalError", f"column {attribute} is there")
            value = content["value"]
            kind = QUANTUMLEAP_TYPES.get(content["type"], "TEXT")
            if content["type"] == "StructuredValue" and isinstance(value, list):
                kind = "ARRAY(TEXT)"
            table.columns[attribute.lower()] = Column(kind)
        try:
            table.insert({n.lower(): a["value"] for n, a in attributes.items()})
        except Misfit:
            self.lost.append(entity)
            return
        time = milliseconds(entity["TimeInstant"]["value"])
        self.rows.append((entity["id"], time, table.rows[-1]))

    async def _entity(self, request: web.Request) -> web.Response:
        if self.database_is_down:
            raise Refusal(500, "InternalError", "the database does not answer")
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

"""Test CrateDB: the types its columns have, and what they make of a value.

It reads the statements that create tables, and knows what CrateDB does where nothing was
declared: QuantumLeap's types for columns, and a guess for each new member of an object.
"""

from dataclasses import dataclass, field
import re
import struct
from typing import Any

from aiohttp import web
from cratedb_sqlparse import sqlparse

from tests.support.ngsi.loopback import Loopback, Refusal, milliseconds

QUANTUMLEAP_TYPES = {
    "Number": "REAL",
    "DateTime": "TIMESTAMPTZ",
    "Text": "TEXT",
    "StructuredValue": "OBJECT",
    "geo:json": "GEO_SHAPE",
    "Boolean": "BOOLEAN",
}
"""Column types of QuantumLeap 1.0, by the type of an NGSI attribute."""

ALIASES = {
    "DOUBLE PRECISION": "DOUBLE",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ",
    "STRING": "TEXT",
    "VARCHAR": "TEXT",
}


class Misfit(Exception):
    """Value that its column does not take."""


@dataclass
class Column:
    """Type of a column, and of the members of an object."""

    kind: str
    members: dict[str, Column] = field(default_factory=dict)


def guess(value: Any) -> Column:
    """Return the column CrateDB makes for a new member of a dynamic object."""
    if isinstance(value, bool):
        return Column("BOOLEAN")
    if isinstance(value, int):
        return Column("BIGINT")
    if isinstance(value, float):
        return Column("DOUBLE")
    if isinstance(value, dict):
        return Column("OBJECT")
    return Column("TEXT")


@dataclass
class Table:
    """Table with its columns, rows, and the values that lost something on their way in."""

    columns: dict[str, Column] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    cut: list[tuple[str, Any, Any]] = field(default_factory=list)
    """Path, value and what was stored of it."""

    def insert(self, row: dict[str, Any]) -> None:
        """Store a row as its columns make it; raises Misfit for a value none takes."""
        stored = {}
        for name, value in row.items():
            if (column := self.columns.get(name)) is None:
                raise Misfit(f"no column {name}")
            stored[name] = self._stored(name, column, value)
        self.rows.append(stored)

    def _stored(self, path: str, column: Column, value: Any) -> Any:
        if value is None:
            return None
        if column.kind == "OBJECT":
            if not isinstance(value, dict):
                raise Misfit(path)
            return {
                key: self._stored(
                    f"{path}.{key}", column.members.setdefault(key, guess(inner)), inner
                )
                for key, inner in value.items()
            }
        if column.kind in ("BIGINT", "DOUBLE", "REAL"):
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise Misfit(path)
            kept: float = value
            if column.kind == "BIGINT":
                kept = int(value)
            elif column.kind == "DOUBLE":
                kept = float(value)
            else:
                kept = struct.unpack("f", struct.pack("f", value))[0]
            # A real has 24 bits: what is beyond a thousandth of a unit is lost.
            if abs(kept - value) > 0.0005:
                self.cut.append((path, value, kept))
            return kept
        if column.kind == "TIMESTAMPTZ":
            return milliseconds(value) if isinstance(value, str) else value
        return value


class Crate(Loopback):
    """CrateDB's HTTP endpoint, as far as a start of the stack needs it."""

    def __init__(self) -> None:
        """Prepare a database without tables."""
        super().__init__()
        self.tables: dict[str, Table] = {}
        self.metadata: dict[str, dict[str, list[str]]] | None = None
        """QuantumLeap's notes on the attributes of each table, None without the table."""

    def routes(self) -> None:
        """Add the route of SQL statements."""
        self.app.router.add_post("/_sql", self._sql)

    async def _sql(self, request: web.Request) -> web.Response:
        body = await request.json()
        try:
            self.execute(body["stmt"], body.get("args", []))
        except Misfit as error:
            raise Refusal(400, "SQLParseException", str(error)) from None
        return web.json_response({"cols": [], "rows": [], "rowcount": 1})

    def execute(self, statement: str, arguments: list[Any]) -> None:
        """Run a statement; raises Misfit for one CrateDB's grammar does not know."""
        try:
            sqlparse(statement, raise_exception=True)
        except Exception as error:
            raise Misfit(str(error)) from error
        words = " ".join(statement.split())
        if made := re.match(
            r"CREATE TABLE IF NOT EXISTS (\S+) \((.*)\) WITH \(.*\)$",
            words,
            re.IGNORECASE,
        ):
            name, columns = made.groups()
            if name == "md_ets_metadata":
                self.metadata = self.metadata or {}
            else:
                self.tables.setdefault(name, Table(_columns(columns)))
            return
        if re.match(
            r"INSERT INTO md_ets_metadata .* DO NOTHING$", words, re.IGNORECASE
        ):
            if self.metadata is None:
                raise Misfit("Relation 'md_ets_metadata' unknown")
            table, attributes = arguments
            self.metadata.setdefault(table, attributes)
            return
        raise Misfit(f"not understood here: {words[:80]}")


def _columns(text: str) -> dict[str, Column]:
    """Return the columns of a list of definitions."""
    columns = {}
    for part in _split(text):
        name, _, kind = part.strip().partition(" ")
        kind = kind.strip()
        if inner := re.match(r"OBJECT\(DYNAMIC\) AS \((.*)\)$", kind, re.IGNORECASE):
            column = Column("OBJECT", _columns(inner[1]))
        else:
            kind = re.sub(r"\(DYNAMIC\)", "", kind.upper())
            column = Column(ALIASES.get(kind, kind))
        columns[name.strip('"')] = column
    return columns


def _split(text: str) -> list[str]:
    """Return the parts of a list between its outermost commas."""
    parts, depth, start = [], 0, 0
    for place, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and not depth:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]

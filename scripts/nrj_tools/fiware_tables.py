"""Write the statements that declare the history's tables before the first row.

CrateDB takes the type of a column from its first value, and Orion writes 0.0 as 0: what
begins at zero would be cut to whole numbers for ever. QuantumLeap keeps notes of its own
on the columns it has made; they are written too, or it would make ours a second time.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import json
from pathlib import Path
import sys
from typing import Any

from custom_components.nrj_monitor.catalog import CHANNELS, Channel
from custom_components.nrj_monitor.ngsi.mapping import Api, Mapper, NgsiEntity
from custom_components.nrj_monitor.ngsi.models import Model
from custom_components.nrj_monitor.ngsi.sample import Sample
from custom_components.nrj_monitor.ngsi.supply_events import event_sample
from custom_components.nrj_monitor.ngsi.wiring import measures_between_phases
from custom_components.nrj_monitor.power_quality.event import PowerQualityEvent

FILE = Path(__file__).parents[2] / "deploy" / "fiware" / "provision" / "tables.jsonl"

SERVICE = "@SERVICE@"
"""Stands for the tenant, in lower case, in the statements."""

MOST_FIELDS = 3000
"""Columns and members of objects a table may have; CrateDB's default is 1000."""

COLUMN_TYPES = {
    "Number": "DOUBLE PRECISION",
    "DateTime": "TIMESTAMP WITH TIME ZONE",
    "Text": "TEXT",
    "geo:json": "GEO_SHAPE",
}
MEMBER_TYPES = {bool: "BOOLEAN", float: "DOUBLE PRECISION", str: "TEXT"}

OWN_COLUMNS = {
    "entity_id": "TEXT",
    "entity_type": "TEXT",
    "time_index": "TIMESTAMP WITH TIME ZONE",
    "fiware_servicepath": "TEXT",
    "__original_ngsi_entity__": "OBJECT(DYNAMIC)",
    "instanceid": "TEXT",
}
"""Columns QuantumLeap 1.0 gives each table."""

OWN_NOTES = {
    "entity_type": ["type", "Text"],
    "entity_id": ["id", "Text"],
    "time_index": ["time_index", "DateTime"],
}

METADATA = (
    "CREATE TABLE IF NOT EXISTS md_ets_metadata"
    " (table_name TEXT PRIMARY KEY, entity_attrs OBJECT(DYNAMIC))"
    " WITH (number_of_replicas = '0-1', column_policy = 'dynamic')"
)
"""QuantumLeap's table of notes."""


def requests() -> Iterator[dict[str, Any]]:
    """Return the bodies of the requests to CrateDB's HTTP endpoint, in their order."""
    yield {"stmt": METADATA}
    for model in Model:
        attributes = declared(model)
        table = f'"mt{SERVICE}"."et{model.value.lower()}"'
        notes = {name.lower(): [name, kind] for name, (kind, _) in attributes.items()}
        yield {
            "stmt": "INSERT INTO md_ets_metadata (table_name, entity_attrs)"
            " VALUES (?, ?) ON CONFLICT (table_name) DO NOTHING",
            "args": [table, OWN_NOTES | notes],
        }
        columns = OWN_COLUMNS | {
            name.lower(): column for name, (_, column) in attributes.items()
        }
        listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        yield {
            "stmt": f"CREATE TABLE IF NOT EXISTS {table} ({listed})"
            " WITH (number_of_replicas = '0-1', column_policy = 'strict',"
            f' "mapping.total_fields.limit" = {MOST_FIELDS})'
        }


def declared(model: Model) -> dict[str, tuple[str, str]]:
    """Return the NGSI type and the column of each attribute an entity may ever have."""
    kinds: dict[str, str] = {}
    members: dict[str, dict[str, str] | None] = {}
    for entity in _entities(model):
        for name, attribute in entity.items():
            if name in ("id", "type"):
                continue
            kinds[name] = attribute["type"]
            value = attribute["value"]
            if attribute["type"] != "StructuredValue":
                continue
            if isinstance(value, list):
                members[name] = None
                continue
            known = members.setdefault(name, {})
            assert known is not None
            known |= {key: MEMBER_TYPES[type(inner)] for key, inner in value.items()}
    return {name: (kind, _column(name, kind, members)) for name, kind in kinds.items()}


def _column(
    name: str, kind: str, members: Mapping[str, Mapping[str, str] | None]
) -> str:
    if kind != "StructuredValue":
        return COLUMN_TYPES[kind]
    if (inner := members[name]) is None:
        return "ARRAY(TEXT)"
    listed = ", ".join(f'"{key}" {type_}' for key, type_ in inner.items())
    return f"OBJECT(DYNAMIC) AS ({listed})"


def _entities(model: Model) -> Iterator[Mapping[str, Any]]:
    """Return entities that have every attribute and member between them."""
    entity = NgsiEntity(
        id="urn:m:1",
        model=model,
        name="m",
        ref_device="urn:d:1",
        latitude=1.5,
        longitude=1.5,
        metering_started=0,
    )
    now = datetime.fromtimestamp(0, UTC)
    event = event_sample(
        PowerQualityEvent(
            boot="a",
            number=1,
            kind="dip",
            phase="L1",
            started=now,
            duration=timedelta(seconds=1.5),
            extreme=1.5,
            unit="V",
            estimated=False,
            ongoing=False,
        )
    )
    for channels in _meters():
        lines = measures_between_phases(channels)
        mapper = Mapper(replace(entity, line_voltages=lines), channels, Api.V2)
        # What is beyond the limits of a model has an attribute of its own.
        for value in (0.5, 150.5):
            values = {channel.id: value for channel in channels}
            if (
                found := mapper.entity(Sample(0, {**values, **event.values}))
            ) is not None:
                yield found


def _meters() -> Iterator[tuple[Channel, ...]]:
    """Return the channels of meters of every kind of attributes."""
    yield tuple(CHANNELS.values())
    # Without the fundamental's, reactive power is the one with harmonics.
    yield tuple(c for c in CHANNELS.values() if "fundamental" not in c.id)
    # Without a neutral, voltages are those between two phases.
    yield tuple(
        c
        for c in CHANNELS.values()
        if (c.id.startswith("voltage") and "angle" not in c.id)
        or c.id in ("current_l1", "current_l3", "active_power")
    )


def text() -> str:
    """Return the content of the file: a request a line."""
    return "".join(json.dumps(request) + "\n" for request in requests())


def main() -> int:
    """Write the file."""
    FILE.write_text(text())
    return 0


if __name__ == "__main__":
    sys.exit(main())

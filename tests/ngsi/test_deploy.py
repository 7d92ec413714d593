"""Files of deploy/fiware, checked by the grammars and schemas of their programs.

There is no container engine here, so nothing proves that the images exist, that their
health checks pass or that the containers find each other. What is checked instead says
with each test what it does not prove.
"""

import asyncio
from datetime import UTC, datetime, timedelta
import importlib.util
import json
from pathlib import Path
import re
import shutil
import subprocess
from typing import Any

from cratedb_sqlparse import sqlparse
import duckdb
from grafana_foundation_sdk.models.dashboard import Dashboard
from jsonschema import Draft202012Validator
import pytest
import yaml

from custom_components.nrj_monitor.catalog import CHANNELS
from custom_components.nrj_monitor.ngsi.mapping import Api, Mapper, NgsiEntity
from custom_components.nrj_monitor.ngsi.sample import Sample
from custom_components.nrj_monitor.ngsi.supply_events import event_sample
from custom_components.nrj_monitor.power_quality.event import PowerQualityEvent
from tests.support.ngsi import NgsiV2

ROOT = Path(__file__).parents[2]
FIWARE = ROOT / "deploy" / "fiware"
COMPOSE: dict[str, Any] = yaml.safe_load((FIWARE / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
BOARDS = sorted((FIWARE / "grafana" / "dashboards").glob("*.json"))
ALERTS = FIWARE / "grafana" / "provisioning" / "alerting" / "supply.yaml"
BEGIN = 1_790_000_000_000 // 3_600_000 * 3_600_000
"""A whole hour."""
EVENTS = tuple(
    event_sample(
        PowerQualityEvent(
            boot="a1",
            number=number,
            kind=kind,
            phase="L1",
            started=datetime.fromtimestamp(BEGIN / 1000, UTC) + timedelta(hours=number),
            duration=timedelta(milliseconds=20),
            extreme=extreme,
            unit="V",
            estimated=False,
            ongoing=False,
        )
    )
    for number, (kind, extreme) in enumerate((("dip", 180.0), ("swell", 260.0)))
)
MEMBERS = {float: "DOUBLE", str: "VARCHAR", bool: "BOOLEAN"}


def compose_schema() -> dict[str, Any]:
    """Return the schema of the Compose Specification."""
    spec = importlib.util.find_spec("check_jsonschema")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "builtin_schemas" / "vendor"
    schema: dict[str, Any] = json.loads((folder / "compose-spec.json").read_text())
    return schema


def test_the_compose_file_is_valid() -> None:
    """Validate the file by the specification's schema, without an engine."""
    validator = Draft202012Validator(compose_schema())
    assert [error.message for error in validator.iter_errors(COMPOSE)] == []
    assert list(validator.iter_errors({"services": {"a": {"imagee": "b"}}}))


def test_images_are_pinned_and_dependencies_wait_for_health() -> None:
    """Pin an exact version of each image; no image is pulled."""
    for name, service in SERVICES.items():
        assert re.fullmatch(r"[\w/-]+:\d+\.\d+\.\d+", service["image"]), name
        assert ("healthcheck" in service) is (name != "provision"), name
        for needed, how in service.get("depends_on", {}).items():
            assert how["condition"] == "service_healthy"
            assert "healthcheck" in SERVICES[needed]
    assert {name for name, s in SERVICES.items() if "profiles" in s} == {
        "mongo-ld",
        "orion-ld",
    }


def test_ports_are_local_and_no_secret_is_written() -> None:
    """Bind ports to the loopback address by default."""
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert len(ports) == 4
    assert all(port.startswith("${BIND:-127.0.0.1}:") for port in ports)
    for service in SERVICES.values():
        for variable in service.get("environment", {}):
            assert not re.search("PASSWORD|SECRET|TOKEN|KEY", variable), variable
    assert "BIND=127.0.0.1" in (FIWARE / ".env.example").read_text()


def test_lasting_data_is_in_a_volume() -> None:
    """Keep each database and Grafana in a volume; use every named volume."""
    used = {
        mount.split(":")[0]
        for service in SERVICES.values()
        for mount in service.get("volumes", ())
        if not mount.startswith(".")
    }
    assert used == set(COMPOSE["volumes"])
    for service in SERVICES.values():
        for mount in service.get("volumes", ()):
            if mount.startswith("."):
                assert (FIWARE / mount.split(":")[0]).exists()


async def test_the_provisioning_subscribes_once(orion: NgsiV2, tmp_path: Path) -> None:
    """Run the real script against the strict test broker; not against a real Orion."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    for expected in ("subscribed", "subscribed already"):
        process = await asyncio.create_subprocess_exec(
            "sh",
            str(FIWARE / "provision" / "subscribe.sh"),
            env={
                "PATH": "/usr/bin:/bin",
                "BROKER": orion.url,
                "NOTIFY": "http://quantumleap:8668/v2/notify",
                "SERVICE": "nrj",
                "SERVICE_PATH": "/",
                "TYPES": "ThreePhaseAcMeasurement SolarEnergy",
            },
            stdout=subprocess.PIPE,
        )
        output, _ = await process.communicate()
        assert process.returncode == 0
        assert output.decode().splitlines() == [
            f"ThreePhaseAcMeasurement: {expected}",
            f"SolarEnergy: {expected}",
        ]
    made = orion.tenants["nrj", "/"].subscriptions
    assert len(made) == 2


def queries() -> list[tuple[str, str]]:
    """Return every SQL query with its place."""
    found = []
    for board in BOARDS:
        content = json.loads(board.read_text())
        found += [
            (f"{board.stem}: {panel['title']}", target["rawSql"])
            for panel in content["panels"]
            for target in panel["targets"]
        ]
        found += [
            (f"{board.stem}: ${variable['name']}", variable["query"])
            for variable in content["templating"]["list"]
            if variable["type"] == "query"
        ]
    rules = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
    found += [(rule["title"], rule["data"][0]["model"]["rawSql"]) for rule in rules]
    return found


QUERIES = dict(queries())


def filled(sql: str, bucket: str = "1 minute") -> str:
    """Return SQL in Grafana's final form: macros and variables replaced."""
    return (
        sql.replace(
            "$__timeFilter(time_index)",
            "time_index BETWEEN '2026-01-01T00:00:00Z' AND '2026-12-31T00:00:00Z'",
        )
        .replace("$meter", "urn:m:1")
        .replace("$bucket", bucket)
    )


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_parses_by_the_grammar_of_cratedb(name: str) -> None:
    """Parse queries by CrateDB's grammar; its planner is not tested."""
    parsed = sqlparse(filled(QUERIES[name]), raise_exception=True)
    assert len(parsed) == 1
    assert "$" not in filled(QUERIES[name])


def test_the_grammar_of_cratedb_refuses_errors() -> None:
    """Refuse an invalid query."""
    with pytest.raises(Exception, match=r"mismatched|extraneous|no viable|missing"):
        sqlparse("SELECT FROM WHERE", raise_exception=True)


@pytest.fixture(scope="module")
def database() -> duckdb.DuckDBPyConnection:
    """Return a database with the table QuantumLeap makes of forwarded entities.

    Two hours, a sample each ten seconds: L1 draws 1200 W all the time, the voltage of L2
    dips once, one wild power is measured.
    """
    readings: dict[str, float] = {}
    for channel in CHANNELS.values():
        if channel.quantity.order is None:
            readings[channel.id] = 0.0
    mapper = Mapper(NgsiEntity(id="urn:m:1"), [CHANNELS[i] for i in readings], Api.V2)
    rows = []
    for n in range(720):
        values = readings | {f"voltage_l{p}": 230.0 for p in (1, 2, 3)}
        values |= {
            "active_power_l1": 1200.0,
            "active_power": 1200.0 if n != 400 else 99000.0,
            "import_energy_l1": 5.0 + 1.2 * (n + 1) / 360,
            "import_energy": 5.0 + 1.2 * (n + 1) / 360,
            "frequency": 50.0 + 0.01 * (n % 3),
            "voltage_unbalance": 0.5,
            "voltage_thd_l1": 2.0,
        }
        if n == 100:
            values["voltage_l2"] = 180.0
        if n >= 200:
            # A broker notifies of all attributes: each row tells the latest event again.
            values |= EVENTS[n // 600].values
        entity = mapper.entity(Sample(BEGIN + 10_000 * n, values))
        assert entity is not None
        rows.append(entity)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    columns = {
        name.lower(): attribute
        for name, attribute in rows[-1].items()
        if name not in ("id", "type", "TimeInstant")
    }
    kinds = {"Number": "DOUBLE", "DateTime": "TIMESTAMPTZ", "Text": "VARCHAR"}

    def kind(attribute: dict[str, Any]) -> str:
        if attribute["type"] != "StructuredValue":
            return kinds[attribute["type"]]
        members = ", ".join(
            f'"{key}" {MEMBERS[type(value)]}'
            for key, value in attribute["value"].items()
        )
        return f"STRUCT({members})"

    described = ", ".join(f"{name} {kind(a)}" for name, a in columns.items())
    connection.execute(
        "CREATE TABLE etthreephaseacmeasurement (entity_id VARCHAR,"
        f" time_index TIMESTAMPTZ, {described})"
    )
    marks = ", ".join("?" for _ in columns)
    connection.executemany(
        f"INSERT INTO etthreephaseacmeasurement VALUES (?, ?, {marks})",  # noqa: S608
        [
            [
                row["id"],
                row["TimeInstant"]["value"],
                *(
                    row.get(name, {}).get("value")
                    for name in rows[-1]
                    if name not in ("id", "type", "TimeInstant")
                ),
            ]
            for row in rows
        ],
    )
    # Two of CrateDB's functions under another name here.
    connection.execute("CREATE MACRO date_bin(i, t, o) AS time_bucket(i, t, o)")
    connection.execute("CREATE MACRO percentile(x, p) AS quantile_cont(x, p)")
    return connection


@pytest.mark.parametrize("name", QUERIES)
def test_a_real_engine_runs_every_query(
    database: duckdb.DuckDBPyConnection, name: str
) -> None:
    """Run each query in DuckDB, whose types differ from CrateDB's."""
    assert database.execute(filled(QUERIES[name])).fetchall()


def test_queries_return_the_numbers_of_the_fixture(
    database: duckdb.DuckDBPyConnection,
) -> None:
    """Compare results with numbers worked out by hand from the fixture."""

    def run(name: str, bucket: str = "1 hour") -> list[tuple[Any, ...]]:
        return database.execute(filled(QUERIES[name], bucket)).fetchall()

    # 1.2 kW for an hour; the first hour has nothing before it to be measured against.
    assert run("energy: Import per hour")[0][1] is None
    assert run("energy: Import per hour")[1][1] == pytest.approx(1.2, abs=0.001)
    # One wild value is the maximum, and moves neither median nor percentiles.
    assert run("intervals: Maximum")[1][1] == 99000.0
    assert run("intervals: Without outliers")[1][1:] == (1200.0, 1200.0, 1200.0)
    assert run("intervals: Cumulative")[-1][1] == pytest.approx(1.2, abs=0.001)
    assert run("power-quality: Time within the band")[0] == (
        100.0,
        pytest.approx(100 * 719 / 720),
        100.0,
    )
    (outside,) = run("power-quality: Measurements outside the band")
    assert outside[2] == 180.0
    assert outside[-1] == "dip"
    assert run("power-quality: Events") == [
        ("2026-09-21T15:00:00.000Z", "swell", "L1", 0.02, 260.0, False),
        ("2026-09-21T14:00:00.000Z", "dip", "L1", 0.02, 180.0, False),
    ]
    histogram = run("power-quality: Frequency histogram")
    assert [count for _, count in histogram] == [240, 240, 240]
    assert run("Voltage too low") == [(180.0,)]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.stem)
def test_every_dashboard_fits_the_model_of_grafana(board: Path) -> None:
    """Read dashboards with Grafana's SDK; their looks are not tested."""
    content = json.loads(board.read_text())
    read = Dashboard.from_json(content)
    assert read.title == content["title"]
    assert read.panels is not None
    assert len(read.panels) == len(content["panels"])
    ids = [panel["id"] for panel in content["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in content["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert panel["datasource"]["uid"] == "nrj-crate"


def test_dashboards_and_alerts_name_the_provisioned_data_source() -> None:
    """Name the data source by its uid; mount the folder of the dashboards."""
    provisioning = FIWARE / "grafana" / "provisioning"
    (source,) = yaml.safe_load(
        (provisioning / "datasources" / "crate.yaml").read_text()
    )["datasources"]
    assert source["uid"] == "nrj-crate"
    assert source["url"].split(":")[0] in SERVICES
    (provider,) = yaml.safe_load(
        (provisioning / "dashboards" / "nrj.yaml").read_text()
    )["providers"]
    assert any(
        provider["options"]["path"] in mount for mount in SERVICES["grafana"]["volumes"]
    )
    rules = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
    assert len({rule["uid"] for rule in rules}) == 4
    for rule in rules:
        first, second = rule["data"]
        assert first["datasourceUid"] == "nrj-crate"
        assert second["model"]["expression"] == first["refId"]
        assert rule["condition"] == second["refId"]

"""Files of deploy/fiware, checked by the grammars and schemas of their programs.

There is no container engine here, so nothing proves that the images exist, that their
health checks pass or that the containers find each other. What is checked instead says
with each test what it does not prove.
"""

import asyncio
from collections.abc import Iterable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import cache
import importlib.util
import json
from pathlib import Path
import re
import shutil
import subprocess
import tempfile
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import ClientSession
from cratedb_sqlparse import sqlparse
import duckdb
from grafana_foundation_sdk.models.dashboard import Dashboard
from jsonschema import Draft202012Validator
import pytest
import yaml

from custom_components.nrj_monitor.catalog import CHANNELS, Channel
from custom_components.nrj_monitor.ngsi.auth import StaticAuth
from custom_components.nrj_monitor.ngsi.broker import V2Broker, dump
from custom_components.nrj_monitor.ngsi.http import Server
from custom_components.nrj_monitor.ngsi.mapping import Api, Mapper, NgsiEntity
from custom_components.nrj_monitor.ngsi.sample import Sample
from custom_components.nrj_monitor.ngsi.subscription import subscription
from custom_components.nrj_monitor.ngsi.supply_events import event_sample
from custom_components.nrj_monitor.ngsi.wiring import measures_between_phases
from custom_components.nrj_monitor.power_quality.event import PowerQualityEvent
from nrj_tools import fiware_tables
from tests.support.ngsi import NgsiV2, QuantumLeapServer
from tests.support.ngsi.crate import Column, Crate, Table
from tests.support.ngsi.loopback import as_orion_writes

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


ENTRYPOINTS = {
    "fiware/orion": ["-fg", "-multiservice", "-disableFileLog"],
    "fiware/orion-ld": ["-fg", "-multiservice", "-disableFileLog"],
}
"""What an image's own command line has before the words of the compose file."""


def started(image: str, command: str) -> list[str]:
    """Return a program's arguments; raises ValueError for one that it ends with.

    Orion was seen to print its usage and end where an option is given twice.
    """
    arguments = [*ENTRYPOINTS[image.split(":", maxsplit=1)[0]], *command.split()]
    options = [word for word in arguments if word.startswith("-")]
    if twice := {option for option in options if options.count(option) > 1}:
        raise ValueError(f"usage: {twice} is given twice")
    return arguments


@pytest.mark.parametrize("name", ["orion", "orion-ld"])
def test_brokers_start_after_a_power_cut_and_keep_tenants_apart(name: str) -> None:
    """Give no option twice; keep no file of a process over a restart."""
    service = SERVICES[name]
    assert "-multiservice" in started(service["image"], service["command"])
    with pytest.raises(ValueError, match="usage"):
        started(service["image"], f"{service['command']} -multiservice")
    # Its pid file, with which it would not start again.
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108


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


async def run(script: str, **environment: str) -> list[str]:
    """Run a script of the one-shot container; return its lines."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    process = await asyncio.create_subprocess_exec(
        "sh",
        str(FIWARE / "provision" / script),
        env={"PATH": "/usr/bin:/bin", **environment},
        stdout=subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output.decode().splitlines()


async def provision(orion: NgsiV2, notify: str, service: str = "nrj") -> list[str]:
    """Run the script that subscribes QuantumLeap."""
    return await run(
        "subscribe.sh",
        BROKER=orion.url,
        NOTIFY=notify,
        SERVICE=service,
        SERVICE_PATH="/",
        TYPES="ThreePhaseAcMeasurement SolarEnergy",
    )


async def test_the_provisioning_subscribes_once(orion: NgsiV2) -> None:
    """Run the real script against the strict test broker; not against a real Orion."""
    for expected in ("subscribed", "subscribed already"):
        assert await provision(orion, "http://quantumleap:8668/v2/notify") == [
            f"ThreePhaseAcMeasurement: {expected}",
            f"SolarEnergy: {expected}",
        ]
    assert len(orion.tenants["nrj", "/"].subscriptions) == 2


async def test_another_spelling_of_the_address_is_no_second_subscription(
    orion: NgsiV2,
) -> None:
    """Find a subscription by what it notifies of, not by the name of the host."""
    async with ClientSession() as session:
        client = V2Broker(Server(session, orion.url, StaticAuth(), headers=NRJ))
        await client.subscribe(
            subscription("ThreePhaseAcMeasurement", "http://10.0.0.5:8668/v2/notify")
        )
        await client.subscribe(subscription("SolarEnergy", "http://10.0.0.5/other"))
    assert await provision(orion, "http://quantumleap:8668/v2/notify") == [
        "ThreePhaseAcMeasurement: subscribed already",
        "SolarEnergy: subscribed",
    ]


NRJ = {"Fiware-Service": "nrj", "Fiware-ServicePath": "/"}


@pytest.mark.parametrize("declared", [True, False])
async def test_what_begins_at_zero_keeps_its_fraction(
    orion: NgsiV2, declared: bool
) -> None:
    """Send 0.0 and then 0.734 kWh through the stack; without the tables it is cut."""
    mapper = Mapper(NgsiEntity(id="urn:m:1"), CHANNELS.values(), Api.V2)
    async with (
        Crate() as crate,
        QuantumLeapServer(crate) as quantumleap,
        ClientSession() as session,
    ):
        if declared:
            assert await run("tables.sh", CRATE=crate.url, SERVICE="NRJ") == [
                "tables: declared"
            ]
        await provision(orion, f"{quantumleap.url}/v2/notify")
        client = V2Broker(Server(session, orion.url, StaticAuth(), headers=NRJ))
        for n, energy in enumerate((0.0, 0.734, 16_777.218)):
            values = {"import_energy_l1": energy, "import_energy": energy}
            if n == 2:
                values |= EVENTS[0].values
            entity = mapper.entity(Sample(BEGIN + 1000 * n, values))
            await client.deliver(client.payload([dump(entity)]))
            await orion.notified()
        rows = crate.tables['"mtnrj"."etthreephaseacmeasurement"'].rows
        stored = [row["activeenergyimport"]["L1"] for row in rows]
        totals = [row["totalactiveenergyimport"] for row in rows]
        # The tenant is in lower case, whatever it is in the settings.
        assert set(quantumleap.headers) == {("nrj", "/")}
        assert quantumleap.lost == []
    if declared:
        assert stored == totals == [0.0, 0.734, 16_777.218]
        assert quantumleap.cut == []
    else:
        assert stored == [0, 0, 16_777]
        assert totals[2] != 16_777.218
        assert len(quantumleap.cut) == 3


async def test_tables_that_are_there_are_left_as_they_are(
    socket_enabled: None,
) -> None:
    """Declare them twice, before and after another tenant's."""
    async with Crate() as crate:
        for service in ("nrj", "other", "nrj"):
            await run("tables.sh", CRATE=crate.url, SERVICE=service)
        assert len(crate.tables) == 6
        assert crate.metadata is not None
        assert set(crate.metadata) == set(crate.tables)


def test_the_declared_tables_are_those_of_the_models() -> None:
    """Compare the file with the mapping: `python -m nrj_tools.fiware_tables` writes it."""
    assert fiware_tables.FILE.read_text() == fiware_tables.text()


def test_grafana_reads_the_schema_of_an_upper_case_tenant(tmp_path: Path) -> None:
    """Run the container's command with a program that shows what it is given."""
    shell, option, script = SERVICES["grafana"]["entrypoint"]
    program = tmp_path / "run.sh"
    program.write_text('#!/bin/sh\nprintf %s "$FIWARE_SERVICE"\n')
    program.chmod(0o755)
    # A doubled dollar is the compose file's way of writing one.
    script = script.replace("$$", "$").replace("/run.sh", str(program))
    shown = subprocess.run(
        [shell, option, script],
        env={"PATH": "/usr/bin:/bin", "FIWARE_SERVICE": "House_A"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "house_a"


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


def filled(
    sql: str, bucket: str = "1 minute", zone: str = "UTC", nominal: int = 230
) -> str:
    """Return SQL in Grafana's final form: macros and variables replaced."""
    return (
        sql.replace("$__timezone", zone)
        .replace("$nominal", str(nominal))
        .replace(
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


@cache
def three_phase_columns() -> dict[str, Column]:
    """Return the columns of the dashboards' table at a start of the stack."""
    crate = Crate()
    for line in fiware_tables.FILE.read_text().splitlines():
        request = json.loads(line.replace(fiware_tables.SERVICE, "nrj"))
        crate.execute(request["stmt"], request.get("args", []))
    return crate.tables['"mtnrj"."etthreephaseacmeasurement"'].columns


KINDS = {
    "DOUBLE": "DOUBLE",
    "TIMESTAMPTZ": "TIMESTAMPTZ",
    "TEXT": "VARCHAR",
    "BOOLEAN": "BOOLEAN",
    "GEO_SHAPE": "VARCHAR",
    "ARRAY(TEXT)": "VARCHAR[]",
}
"""DuckDB's types for those of CrateDB."""


JSON_KINDS = {"TIMESTAMPTZ": "BIGINT"}
"""Types in the file of rows, where they differ: a time is in milliseconds."""


def kind_of(column: Column) -> str:
    """Return DuckDB's type of a column."""
    if column.kind != "OBJECT":
        return KINDS[column.kind]
    members = column.members or {"none": Column("TEXT")}
    return "STRUCT({})".format(
        ", ".join(f'"{name}" {kind_of(inner)}' for name, inner in members.items())
    )


def engine(
    samples: Iterable[Sample], channels: Iterable[Channel]
) -> duckdb.DuckDBPyConnection:
    """Return a database with the declared table, filled by way of Orion's notation."""
    channels = tuple(channels)
    lines = measures_between_phases(channels)
    mapper = Mapper(NgsiEntity(id="urn:m:1", line_voltages=lines), channels, Api.V2)
    table = Table(deepcopy(three_phase_columns()))
    for sample in samples:
        entity = as_orion_writes(mapper.entity(sample))
        table.insert(
            {"entity_id": entity["id"], "time_index": entity["TimeInstant"]["value"]}
            | {
                n.lower(): a["value"]
                for n, a in entity.items()
                if n not in ("id", "type")
            }
        )
    # What CrateDB would cut is refused here.
    assert table.cut == []
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    columns = ", ".join(f'"{n}" {kind_of(c)}' for n, c in table.columns.items())
    connection.execute(f"CREATE TABLE etthreephaseacmeasurement ({columns})")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        for row in table.rows:
            # A shape is an object in CrateDB and a text here.
            place = row.get("location")
            shown = row | ({"location": json.dumps(place)} if place else {})
            file.write(json.dumps(shown) + "\n")
        file.flush()
        kinds = {
            n: JSON_KINDS.get(c.kind, kind_of(c)) for n, c in table.columns.items()
        }
        select = ", ".join(
            f'make_timestamptz("{n}" * 1000) AS "{n}"'
            if c.kind == "TIMESTAMPTZ"
            else f'"{n}"'
            for n, c in table.columns.items()
        )
        if table.rows:
            connection.execute(
                f"INSERT INTO etthreephaseacmeasurement SELECT {select}"  # noqa: S608
                f" FROM read_json('{file.name}', format='newline_delimited',"
                f" columns={kinds})"
            )
    # Functions of CrateDB under another name here; it truncates in a zone as well.
    connection.execute("CREATE MACRO date_bin(i, t, o) AS time_bucket(i, t, o)")
    connection.execute("CREATE MACRO percentile(x, p) AS quantile_cont(x, p)")
    connection.execute(
        "CREATE MACRO local_trunc(part, zone, t) AS"
        " date_trunc(part, t AT TIME ZONE zone) AT TIME ZONE zone"
    )
    return connection


def ask(
    database: duckdb.DuckDBPyConnection,
    name: str,
    bucket: str = "1 minute",
    zone: str = "UTC",
) -> list[tuple[Any, ...]]:
    """Return the rows of a query, with the variables a dashboard asks for first."""
    nominal = database.execute(filled(QUERIES["power-quality: $nominal"])).fetchall()
    sql = filled(QUERIES[name], bucket, zone, nominal[0][0])
    return database.execute(sql.replace("DATE_TRUNC(", "local_trunc(")).fetchall()


def readings(n: int) -> dict[str, float]:
    """Return the n-th readings of a house, one each ten seconds.

    L1 draws 1200 W all the time, the voltage of L2 dips once, one wild power is measured.
    """
    values = {c.id: 0.0 for c in CHANNELS.values() if c.quantity.order is None}
    values |= {f"voltage_l{p}": 230.0 for p in (1, 2, 3)}
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
    return values


@pytest.fixture(scope="module")
def database() -> duckdb.DuckDBPyConnection:
    """Return a database with two hours of a house."""
    return engine(
        (Sample(BEGIN + 10_000 * n, readings(n)) for n in range(720)),
        [CHANNELS[id_] for id_ in readings(0) if id_ in CHANNELS],
    )


@pytest.mark.parametrize("name", QUERIES)
def test_a_real_engine_runs_every_query(
    database: duckdb.DuckDBPyConnection, name: str
) -> None:
    """Run each query in DuckDB, whose types differ from CrateDB's."""
    for bucket in ("1 minute", "1 day", "7 days"):
        assert ask(database, name, bucket)


@pytest.mark.parametrize("name", QUERIES)
def test_every_column_a_query_names_is_declared(name: str) -> None:
    """Find columns and members in the declared table: CrateDB fails on an unknown one."""
    columns = three_phase_columns()
    for column, member in re.findall(r"\b([a-z]+)\['(\w+)'\]", QUERIES[name]):
        assert member in columns[column].members


METERS = {
    "nothing yet": (),
    "single phase": ("voltage_l1", "current_l1", "active_power_l1", "frequency"),
    "split phase": ("voltage_l1", "voltage_l2", "active_power", "frequency"),
    "delta": (
        *(f"voltage_l{n}" for n in (1, 2, 3)),
        *("current_l1", "current_l3", "active_power", "import_energy", "frequency"),
    ),
}
"""Channels of meters that measure no neutral and have seen no event."""


@pytest.fixture(scope="module", params=METERS)
def small(request: pytest.FixtureRequest) -> tuple[str, duckdb.DuckDBPyConnection]:
    """Return a database with a minute of a meter."""
    channels = [CHANNELS[id_] for id_ in METERS[request.param]]
    voltage = {"split phase": 120.0, "delta": 400.0}.get(request.param, 230.0)
    units = {"V": voltage, "Hz": 60.0 if request.param == "split phase" else 50.0}
    values = {c.id: units.get(c.quantity.unit or "", 1.0) for c in channels}
    samples = [Sample(BEGIN + 10_000 * n, values) for n in range(6)]
    return request.param, engine(samples if values else (), channels)


def test_dashboards_and_alerts_work_for_every_meter_from_the_start(
    small: tuple[str, duckdb.DuckDBPyConnection],
) -> None:
    """Run all queries without an event, a neutral, or a phase; sound no false alarm."""
    kind, database = small
    for name in QUERIES:
        ask(database, name, "1 hour")
    voltages = {name: ask(database, f"Voltage too {name}") for name in ("low", "high")}
    if kind == "nothing yet":
        assert voltages == {"low": [], "high": []}
        return
    assert ask(database, "Frequency off") == [("urn:m:1", 0.0)]
    for rows in voltages.values():
        assert rows == [("urn:m:1", pytest.approx(100.0))]
    assert ask(database, "power-quality: Measurements outside the band") == []
    if kind == "split phase":
        assert ask(database, "power-quality: $nominal") == [(120,)]
    if kind == "delta":
        between = ask(database, "live: Between phases")
        assert between[0][1:] == (400.0, 400.0, 400.0)
        assert ask(database, "live: Voltage")[0][1:] == (None, None, None)


@pytest.mark.parametrize("zone", ["utc", "Europe/Zurich"])
def test_days_are_those_of_the_viewer(zone: str) -> None:
    """Begin a day at local midnight, which is 22:00 UTC in a Swiss summer."""
    midnight = datetime(
        2026, 7, 1, tzinfo=ZoneInfo(zone.upper() if zone == "utc" else zone)
    )
    samples = [
        Sample(
            round(midnight.timestamp() * 1000) + hours * 3_600_000,
            {"import_energy_l1": 1.0 + hours, "active_power": 1.0},
        )
        for hours in (-1, 1, 23, 25)
    ]
    database = engine(samples, [CHANNELS["import_energy_l1"], CHANNELS["active_power"]])
    days = ask(database, "energy: Import per day", zone=zone)
    assert [day for day, *_ in days] == [
        midnight + timedelta(days=n) for n in (-1, 0, 1)
    ]
    # From one o'clock to 23 hours: what the middle day gained.
    assert [gained for _, gained, *_ in days] == [None, 24.0, 2.0]
    averages = ask(database, "intervals: Average", "1 day", zone)
    assert [day for day, *_ in averages] == [day for day, *_ in days]


def test_queries_return_the_numbers_of_the_fixture(
    database: duckdb.DuckDBPyConnection,
) -> None:
    """Compare results with numbers worked out by hand from the fixture."""

    def run(name: str, bucket: str = "1 hour") -> list[tuple[Any, ...]]:
        return ask(database, name, bucket)

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
    assert run("Voltage too low") == [("urn:m:1", pytest.approx(100 * 180 / 230))]


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

"""Dashboard for Prometheus, checked against the series of Home Assistant."""

import asyncio
import json
from pathlib import Path
import re

from aiohttp import ClientSession
from grafana_foundation_sdk.models.dashboard import Dashboard
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import prometheus_client
import promql_parser
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import yaml

from nrj_tools.firmware import RunningFirmware
from tests.conftest import AddMeter
from tests.support.pace import patience
from tests.support.prometheus import Prometheus, UnobtainableError, program
from tests.support.skips import skip_for_good
from tests.support.states import state_where

ROOT = Path(__file__).parents[2]
BOARD = json.loads((ROOT / "deploy/prometheus/grafana-dashboard.json").read_text())
EXPRESSIONS = [
    target["expr"] for panel in BOARD["panels"] for target in panel["targets"]
]
BLOCKS = [
    yaml.safe_load(block)
    for block in re.findall(
        r"^```yaml\n(.*?)^```",
        (ROOT / "docs/fiware.md").read_text(),
        re.DOTALL | re.MULTILINE,
    )
]


def filled(expression: str) -> str:
    """Return an expression in Grafana's final form."""
    return expression.replace("${meter}", "nrj_meter").replace("$__interval", "5m")


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_expression_parses_by_the_grammar_of_prometheus(expression: str) -> None:
    """Parse expressions without a server; their results are not tested."""
    promql_parser.parse(filled(expression))
    assert "$" not in filled(expression)


def test_the_grammar_of_prometheus_refuses_errors() -> None:
    """Refuse an invalid expression."""
    with pytest.raises(ValueError, match="unexpected character"):
        promql_parser.parse("rate(x[5m)")


def test_the_dashboard_fits_the_model_of_grafana() -> None:
    """Read the dashboard with Grafana's SDK; its looks are not tested."""
    read = Dashboard.from_json(BOARD)
    assert read.panels is not None
    assert len(read.panels) == len(BOARD["panels"])


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a client registry of its own: the default is the process's."""
    monkeypatch.setattr(
        prometheus_client, "REGISTRY", prometheus_client.CollectorRegistry()
    )


async def metering(hass: HomeAssistant, add_meter: AddMeter, port: int) -> None:
    """Add a meter and the Prometheus integration, configured as in docs/fiware.md."""
    (config,) = (block for block in BLOCKS if "prometheus" in block)
    assert await async_setup_component(hass, "prometheus", config)
    await add_meter(port)
    for entity in ("active_power", "voltage_unbalance", "power_factor_l3"):
        await state_where(
            hass,
            f"sensor.nrj_meter_{entity}",
            lambda state: state.state not in ("unknown", "unavailable"),
            15.0,
        )


async def test_home_assistant_exports_every_series(
    hass: HomeAssistant,
    add_meter: AddMeter,
    firmware: RunningFirmware,
    hass_client: ClientSessionGenerator,
) -> None:
    """Export the series of the live firmware with the documented configuration."""
    await metering(hass, add_meter, firmware.port)
    client = await hass_client()
    async with client.get("/api/prometheus") as response:
        printed = await response.text()
    series = {
        (metric, entity)
        for metric, entity in re.findall(
            r'^(\w+)\{domain="sensor",entity="([\w.]+)"', printed, re.MULTILINE
        )
    }
    wanted = {
        pair
        for expression in EXPRESSIONS
        for pair in re.findall(r'(\w+)\{entity="([\w.]+)"\}', filled(expression))
    }
    assert len(wanted) > 20
    assert wanted - series == set()


async def test_a_real_prometheus_answers_every_panel(
    hass: HomeAssistant,
    add_meter: AddMeter,
    firmware: RunningFirmware,
    *,
    hass_client: ClientSessionGenerator,
    hass_access_token: str,
    session: ClientSession,
    tmp_path: Path,
    unused_tcp_port: int,
) -> None:
    """Scrape once a second with the documented job, and query every panel.

    Not that it does so over days; `increase` over an hour is that of some seconds here.
    """
    try:
        await asyncio.to_thread(program)
    except UnobtainableError as reason:
        skip_for_good(str(reason))
    await metering(hass, add_meter, firmware.port)
    client = await hass_client()
    (config,) = (block for block in BLOCKS if "scrape_configs" in block)
    (job,) = config["scrape_configs"]
    job["authorization"]["credentials"] = hass_access_token
    job["static_configs"][0]["targets"] = [f"127.0.0.1:{client.port}"]
    config["global"] = {"scrape_interval": "1s"}
    async with Prometheus(session, tmp_path, unused_tcp_port, config) as prometheus:
        # `increase` needs two samples.
        async with asyncio.timeout(patience(30)):
            while not await prometheus.query("sum_over_time(up[1m]) >= 2"):
                await asyncio.sleep(0.2)
        answers = {
            expression: await prometheus.query(filled(expression))
            for expression in EXPRESSIONS
        }
    assert {e for e, values in answers.items() if len(values) != 1} == set()

    def shown(part: str) -> list[float]:
        return [values[0] for e, values in answers.items() if part in e]

    assert all(207.0 < volts < 253.0 for volts in shown("voltage_v"))
    assert shown("frequency_hz") == [pytest.approx(50.0, abs=0.5)]
    assert all(-1.0 <= factor <= 1.0 for factor in shown("power_factor"))
    assert all(energy >= 0.0 for energy in shown("increase("))
    (median,), (highest,), (mean,) = map(shown, ("quantile", "max_over", "avg_over"))
    assert median <= highest
    assert mean <= highest


def test_the_example_for_influxdb_matches_the_entities_of_the_meter() -> None:
    """Match the documented pattern; InfluxDB itself is not installed."""
    (config,) = (block["influxdb"] for block in BLOCKS if "influxdb" in block)
    assert config["include"]["entity_globs"] == ["sensor.nrj_meter_*"]
    assert config["api_version"] == 2

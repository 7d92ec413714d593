"""Look at a person's pages: the energy dashboard, the device, and the demo's own page."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
import re

from playwright.async_api import Page
import pytest
import pytest_asyncio

from nrj_demo.house import House
from nrj_demo.overview import URL_PATH
from tests.end_to_end.browser import (
    COLOURED_PIXELS,
    logged_in_page,
    screenshot,
    wait_for_text,
)

pytestmark = pytest.mark.asyncio(loop_scope="package")

NUMBER = r"(-?[\d,]+(?:\.\d+)?)"

UNITS = {
    "Voltage": "V",
    "Current": "A",
    "Active power": "W",
    "Reactive power": "var",
    "Apparent power": "VA",
    "Import energy": "kWh",
    "Export energy": "kWh",
}


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def page(house: House) -> AsyncGenerator[Page]:
    """Open a browser."""
    async with logged_in_page(house) as opened:
        yield opened


async def test_device_page(house: House, page: Page) -> None:
    """Every quantity of every phase is there, with its unit and a likely value."""
    await page.goto(
        f"{house.home.base_url}/config/devices/device/{house.meter.device_id}"
    )
    patterns = {
        f"{name} L{phase}": rf"{name} L{phase}\n{NUMBER}\s*{unit}\n"
        for name, unit in UNITS.items()
        for phase in (1, 2, 3)
    }
    patterns |= {
        name: rf"{name}\n{NUMBER}\s*{unit}\n"
        for name, unit in (UNITS | {"Frequency": "Hz"}).items()
        if name not in {"Voltage", "Current"}
    }
    found = await wait_for_text(
        page, *patterns.values(), r"Relay 1", r"Relay 2", r"Firmware: 0\.1\.0"
    )
    shown = {name: _number(match) for name, match in zip(patterns, found, strict=False)}
    for phase in (1, 2, 3):
        assert 215 < shown[f"Voltage L{phase}"] < 245
        assert shown[f"Current L{phase}"] > 0
    assert 49.9 < shown["Frequency"] < 50.1
    assert shown["Active power"] == pytest.approx(
        sum(shown[f"Active power L{phase}"] for phase in (1, 2, 3)), rel=0.1, abs=30
    )
    await screenshot(page, "device-page")


async def test_energy_dashboard(house: House, page: Page) -> None:
    """Draw the bars, and show the recorder's totals."""
    await page.goto(f"{house.home.base_url}/energy/electricity")
    used, fed = await wait_for_text(
        page,
        rf"NRJ Meter Import energy\n{NUMBER}\s*kWh",
        rf"NRJ Meter Export energy\n{NUMBER}\s*kWh",
    )
    recorded_used, recorded_fed = await _shown_day(house)
    assert _number(used) == pytest.approx(recorded_used, abs=0.01)
    assert -_number(fed) == pytest.approx(recorded_fed, abs=0.01)
    assert _number(used) > 0
    chart = page.locator("hui-energy-usage-graph-card canvas").first
    await chart.wait_for()
    for _ in range(20):
        if (coloured := await chart.evaluate(COLOURED_PIXELS)) > 1000:
            break
        await asyncio.sleep(0.3)
    assert coloured > 1000
    await screenshot(page, "energy-dashboard")


async def test_first_page_moves(house: House, page: Page) -> None:
    """Show all phases on the demo's first page, with moving values."""
    await page.goto(house.home.base_url)
    patterns = [
        rf"\nL{phase}\nVoltage\n{NUMBER}\s*V\nCurrent\n{NUMBER}\s*A\n"
        rf"Active power\n{NUMBER}\s*W\nPower factor\n{NUMBER}\n"
        rf"Import energy\n{NUMBER}\s*kWh\nExport energy\n{NUMBER}\s*kWh"
        for phase in (1, 2, 3)
    ]
    first = [match.groups() for match in await wait_for_text(page, *patterns)]
    await page.wait_for_url(f"**/{URL_PATH}/**")
    moved: set[tuple[int, int]] = set()
    energies = {4, 5}
    # A state is written at least once a minute, and a page shows the change a moment later.
    for _ in range(30):
        now = [match.groups() for match in await wait_for_text(page, *patterns)]
        moved |= {
            (phase, field)
            for phase in range(3)
            for field in range(6)
            if now[phase][field] != first[phase][field]
        }
        if all(
            {0, 1, 2} <= {field for p, field in moved if p == phase}
            and any(field in energies for p, field in moved if p == phase)
            for phase in range(3)
        ):
            break
        await asyncio.sleep(3)
    else:
        pytest.fail(f"in a minute and a half only these moved: {sorted(moved)}")
    await screenshot(page, "first-page")


async def _shown_day(house: House) -> tuple[float, float]:
    """Return the recorder's import and export of the day the dashboard shows, kWh.

    That is today, or yesterday while the first hour of today is not over.
    """
    zone = (await house.client.command("get_config"))["time_zone"]
    assert zone
    now = datetime.now().astimezone()
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if now - day < timedelta(hours=1):
        day -= timedelta(days=1)
    counters = [house.meter.entity_ids[f"{way}_energy"] for way in ("import", "export")]
    rows = await house.client.command(
        "recorder/statistics_during_period",
        start_time=day.isoformat(),
        end_time=(day + timedelta(days=1)).isoformat(),
        statistic_ids=counters,
        period="hour",
        types=["change"],
    )
    used, fed = (
        sum(row["change"] for row in rows.get(counter, [])) for counter in counters
    )
    return used, fed


def _number(match: re.Match[str]) -> float:
    return float(match[1].replace(",", ""))

"""What Home Assistant has missed of the demand comes from the meter's journal."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nrj_monitor.backfill.manager import async_start_backfill
from custom_components.nrj_monitor.const import CONF_SOURCE, DOMAIN, SOURCE_NATIVE_API
from custom_components.nrj_monitor.control.demand import Demand
from custom_components.nrj_monitor.demand import manager as demand_manager
from custom_components.nrj_monitor.demand.manager import DemandManager
from custom_components.nrj_monitor.meter import Meter
from tests.backfill.journal_meter import DESCRIPTION, JournalMeter
from tests.backfill.recorder_statistics import START
from tests.support.pace import patience
from tests.support.runtime import runtime_data

QUARTER = 900.0
HOURS = 6


def month_of(time: float) -> int:
    """Return the month of a time, s since 1970."""
    return datetime.fromtimestamp(time, UTC).month


NOW = START + 7 * 3600.0
BEGIN = START if month_of(START) == month_of(NOW) else START - 86_400
"""Begin of a journal that lies within a month, s since 1970."""


@pytest.fixture
def recorder(recorder_mock: object) -> None:
    """Run a recorder, which must start before Home Assistant."""


@pytest.fixture
async def entry(
    recorder: None, hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[MockConfigEntry]:
    """Return the entry of a meter with six hours at 2 kW in its journal."""
    await hass.config.async_set_time_zone("UTC")
    monkeypatch.setattr(demand_manager, "clock", lambda: BEGIN + 7 * 3600.0)
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="NRJ Meter",
        data={CONF_SOURCE: SOURCE_NATIVE_API},
        options={"contract": 4, "contract_tolerance": "quarter_hour"},
    )
    entry.add_to_hass(hass)
    source = JournalMeter(begin=BEGIN, hours=HOURS)
    meter = Meter(source, DESCRIPTION)
    source.listener = meter
    entry.runtime_data = runtime_data(hass, entry, meter)
    entry.runtime_data.demand = DemandManager(hass, entry, meter, QUARTER)
    await entry.runtime_data.demand.async_start()
    entry.mock_state(hass, ConfigEntryState.LOADED)
    await async_start_backfill(hass, entry)
    yield entry
    entry.mock_state(hass, ConfigEntryState.NOT_LOADED)
    await entry._async_process_on_unload(hass)
    for task in tuple(entry._background_tasks):
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def read_journal(entry: MockConfigEntry) -> None:
    """Have the meter connect, and wait until its journal has corrected the demand."""
    corrected = asyncio.Event()
    unsubscribe = entry.runtime_data.demand.async_add_listener(corrected.set)
    entry.runtime_data.meter.on_connected(DESCRIPTION)
    async with asyncio.timeout(patience(10)):
        await corrected.wait()
    unsubscribe()


async def test_the_peak_of_missed_hours_is_that_of_the_journal(
    entry: MockConfigEntry,
) -> None:
    """Home Assistant was away in each of the quarter hours."""
    demand = entry.runtime_data.demand
    before = demand.account.peak
    await read_journal(entry)
    assert before is None
    assert demand.account.peak.power == pytest.approx(2000.0, abs=0.1)
    assert BEGIN <= demand.account.peak.begin < BEGIN + HOURS * 3600.0


async def test_a_peak_that_was_guessed_is_corrected(entry: MockConfigEntry) -> None:
    """A mean of powers, of a time with gaps, gives way to what was counted."""
    demand = entry.runtime_data.demand
    demand.account.correct(BEGIN + 4 * QUARTER, 5000.0)
    demand.account.correct(BEGIN + HOURS * 3600.0, 3000.0)
    assert demand.account.peak.power == 5000.0
    await read_journal(entry)
    beyond = Demand(BEGIN + HOURS * 3600.0, 3000.0)
    assert demand.account.peak == beyond, "the journal does not reach that far"


async def test_records_longer_than_the_interval_say_nothing(
    entry: MockConfigEntry,
) -> None:
    """A journal whose records were merged to hours does not know the quarter hours."""
    demand = entry.runtime_data.demand
    source = entry.runtime_data.meter.source
    source.span, source.records = 3600, HOURS
    demand.account.correct(BEGIN + QUARTER, 5000.0)
    await read_journal(entry)
    assert demand.account.peak == Demand(BEGIN + QUARTER, 5000.0)

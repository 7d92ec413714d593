"""A meter that is said to be in another one's place goes on from its sum, for any source."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nrj_monitor.backfill.manager import async_start_backfill
from custom_components.nrj_monitor.backfill.plan import HOUR
from custom_components.nrj_monitor.backfill.replaced_meter import replacement_of
from custom_components.nrj_monitor.backfill.replacement import Replacement
from custom_components.nrj_monitor.backfill.running_sum import SumPoint
from custom_components.nrj_monitor.backfill.statistics import async_restore_sum
from custom_components.nrj_monitor.catalog import CHANNELS
from custom_components.nrj_monitor.const import (
    CONF_REPLACED,
    CONF_REPLACED_AT,
    CONF_SOURCE,
    DOMAIN,
    SOURCE_MQTT,
    SOURCE_NATIVE_API,
)
from custom_components.nrj_monitor.meter import Meter
from tests.backfill.journal_meter import DESCRIPTION, KWH, JournalMeter
from tests.backfill.recorder_statistics import START, hours_of, metadata
from tests.backfill.test_manager import start, stop, until
from tests.backfill.test_purge import (
    FIVE_MINUTES,
    OLD_STATE,
    OLD_SUM,
    compile_statistics,
    energy,
    latest_sum,
    record_until,
    show,
)
from tests.support.runtime import runtime_data

__all__ = ["energy"]

pytestmark = pytest.mark.usefixtures("recorder")

IMPORT = CHANNELS["import_energy"]

FIRSTS = (0.0, 100.0, 4800.0, 5000.0, 9000.0)
"""Totals, kWh, of new meters in the place of one that had `OLD_STATE`."""


@pytest.fixture
async def entry(hass: HomeAssistant) -> AsyncGenerator[MockConfigEntry]:
    """Return the entry of a meter that was replaced a moment ago, not started."""
    replacement = Replacement(
        time=FIVE_MINUTES.timestamp() - 60,
        seen=START + HOUR,
        last={"import_energy": OLD_STATE},
        since=FIVE_MINUTES.timestamp(),
    )
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="House",
        data={CONF_SOURCE: SOURCE_MQTT, CONF_REPLACED: replacement.as_dict()},
    )
    entry.add_to_hass(hass)
    yield entry
    await stop(hass, entry)


class HereSince(JournalMeter):
    """Meter that was switched on when its journal begins."""

    def page(self, client: str, after: int) -> Mapping[str, str]:
        """Return the data of a page with the records after `after`."""
        uptime = dt_util.utcnow().timestamp() - self.begin
        return {**super().page(client, after), "uptime_ms": str(int(uptime * 1000))}


def read(meter: Meter, total: float) -> None:
    """Let the meter tell its total."""
    meter.on_reading(IMPORT, total)


@pytest.mark.parametrize("first", FIRSTS)
async def test_a_meter_without_a_journal_begins_with_its_first_total(
    hass: HomeAssistant, energy: str, entry: MockConfigEntry, first: float
) -> None:
    """What it had counted elsewhere is no energy, whether it is more or less."""
    await record_until(hass, energy, 0)
    description = replace(DESCRIPTION, channels=(IMPORT,), features=frozenset())
    meter = Meter(JournalMeter(), description)
    entry.runtime_data = runtime_data(hass, entry, meter)
    entry.mock_state(hass, ConfigEntryState.LOADED)
    await async_start_backfill(hass, entry)
    meter.on_connected(description)
    read(meter, first)
    show(hass, energy, first + 0.5)
    await compile_statistics(hass, FIVE_MINUTES)
    assert await latest_sum(hass, energy) == pytest.approx(OLD_SUM + 0.5, abs=0.02)
    # Later readings and another look change nothing.
    read(meter, first + 1.0)
    hass.config_entries.async_update_entry(entry, title="Home")
    await compile_statistics(hass, FIVE_MINUTES)
    assert await latest_sum(hass, energy) == pytest.approx(OLD_SUM + 0.5, abs=0.02)
    known = replacement_of(entry)
    assert known is not None
    assert known.first == {"import_energy": first}


@pytest.mark.parametrize("first", FIRSTS)
async def test_hours_before_it_was_said_come_from_the_new_journal(
    hass: HomeAssistant, energy: str, entry: MockConfigEntry, first: float
) -> None:
    """It was there for hours until somebody said so, and had counted elsewhere before."""
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, CONF_SOURCE: SOURCE_NATIVE_API}
    )
    await record_until(hass, energy, 0)
    # It counts for ten hours, 2 kWh in each.
    source = HereSince(begin=START + HOUR, hours=10, counter=int(first * KWH))
    description = replace(DESCRIPTION, channels=(IMPORT,))
    meter = await start(hass, entry, source)
    meter.on_connected(description)
    read(meter, first + 20.0)
    await until(lambda: any(done for _, _, done in source.acknowledged))
    await hass.async_block_till_done(wait_background_tasks=True)
    show(hass, energy, first + 20.0)
    await compile_statistics(hass, FIVE_MINUTES)
    rows = await hours_of(hass, energy)
    sums = [rows[hour]["sum"] for hour in range(10)]
    assert sums == pytest.approx([OLD_SUM + 2.0 * hour for hour in range(10)], abs=0.02)
    assert await latest_sum(hass, energy) == pytest.approx(OLD_SUM + 20.0, abs=0.1)


async def test_what_the_old_meter_told_after_its_last_hour_stays(
    hass: HomeAssistant, energy: str, entry: MockConfigEntry
) -> None:
    """Its last hour was not compiled any more: the rows of five minutes have it."""
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, CONF_SOURCE: SOURCE_NATIVE_API}
    )
    await record_until(hass, energy, 0)
    told = SumPoint(int(START + 1.25 * HOUR), OLD_STATE + 0.4, OLD_SUM + 0.4)
    async_restore_sum(
        hass,
        metadata(energy, "kWh", "energy", has_sum=True),
        replace(told, start=told.start - HOUR + 300),
    )
    source = HereSince(begin=START + 1.5 * HOUR, hours=10, counter=0)
    description = replace(DESCRIPTION, channels=(IMPORT,))
    meter = await start(hass, entry, source)
    meter.on_connected(description)
    read(meter, 20.0)
    await until(lambda: any(done for _, _, done in source.acknowledged))
    await hass.async_block_till_done(wait_background_tasks=True)
    rows = await hours_of(hass, energy)
    sums = [rows[hour]["sum"] for hour in range(1, 10)]
    assert sums == pytest.approx(
        [OLD_SUM + 0.4 + 2.0 * hour - 1.0 for hour in range(1, 10)], abs=0.02
    )


async def test_an_entry_of_an_early_version_knows_when(hass: HomeAssistant) -> None:
    """Hours before that stay, as they did; nothing is known of the totals."""
    entry = MockConfigEntry(domain=DOMAIN, data={CONF_REPLACED_AT: 1000.0})
    assert replacement_of(entry) == Replacement(time=1000.0, begin=1000.0)
    assert replacement_of(MockConfigEntry(domain=DOMAIN)) is None

"""A sum continues over any outage, whatever the recorder has purged meanwhile."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from homeassistant.components.recorder.db_schema import StatisticsShortTerm
from homeassistant.components.recorder.models import StatisticData
from homeassistant.components.recorder.statistics import get_last_short_term_statistics
from homeassistant.const import EVENT_RECORDER_5MIN_STATISTICS_GENERATED
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_purge_done,
    async_wait_recording_done,
    do_adhoc_statistics,
)

from custom_components.nrj_monitor.backfill import sum_keeper
from custom_components.nrj_monitor.backfill.plan import HOUR
from custom_components.nrj_monitor.backfill.statistics import (
    async_read_histories,
    async_wait_written,
)
from custom_components.nrj_monitor.const import (
    CONF_SOURCE,
    DOMAIN,
    SOURCE_ENTITIES,
    SOURCE_NATIVE_API,
)
from tests.backfill.journal_meter import DESCRIPTION, KWH, JournalMeter
from tests.backfill.recorder_statistics import (
    START,
    add_sensor,
    hours_of,
    metadata,
    record_hours,
)
from tests.backfill.test_manager import start, stop, until

pytestmark = pytest.mark.usefixtures("recorder")

OLD_SUM = 1421.0
OLD_STATE = 5000.0
ATTRIBUTES = {
    "state_class": "total_increasing",
    "device_class": "energy",
    "unit_of_measurement": "kWh",
}


@pytest.fixture
def enable_nightly_purge() -> bool:
    """Let the recorder purge each night, after the ten days of its default."""
    return True


@pytest.fixture
async def energy(hass: HomeAssistant) -> str:
    """Return an energy sensor of a Home Assistant that compiles statistics."""
    assert await async_setup_component(hass, "sensor", {})
    return add_sensor(hass, "import_energy")


async def record_until(hass: HomeAssistant, id_: str, hour: int) -> None:
    """Record three hours up to `hour`, counted from `START`, and their five minutes."""
    sensor = metadata(id_, "kWh", "energy", has_sum=True)
    rows = {
        hour - back: (OLD_STATE - 2.0 * back, OLD_SUM - 2.0 * back) for back in range(3)
    }
    await record_hours(
        hass,
        sensor,
        {at: {"state": state, "sum": total} for at, (state, total) in rows.items()},
    )
    get_instance(hass).async_import_statistics(
        sensor,
        [
            StatisticData(
                start=dt_util.utc_from_timestamp(START + at * HOUR + 55 * 60),
                state=state,
                sum=total,
            )
            for at, (state, total) in rows.items()
        ],
        StatisticsShortTerm,
    )
    await async_wait_written(hass)


async def purge_nightly(hass: HomeAssistant) -> None:
    """Run the recorder's tasks of the night."""
    get_instance(hass).async_nightly_tasks(dt_util.now())
    await async_wait_purge_done(hass)


async def compile_statistics(hass: HomeAssistant, begin: datetime) -> None:
    """Compile five minutes, as the recorder does ten seconds after their end."""
    await async_wait_recording_done(hass)
    do_adhoc_statistics(hass, start=begin)
    await async_wait_recording_done(hass)
    hass.bus.async_fire(EVENT_RECORDER_5MIN_STATISTICS_GENERATED)
    await hass.async_block_till_done(wait_background_tasks=True)
    await async_wait_written(hass)
    await hass.async_block_till_done(wait_background_tasks=True)


async def latest_sum(hass: HomeAssistant, id_: str) -> float | None:
    """Return the sum of the latest five minutes, None without a row."""
    rows = await get_instance(hass).async_add_executor_job(
        get_last_short_term_statistics, hass, 1, id_, False, {"state", "sum"}
    )
    return rows[id_][0]["sum"] if rows else None


def away(days: int) -> JournalMeter:
    """Return a meter that has recorded 2 kW in its journal while it was away."""
    return JournalMeter(
        begin=START - days * 24 * HOUR + HOUR,
        hours=days * 24 + 10,
        counter=int(OLD_STATE * KWH),
    )


@pytest.fixture
async def entry(hass: HomeAssistant) -> AsyncGenerator[MockConfigEntry]:
    """Return the entry of a meter, not started."""
    entry = MockConfigEntry(
        domain=DOMAIN, title="NRJ Meter", data={CONF_SOURCE: SOURCE_NATIVE_API}
    )
    entry.add_to_hass(hass)
    yield entry
    await stop(hass, entry)


FIVE_MINUTES = dt_util.utc_from_timestamp(START + 11 * HOUR)
"""Begin of the last hour's first five minutes.

The recorder itself compiles the latest five minutes ten seconds after their end.
"""


def show(hass: HomeAssistant, id_: str, total: float) -> None:
    """Give a sensor a state of these five minutes."""
    hass.states.async_set(
        id_, str(total), ATTRIBUTES, timestamp=FIVE_MINUTES.timestamp() + 1
    )


@pytest.mark.parametrize("days", [11, 20, 34])
async def test_sum_continues_after_a_purge(
    hass: HomeAssistant, energy: str, entry: MockConfigEntry, days: int
) -> None:
    """The first five minutes after the return have the whole sum, and so has each hour."""
    await record_until(hass, energy, -24 * days)
    await purge_nightly(hass)
    assert await latest_sum(hass, energy) is None
    source = away(days)
    (await start(hass, entry, source)).on_connected(DESCRIPTION)
    await until(lambda: any(done for _, _, done in source.acknowledged))
    total = OLD_STATE + 2.0 * (days * 24 + 12)
    show(hass, energy, total)
    await compile_statistics(hass, FIVE_MINUTES)
    assert await latest_sum(hass, energy) == pytest.approx(total + OLD_SUM - OLD_STATE)
    rows = await hours_of(hass, energy)
    sums = [rows[hour]["sum"] for hour in sorted(rows)]
    gains = [later - sum_ for sum_, later in pairwise(sums)]
    assert len(gains) >= days * 24
    assert gains == pytest.approx([2.0] * len(gains), abs=0.01)


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("days", [11, 34])
async def test_sum_that_started_at_zero_is_corrected(
    hass: HomeAssistant,
    energy: str,
    entry: MockConfigEntry,
    days: int,
    restarts: bool,
) -> None:
    """The recorder compiled before anything could be done, or was stopped in between."""
    await record_until(hass, energy, -24 * days)
    await purge_nightly(hass)
    source = away(days)
    total = OLD_STATE + 2.0 * (days * 24 + 12)
    hour = FIVE_MINUTES - timedelta(hours=1)
    if not restarts:
        await start(hass, entry, source)
        await hass.async_block_till_done(wait_background_tasks=True)
        # The purge of the night falls between the return and the first five minutes.
        await purge_nightly(hass)
    hass.states.async_set(energy, str(total), ATTRIBUTES, timestamp=hour.timestamp())
    await compile_statistics(hass, hour)
    await compile_statistics(hass, hour + timedelta(minutes=55))
    if restarts:
        assert await latest_sum(hass, energy) == pytest.approx(0.0)
        await start(hass, entry, source)
        await hass.async_block_till_done(wait_background_tasks=True)
    expected = total + OLD_SUM - OLD_STATE
    assert await latest_sum(hass, energy) == pytest.approx(expected)
    rows = await hours_of(hass, energy)
    assert rows[max(rows)]["sum"] == pytest.approx(expected)
    entry.runtime_data.meter.on_connected(DESCRIPTION)
    await until(lambda: any(done for _, _, done in source.acknowledged))
    rows = await hours_of(hass, energy)
    sums = [rows[at]["sum"] for at in sorted(rows)]
    assert sums == sorted(sums)
    assert rows[max(rows)]["sum"] == pytest.approx(expected)


async def test_sum_of_any_source_continues(hass: HomeAssistant, energy: str) -> None:
    """A meter without a journal was away as long; its energy falls into the return."""
    await record_until(hass, energy, -24 * 34)
    await purge_nightly(hass)
    entry = MockConfigEntry(
        domain=DOMAIN, title="Shelly", data={CONF_SOURCE: SOURCE_ENTITIES}
    )
    entry.add_to_hass(hass)
    source = JournalMeter()
    meter = await start(hass, entry, source)
    meter.on_connected(replace(DESCRIPTION, features=frozenset()))
    await hass.async_block_till_done(wait_background_tasks=True)
    show(hass, energy, 5123.5)
    await compile_statistics(hass, FIVE_MINUTES)
    assert await latest_sum(hass, energy) == pytest.approx(OLD_SUM + 123.5)
    await stop(hass, entry)


async def test_a_wrong_sum_is_corrected_by_one_only(
    hass: HomeAssistant,
    energy: str,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The link's return wakes both who look at the sums; what both see is added once."""
    inside, most = 0, 0
    read = async_read_histories

    async def watched(*arguments: Any) -> Any:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        try:
            return await read(*arguments)
        finally:
            inside -= 1

    monkeypatch.setattr(sum_keeper, "async_read_histories", watched)
    await record_until(hass, energy, 0)
    source = JournalMeter(begin=START + HOUR, hours=10, counter=int(OLD_STATE * KWH))
    (await start(hass, entry, source)).on_connected(DESCRIPTION)
    hass.bus.async_fire(EVENT_RECORDER_5MIN_STATISTICS_GENERATED)
    await until(lambda: any(done for _, _, done in source.acknowledged))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert most == 1

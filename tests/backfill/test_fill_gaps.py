"""Missed hours are filled in a real recorder, once, on the recorder's running sum."""

from datetime import datetime, timedelta

from homeassistant.components.recorder.db_schema import StatisticsShortTerm
from homeassistant.components.recorder.models import StatisticData
from homeassistant.components.recorder.statistics import (
    get_last_short_term_statistics,
    statistics_during_period,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util
import pytest

from custom_components.nrj_monitor.backfill.fill_gaps import (
    BackfillResult,
    async_backfill,
)
from custom_components.nrj_monitor.backfill.journal import JournalPage
from custom_components.nrj_monitor.backfill.plan import HOUR
from custom_components.nrj_monitor.backfill.replacement import Replacement
from custom_components.nrj_monitor.backfill.statistics import async_wait_written
from custom_components.nrj_monitor.backfill.timeline import EnergyTimeline
from tests.backfill.journal_pages import page, record
from tests.backfill.recorder_statistics import (
    MAC,
    START,
    Row,
    add_sensor,
    hours_of,
    metadata,
    record_hours,
)

KWH = 1_000_000
PAGE = 1440
"""Records in a page: those of a day."""

pytestmark = pytest.mark.usefixtures("recorder")


def constant_load(hours: int, kilowatts: int = 2, start: int = START) -> EnergyTimeline:
    """Return the timeline of a constant load, from records of a minute."""
    gain = kilowatts * KWH // 60
    records = [
        record(
            60,
            (0, 0, 0, gain, 0, 0, 0, 0),
            powers=(None, None, None, (1900, 2100)),
            voltages=((11500, 11400, 11600), None, None),
        )
        for _ in range(hours * 60)
    ]
    timeline = EnergyTimeline()
    for after in range(0, len(records), PAGE):
        data = page(
            records[after : after + PAGE],
            after=after,
            last=min(after + PAGE, len(records)),
            begin_time=start + 60 * after,
            counters=f"0,0,0,{100 * KWH + gain * after},0,0,0,0",
        )
        timeline.add_page(JournalPage.from_device(data), {}, start + 96 * HOUR)
    return timeline


async def backfill(
    hass: HomeAssistant, hours: int, *, dry_run: bool = False
) -> BackfillResult:
    """Fill gaps from a journal of so many hours since `START`."""
    return await async_backfill(
        hass, MAC, constant_load(hours), START + hours * HOUR, dry_run=dry_run
    )


async def test_missed_hours_get_their_own_energy(
    hass: HomeAssistant, energy: str
) -> None:
    """Each hour gets its two kilowatt-hours, and the hour of return has no spike."""
    result = await backfill(hass, 6)
    assert result.hours == 4
    rows = await hours_of(hass, energy)
    sums = [rows[hour]["sum"] for hour in range(6)]
    assert sums == pytest.approx([12, 14, 16, 18, 20, 22], abs=0.01)


@pytest.mark.parametrize(
    ("change", "hours"), [(datetime(2024, 3, 31), 23), (datetime(2024, 10, 27), 25)]
)
async def test_days_over_a_daylight_saving_change_get_their_own_energy(
    hass: HomeAssistant, change: datetime, hours: int
) -> None:
    """Each day of an outage over three midnights has the energy of its 23 to 25 hours."""
    await hass.config.async_set_time_zone("Europe/Paris")
    noon = dt_util.start_of_local_day(change - timedelta(days=1)) + timedelta(hours=12)
    start = int(noon.timestamp())
    away = 24 + hours + 24
    first = (start - START) // HOUR
    id_ = add_sensor(hass, "import_energy")
    await record_hours(
        hass,
        metadata(id_, "kWh", "energy", has_sum=True),
        {
            first: {"state": 102.0, "sum": 12.0},
            first + away: {"state": 102.0 + 2 * away, "sum": 12.0 + 2 * away},
        },
    )
    timeline = constant_load(away + 1, start=start)
    result = await async_backfill(hass, MAC, timeline, start + (away + 1) * HOUR)
    assert result.hours == away - 1
    # The days are Home Assistant's own, as its energy dashboard shows them.
    days = await get_instance(hass).async_add_executor_job(
        lambda: statistics_during_period(
            hass, noon, None, {id_}, "day", None, {"change"}
        )[id_]
    )
    gains = [day["change"] for day in days if day["change"] is not None]
    assert gains[1:3] == pytest.approx([2 * hours, 48], abs=0.01)


async def test_second_backfill_changes_nothing(
    hass: HomeAssistant, energy: str
) -> None:
    """Filled hours count as measured from then on."""
    await backfill(hass, 6)
    rows = await hours_of(hass, energy)
    again = await backfill(hass, 6)
    assert again.hours == 0
    assert await hours_of(hass, energy) == rows


async def test_rows_that_repeat_the_state_before_a_filled_in_hour_are_no_new_count(
    hass: HomeAssistant,
) -> None:
    """They begin the journal that is left, after an hour that is complete."""
    id_ = add_sensor(hass, "import_energy")
    sensor = metadata(id_, "kWh", "energy", has_sum=True)
    filled_in: Row = {"state": 100.0, "sum": 14.0}
    await record_hours(hass, sensor, {0: {"state": 98.0, "sum": 12.0}, 1: filled_in})
    begin = START + 2 * HOUR
    get_instance(hass).async_import_statistics(
        sensor,
        [
            StatisticData(
                start=dt_util.utc_from_timestamp(begin + since), state=99.0, sum=13.0
            )
            for since in (-300, 0, 300)
        ],
        StatisticsShortTerm,
    )
    await async_wait_written(hass)
    await async_backfill(hass, MAC, constant_load(3, start=begin), begin + 3 * HOUR)
    latest = await get_instance(hass).async_add_executor_job(
        get_last_short_term_statistics, hass, 1, id_, False, {"state", "sum"}
    )
    assert latest[id_][0]["sum"] == pytest.approx(13.0)
    sums = {hour: row["sum"] for hour, row in (await hours_of(hass, id_)).items()}
    assert sums == pytest.approx({0: 12, 1: 14, 2: 16, 3: 18, 4: 20}, abs=0.01)


async def test_dry_run_lists_hours_and_writes_none(
    hass: HomeAssistant, energy: str
) -> None:
    """The response lists the hours to write, in local time."""
    rows = await hours_of(hass, energy)
    response = (await backfill(hass, 6, dry_run=True)).as_response()
    assert response["hours"] == 4
    hour = dt_util.as_local(dt_util.utc_from_timestamp(START + HOUR)).isoformat()
    assert response["energy"][energy][hour] == pytest.approx(104, abs=0.01)
    assert response["left_alone"] == {}
    assert await hours_of(hass, energy) == rows


async def test_filled_hours_have_the_unit_of_the_statistics(
    hass: HomeAssistant,
) -> None:
    """Statistics in Wh get filled hours in Wh."""
    id_ = add_sensor(hass, "import_energy")
    await record_hours(
        hass,
        metadata(id_, "Wh", "energy", has_sum=True),
        {
            0: {"state": 102000.0, "sum": 12000.0},
            2: {"state": 106000.0, "sum": 16000.0},
        },
    )
    await backfill(hass, 3)
    rows = await hours_of(hass, id_)
    assert rows[1]["sum"] == pytest.approx(14000, abs=10)


async def test_hours_of_a_total_that_started_over_are_listed(
    hass: HomeAssistant,
) -> None:
    """The hours stay as they are, and the response has the reason."""
    id_ = add_sensor(hass, "import_energy")
    await record_hours(
        hass,
        metadata(id_, "kWh", "energy", has_sum=True),
        {0: {"state": 102.0, "sum": 12.0}, 2: {"state": 106.0, "sum": 90.0}},
    )
    response = (await backfill(hass, 3)).as_response()
    assert response["hours"] == 0
    assert set(response["left_alone"][id_].values()) == {"the total started over"}


async def test_missed_measurements_get_mean_and_extremes(hass: HomeAssistant) -> None:
    """Mean power follows from counted energy, mean voltage from measured voltages."""
    power = add_sensor(hass, "active_power")
    voltage = add_sensor(hass, "voltage_l1")
    live: Row = {"mean": 1.0, "min": 0.5, "max": 1.5}
    for id_, unit, kind in ((power, "kW", "power"), (voltage, "V", "voltage")):
        await record_hours(hass, metadata(id_, unit, kind, has_sum=False), {0: live})
    assert (await backfill(hass, 2)).hours == 2
    assert (await hours_of(hass, power))[0]["mean"] == 1.0
    filled = (await hours_of(hass, power))[1]
    assert filled["mean"] == pytest.approx(2.0, abs=0.001)
    assert (filled["min"], filled["max"]) == pytest.approx((1.9, 2.1))
    assert (await hours_of(hass, voltage))[1]["mean"] == pytest.approx(230.0)


async def test_row_that_repeats_an_old_state_is_replaced(hass: HomeAssistant) -> None:
    """A row made while Home Assistant was off has the last state only."""
    id_ = add_sensor(hass, "voltage_l1")
    flat: Row = {"mean": 240.0, "min": 240.0, "max": 240.0}
    await record_hours(
        hass, metadata(id_, "V", "voltage", has_sum=False), {0: flat, 12: flat}
    )
    # In the thirteenth hour the sensor really had a state.
    thirteenth = START + 12 * HOUR
    hass.states.async_set(id_, "240.0", timestamp=thirteenth)
    hass.states.async_set(id_, "unavailable", timestamp=thirteenth + 0.1)
    await async_wait_written(hass)
    await backfill(hass, 13)
    rows = await hours_of(hass, id_)
    assert rows[0]["mean"] == pytest.approx(230.0)
    assert rows[12]["mean"] == 240.0


async def test_hours_of_the_meter_that_was_there_before_stay(
    hass: HomeAssistant, energy: str
) -> None:
    """The journal of the new one may tell of another house: its count goes on from here."""
    replacement = Replacement(
        time=START + 5 * HOUR,
        begin=START + 4.5 * HOUR,
        last={"import_energy": 104.5},
        first={"import_energy": 109.0},
    )
    result = await async_backfill(
        hass, MAC, constant_load(6), START + 6 * HOUR, replacement=replacement
    )
    assert result.hours == 1
    rows = await hours_of(hass, energy)
    assert rows.keys() == {0, 4, 5}
    # What the old meter had counted in the end, and half an hour of the new one.
    assert rows[4]["sum"] == pytest.approx(12 + 2.5 + 1, abs=0.01)


async def test_nothing_is_filled_without_statistics_or_a_journal(
    hass: HomeAssistant,
) -> None:
    """A sensor without statistics gets none, and an empty timeline fills no hour."""
    add_sensor(hass, "import_energy")
    assert (await backfill(hass, 3)).hours == 0
    assert (
        await async_backfill(hass, MAC, EnergyTimeline(), START + HOUR)
        == BackfillResult()
    )
    too_short = await async_backfill(hass, MAC, constant_load(1), START + 60)
    assert too_short.hours == 0

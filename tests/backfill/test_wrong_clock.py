"""A clock that is wrong at boot and set later leaves no false hour and loses no record."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nrj_monitor.backfill import (
    clock_trust,
    manager as manager_module,
)
from custom_components.nrj_monitor.backfill.manager import BackfillManager
from custom_components.nrj_monitor.backfill.plan import HOUR, NO_RECORDS
from custom_components.nrj_monitor.backfill.services import (
    BACKFILL,
    async_setup_backfill_services,
)
from custom_components.nrj_monitor.backfill.statistics import async_wait_written
from custom_components.nrj_monitor.const import CONF_SOURCE, DOMAIN, SOURCE_NATIVE_API
from tests.backfill.journal_meter import DESCRIPTION, KWH, PAGE, JournalMeter
from tests.backfill.journal_pages import page, record
from tests.backfill.recorder_statistics import START, hours_of, metadata, record_hours
from tests.backfill.test_manager import start, stop, until

pytestmark = pytest.mark.usefixtures("recorder")

POWER = 2 * KWH // 60
"""mWh in a minute at 2 kW."""

RETURN = START + 6 * HOUR + 120
"""True time at which Home Assistant is back."""

DAY = 24 * HOUR


class Times:
    """The true time, and what the system's clock has."""

    def __init__(self) -> None:
        """Begin with a right clock of a machine that runs for long."""
        self.true: float = RETURN
        self.error = 0.0
        self.machine_started: float = RETURN - 30 * DAY

    def now(self, _: object = None) -> float:
        """Return what the clock has, s since 1970."""
        return self.true + self.error

    def monotonic(self, _: object = None) -> float:
        """Return the time since the start of the machine, s."""
        return self.true - self.machine_started


class UptimeMeter(JournalMeter):
    """Meter that dates by its uptime, and was started at `booted`, true time.

    Records are of a minute at 2 kW since `booted`. Records up to `dropped` are gone.
    """

    def __init__(self, times: Times, *, booted: float = START) -> None:
        """Start with all records up to now."""
        super().__init__()
        self.times = times
        self.booted = booted
        self.boot = 7
        self.dropped = 0
        self.before = 0
        """Records before the present start."""

    def let_pass(self, seconds: float) -> None:
        """Let true time pass."""
        self.times.true += seconds

    @property
    def newest(self) -> int:
        """Return the number of the newest record."""
        return self.before + int(self.times.true - self.booted) // 60

    def send_records(self, client: str, after: int) -> None:
        """Send a page of the records after `after`, unless there are none."""
        if after < self.newest and not self.silent:
            self.send_page(self.page(client, after))

    def page(self, client: str, after: int) -> Mapping[str, str]:
        """Return the data of a page."""
        after = max(after, self.dropped, self.before)
        last = min(after + PAGE, self.newest)
        gain = (0, 0, 0, POWER, 0, 0, 0, 0)
        total = self.counter + after * POWER
        return page(
            [record(60, gain)] * (last - after),
            client=client,
            journal=self.journal,
            boot=self.boot,
            boot_time=int(self.booted + self.times.error),
            uptime_ms=int((self.times.true - self.booted) * 1000),
            after=after,
            last=last,
            newest=self.newest,
            begin_uptime=(after - self.before) * 60,
            counters=f"0,0,0,{total},0,0,0,0",
        )


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch, settled_clock: None) -> Times:
    """Return the times that the backfill reads."""
    times = Times()
    monkeypatch.setattr(clock_trust, "BOOT_SETTLES", 600.0)
    monkeypatch.setattr(BackfillManager, "_now", times.now)
    monkeypatch.setattr(BackfillManager, "_monotonic", times.monotonic)
    return times


@pytest.fixture
def source(times: Times) -> UptimeMeter:
    """Return a meter that has run through Home Assistant's absence."""
    return UptimeMeter(times)


@pytest.fixture
async def entry(hass: HomeAssistant) -> AsyncGenerator[MockConfigEntry]:
    """Return the entry of a meter, not started."""
    entry = MockConfigEntry(
        domain=DOMAIN, title="NRJ Meter", data={CONF_SOURCE: SOURCE_NATIVE_API}
    )
    entry.add_to_hass(hass)
    yield entry
    await stop(hass, entry)


async def store(
    hass: HomeAssistant, entry: MockConfigEntry, hours: float = 1, **changes: Any
) -> None:
    """Store that Home Assistant has read the meter for so many hours since `START`."""
    done = int(hours * 60)
    await manager_module._store(hass, entry.entry_id).async_save(
        {
            "client": "0000cafe",
            "journal": "11223344",
            "done": done,
            "seen": START + hours * HOUR,
            "anchor": {
                "time": START + hours * HOUR,
                "counters": [0, 0, 0, 100 * KWH + done * POWER, 0, 0, 0, 0],
                "sequence": done,
            },
            "starts": {"7": START},
            **changes,
        }
    )


async def settle(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Wait until all that came is used, or left."""
    source = entry.runtime_data.meter.source
    await hass.async_block_till_done(wait_background_tasks=True)
    download = entry.runtime_data.backfill._download
    await until(lambda: download.received >= source.newest)
    await hass.async_block_till_done(wait_background_tasks=True)
    await async_wait_written(hass)
    await hass.async_block_till_done(wait_background_tasks=True)


async def next_minute(
    hass: HomeAssistant, entry: MockConfigEntry, seconds: float = 60
) -> None:
    """Let time pass until the meter sends its next records."""
    meter = entry.runtime_data.meter.source
    meter.let_pass(seconds)
    download = entry.runtime_data.backfill._download
    meter.send_records(download.client, download.received)
    await settle(hass, entry)


async def sums(hass: HomeAssistant, energy: str) -> list[float | None]:
    """Return the sums of the hours since `START`."""
    rows = await hours_of(hass, energy)
    assert not [hour for hour in rows if not 0 <= hour <= 12], rows
    return [rows[hour]["sum"] if hour in rows else None for hour in range(6)]


def done(source: JournalMeter) -> int:
    """Return the greatest number of a record that was acknowledged as used."""
    return max((done for _, _, done in source.acknowledged), default=0)


TRUE_SUMS = pytest.approx([12, 14, 16, 18, 20, 22], abs=0.01)
MISSING = [12.0, None, None, None, None, 22.0]


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(-5 * HOUR, id="last shutdown"),
        pytest.param(-3 * DAY, id="days behind"),
        pytest.param(-RETURN + 60, id="1970"),
        pytest.param(HOUR, id="an hour ahead"),
        pytest.param(365 * DAY, id="a year ahead"),
    ],
)
async def test_meter_that_ran_on_tells_that_the_clock_is_wrong(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    source: UptimeMeter,
    *,
    energy: str,
    error: float,
) -> None:
    """Nothing is written or acknowledged before the clock is right."""
    await store(hass, entry)
    source.times.error = error
    (await start(hass, entry, source)).on_connected(DESCRIPTION)
    await settle(hass, entry)
    await next_minute(hass, entry, 1200)
    assert await sums(hass, energy) == MISSING
    assert done(source) == 60
    source.times.error = 0.0
    await next_minute(hass, entry)
    assert await sums(hass, energy) == TRUE_SUMS
    assert done(source) == 360


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(-4.5 * HOUR, id="last shutdown"),
        pytest.param(-RETURN + 60, id="1970"),
        pytest.param(365 * DAY, id="a year ahead"),
    ],
)
async def test_meter_that_was_restarted_too_is_dated_anew(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    *,
    times: Times,
    energy: str,
    error: float,
) -> None:
    """Both have been off until the fourth hour, and began with a wrong clock."""
    source = UptimeMeter(times, booted=START + 4 * HOUR)
    source.before = 60
    source.boot = 8
    await store(hass, entry)
    times.error = error
    (await start(hass, entry, source)).on_connected(DESCRIPTION)
    await settle(hass, entry)
    assert await sums(hass, energy) == MISSING
    assert done(source) == 60
    times.error = 0.0
    await next_minute(hass, entry)
    await next_minute(hass, entry, 180)
    rows = await hours_of(hass, energy)
    # The hours in which nobody was there are left alone until the meter began.
    assert set(rows) == {0, 3, 4, 5}
    assert [rows[hour]["state"] for hour in (3, 4, 5)] == pytest.approx(
        [102.0, 104.0, 106.0], abs=0.001
    )
    assert done(source) == 180


async def test_clock_that_is_set_hours_later_leaves_no_false_hour(
    hass: HomeAssistant, entry: MockConfigEntry, times: Times, energy: str
) -> None:
    """What was filled in and recorded under the wrong clock is replaced."""
    source = UptimeMeter(times, booted=START + 3 * HOUR)
    source.before = 60
    source.boot = 8
    await store(hass, entry)
    # They began at the third hour, with the clock of the first.
    times.true = START + 3 * HOUR + 40
    times.error = -2.0 * HOUR
    (await start(hass, entry, source)).on_connected(DESCRIPTION)
    times.true += 2.2 * HOUR
    await record_hours(
        hass,
        metadata(energy, "kWh", "energy", has_sum=True),
        {
            1: {"state": 104.0, "sum": 14.0},
            2: {"state": 106.0, "sum": 16.0},
        },
    )
    await next_minute(hass, entry)
    assert done(source) > 60, "nothing tells that the clock is wrong"
    times.true = RETURN
    times.error = 0.0
    await next_minute(hass, entry)
    assert source.opened[-1][2] == 60
    await next_minute(hass, entry, 180)
    rows = await hours_of(hass, energy)
    states = [rows[hour]["state"] for hour in range(5)]
    # The meter was off until the third hour, and used 2 kW from then on.
    assert states == pytest.approx([102, 102, 102, 104, 106], abs=0.1)
    assert [rows[hour]["sum"] - rows[hour]["state"] for hour in range(5)] == (
        pytest.approx([-90] * 5)
    )


async def test_hours_filled_in_by_a_clock_that_is_set_later_are_doubted(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    source: UptimeMeter,
    *,
    times: Times,
    energy: str,
) -> None:
    """Its journal tells of hours before the clock began; the recorder's rows are of it."""
    nothing = {"journal": "", "done": 0, "anchor": None}
    await store(hass, entry, provisional=["7"], origin=nothing, unsure=START + 2 * HOUR)
    times.error = -600.0
    (await start(hass, entry, source)).on_connected(DESCRIPTION)
    await settle(hass, entry)
    times.error = 0.0
    await next_minute(hass, entry)
    backfill = entry.runtime_data.backfill
    assert [backfill._is_doubtful(START + hour * HOUR) for hour in range(4)] == [
        False,
        False,
        True,
        True,
    ]
    assert not backfill._is_misdated(RETURN - 660)
    assert backfill._is_misdated(RETURN - 540)


async def test_suspended_machine_is_no_step(
    hass: HomeAssistant, entry: MockConfigEntry, source: UptimeMeter, energy: str
) -> None:
    """The meter's uptime went on with the clock."""
    times = source.times
    times.true = START + HOUR + 60
    await store(hass, entry)
    (await start(hass, entry, source)).on_connected(DESCRIPTION)
    await settle(hass, entry)
    times.machine_started += RETURN - times.true
    times.true = RETURN
    await next_minute(hass, entry)
    assert len(source.opened) == 1
    assert await sums(hass, energy) == TRUE_SUMS


async def test_clock_that_lasts_is_right_whatever_was_stored(
    hass: HomeAssistant, entry: MockConfigEntry, source: UptimeMeter, energy: str
) -> None:
    """The last run had a clock a year ahead, and ended so."""
    later = START + 365 * DAY
    await store(
        hass,
        entry,
        seen=later,
        anchor={"time": later, "counters": [0] * 8, "sequence": 60},
        starts={"7": later},
    )
    (await start(hass, entry, source)).on_connected(DESCRIPTION)
    await settle(hass, entry)
    assert await sums(hass, energy) == MISSING
    await next_minute(hass, entry, 3600)
    assert await sums(hass, energy) == TRUE_SUMS
    assert done(source) == 420


async def test_reload_under_a_wrong_clock_forgets_nothing(
    hass: HomeAssistant, entry: MockConfigEntry, times: Times, energy: str
) -> None:
    """The starts it has dated are dated anew by a right clock."""
    source = UptimeMeter(times, booted=START + HOUR)
    source.before = 60
    source.boot = 8
    await store(hass, entry)
    times.error = -3.0 * HOUR
    (await start(hass, entry, source)).on_connected(DESCRIPTION)
    await settle(hass, entry)
    await next_minute(hass, entry, 660)
    assert done(source) > 60, "nothing tells that the clock is wrong"
    await stop(hass, entry)
    times.error = 0.0
    (await start(hass, entry, source)).on_connected(DESCRIPTION)
    await next_minute(hass, entry)
    await next_minute(hass, entry, 660)
    assert await sums(hass, energy) == TRUE_SUMS


async def test_action_waits_for_a_right_clock(
    hass: HomeAssistant, entry: MockConfigEntry, source: UptimeMeter, energy: str
) -> None:
    """Its error says what to check, and its pages count from the start once it is set."""
    async_setup_backfill_services(hass)
    await store(hass, entry)
    source.times.error = 365.0 * DAY
    (await start(hass, entry, source)).on_connected(DESCRIPTION)
    await settle(hass, entry)
    with pytest.raises(HomeAssistantError) as refused:
        await hass.services.async_call(DOMAIN, BACKFILL, {}, blocking=True)
    assert refused.value.translation_key == "clock_untrusted"
    source.times.error = 0.0
    response = await hass.services.async_call(
        DOMAIN, BACKFILL, {}, blocking=True, return_response=True
    )
    assert response is not None
    assert await sums(hass, energy) == TRUE_SUMS


async def test_restored_backup_gets_what_the_meter_still_has(
    hass: HomeAssistant, entry: MockConfigEntry, source: UptimeMeter, energy: str
) -> None:
    """Hours without records are left alone, and told by the action."""
    async_setup_backfill_services(hass)
    source.dropped = 270
    await store(hass, entry)
    (await start(hass, entry, source)).on_connected(DESCRIPTION)
    await settle(hass, entry)
    assert source.opened[0][2] == 60
    assert await sums(hass, energy) == [
        12.0,
        None,
        None,
        None,
        pytest.approx(20.0, abs=0.01),
        22,
    ]
    assert done(source) == 360
    response = await hass.services.async_call(
        DOMAIN, BACKFILL, {"dry_run": True}, blocking=True, return_response=True
    )
    assert response is not None
    told: Any = response["left_alone"]
    assert len(told[energy]) == 3
    assert set(told[energy].values()) == {NO_RECORDS}

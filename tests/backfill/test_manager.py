"""The journal is downloaded, used and acknowledged, whatever happens on the way."""

import asyncio
import base64
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
import json
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nrj_monitor.backfill import manager as manager_module
from custom_components.nrj_monitor.backfill.fill_gaps import async_backfill
from custom_components.nrj_monitor.backfill.journal import JournalPage
from custom_components.nrj_monitor.backfill.manager import (
    BackfillManager,
    async_remove_backfill_store,
    async_start_backfill,
)
from custom_components.nrj_monitor.backfill.plan import HOUR
from custom_components.nrj_monitor.backfill.services import (
    BACKFILL,
    async_setup_backfill_services,
)
from custom_components.nrj_monitor.backfill.statistics import async_wait_written
from custom_components.nrj_monitor.backfill.timeline import EnergyTimeline
from custom_components.nrj_monitor.const import (
    CONF_SOURCE,
    DOMAIN,
    SOURCE_ENTITIES,
    SOURCE_NATIVE_API,
)
from custom_components.nrj_monitor.meter import Meter
from custom_components.nrj_monitor.ngsi.sample import Sample
from custom_components.nrj_monitor.sources.errors import LinkDownError
from tests.backfill.journal_meter import DESCRIPTION, MINUTES, PAGE, JournalMeter
from tests.backfill.journal_pages import page, record
from tests.backfill.recorder_statistics import (
    MAC,
    START,
    Row,
    hours_of,
    metadata,
    record_hours,
)
from tests.support.attack import watched
from tests.support.pace import patience
from tests.support.runtime import runtime_data

pytestmark = pytest.mark.usefixtures("recorder")


@pytest.fixture
async def source() -> JournalMeter:
    """Return a source with a journal."""
    return JournalMeter()


@pytest.fixture
async def entry(
    hass: HomeAssistant, energy: str, source: JournalMeter
) -> AsyncGenerator[MockConfigEntry]:
    """Return the loaded entry of a meter whose backfill runs."""
    entry = MockConfigEntry(
        domain=DOMAIN, title="NRJ Meter", data={CONF_SOURCE: SOURCE_NATIVE_API}
    )
    entry.add_to_hass(hass)
    await start(hass, entry, source)
    yield entry
    await stop(hass, entry)


async def start(
    hass: HomeAssistant, entry: MockConfigEntry, source: JournalMeter
) -> Meter:
    """Start the backfill, as at a start of Home Assistant."""
    meter = Meter(source, DESCRIPTION)
    source.listener = meter
    entry.runtime_data = runtime_data(hass, entry, meter)
    entry.mock_state(hass, ConfigEntryState.LOADED)
    await async_start_backfill(hass, entry)
    return meter


async def stop(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Unload the entry and cancel its tasks."""
    entry.mock_state(hass, ConfigEntryState.NOT_LOADED)
    await entry._async_process_on_unload(hass)
    for task in tuple(entry._background_tasks):
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition is true."""
    async with asyncio.timeout(patience(10)):
        while not condition():
            await asyncio.sleep(0.01)


async def test_missed_hours_are_filled_once_the_meter_is_back(
    hass: HomeAssistant, entry: MockConfigEntry, source: JournalMeter, energy: str
) -> None:
    """All pages are received, the hours written, and the records acknowledged as done."""
    entry.runtime_data.meter.on_connected(DESCRIPTION)
    await until(lambda: any(done == MINUTES for _, _, done in source.acknowledged))
    rows = await hours_of(hass, energy)
    assert [rows[hour]["sum"] for hour in range(6)] == pytest.approx(
        [12, 14, 16, 18, 20, 22], abs=0.01
    )


async def test_records_are_done_only_once_their_hours_are_written(
    hass: HomeAssistant, entry: MockConfigEntry, source: JournalMeter
) -> None:
    """Until then the meter keeps the sent records."""
    entry.runtime_data.meter.on_connected(DESCRIPTION)
    await until(lambda: any(done == MINUTES for _, _, done in source.acknowledged))
    assert all(
        done in (0, MINUTES) and (done == 0 or received == MINUTES)
        for _, received, done in source.acknowledged
    )


async def test_only_new_records_are_downloaded_after_a_restart(
    hass: HomeAssistant, entry: MockConfigEntry, source: JournalMeter, energy: str
) -> None:
    """The journal and the number of the last record are stored."""
    entry.runtime_data.meter.on_connected(DESCRIPTION)
    await until(lambda: any(done == MINUTES for _, _, done in source.acknowledged))
    await stop(hass, entry)
    source.records += 60
    meter = await start(hass, entry, source)
    meter.on_connected(DESCRIPTION)
    await until(lambda: source.opened[-1][2] == MINUTES)
    assert source.opened[0][0] == source.opened[-1][0], "the client is the same"
    await until(lambda: any(done == MINUTES + 60 for _, _, done in source.acknowledged))


async def test_used_records_are_acknowledged_again_after_a_reconnection(
    hass: HomeAssistant, entry: MockConfigEntry, source: JournalMeter, energy: str
) -> None:
    """A restarted meter would otherwise never merge these records."""
    entry.runtime_data.meter.on_connected(DESCRIPTION)
    await until(lambda: any(done == MINUTES for _, _, done in source.acknowledged))
    entry.runtime_data.meter.on_disconnected()
    source.acknowledged.clear()
    entry.runtime_data.meter.on_connected(DESCRIPTION)
    await until(lambda: bool(source.acknowledged))
    assert source.acknowledged[0][1:] == (MINUTES, MINUTES)


async def test_unused_records_are_requested_again_after_a_crash(
    hass: HomeAssistant, entry: MockConfigEntry, source: JournalMeter
) -> None:
    """Records received and not yet used are requested once more."""
    source.records = 3 * PAGE
    backfill = entry.runtime_data.backfill
    entry.runtime_data.meter.on_connected(DESCRIPTION)
    await until(lambda: bool(source.acknowledged))
    del backfill
    await stop(hass, entry)
    meter = await start(hass, entry, source)
    meter.on_connected(DESCRIPTION)
    await until(lambda: len(source.opened) == 2)
    assert source.opened[-1][2] in (0, 3 * PAGE)


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        pytest.param(START + 2.5 * 3600, 106.0, id="away at its end"),
        pytest.param(START + 3.02 * 3600, 105.996, id="there at its end"),
    ],
)
async def test_hour_of_a_crash_is_filled(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    source: JournalMeter,
    *,
    energy: str,
    seen: float,
    state: float,
) -> None:
    """However near the last state before the crash was to the end of the hour."""
    await stop(hass, entry)
    await record_hours(
        hass,
        metadata(energy, "kWh", "energy", has_sum=True),
        {2: {"state": 105.996, "sum": 15.996}},
    )
    await manager_module._store(hass, entry.entry_id).async_save(
        {"client": "0000cafe", "journal": "", "done": 0, "seen": seen, "anchor": None}
    )
    (await start(hass, entry, source)).on_connected(DESCRIPTION)
    await until(lambda: any(done == MINUTES for _, _, done in source.acknowledged))
    rows = await hours_of(hass, energy)
    assert rows[2]["state"] == pytest.approx(state)


async def test_new_journal_is_downloaded_from_its_beginning(
    hass: HomeAssistant, entry: MockConfigEntry, source: JournalMeter
) -> None:
    """Record numbers of the old journal do not apply."""
    entry.runtime_data.meter.on_connected(DESCRIPTION)
    await until(lambda: any(done == MINUTES for _, _, done in source.acknowledged))
    source.journal, source.records = "55667788", 30
    entry.runtime_data.meter.on_disconnected()
    entry.runtime_data.meter.on_connected(DESCRIPTION)
    await until(
        lambda: (
            source.acknowledged[-1][1:] == (30, 30)
            or source.acknowledged[-1][1:] == (30, 0)
        )
    )


async def test_pages_of_other_clients_are_ignored(
    entry: MockConfigEntry, source: JournalMeter
) -> None:
    """No such page is acknowledged, damaged or not."""
    for sent in (
        source.page("0000cafe", 0),
        {**source.page("0000cafe", 0), "data": "?"},
    ):
        source.send_page(sent)
    await asyncio.sleep(0.05)
    assert not source.acknowledged


async def test_a_damaged_page_is_acknowledged_so_that_it_does_not_come_back(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    source: JournalMeter,
    energy: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The pages after it are used, and their totals have its energy."""
    whole = source.page

    def page_of(client: str, after: int) -> Mapping[str, str]:
        sent = whole(client, after)
        damaged = {"data": base64.b64encode(b"xx").decode()}
        return {**sent, **damaged} if after == PAGE else sent

    monkeypatch.setattr(source, "page", page_of)
    entry.runtime_data.meter.on_connected(DESCRIPTION)
    await until(lambda: any(done == MINUTES for _, _, done in source.acknowledged))
    received = [received for _, received, _ in source.acknowledged]
    assert received == sorted(received)
    rows = await hours_of(hass, energy)
    assert [rows[hour]["sum"] for hour in (0, 5)] == pytest.approx([12, 22], abs=0.01)
    assert rows[4]["sum"] == pytest.approx(20, abs=0.01)


async def test_a_page_that_says_nothing_of_its_place_is_left_out(
    entry: MockConfigEntry, source: JournalMeter
) -> None:
    """Nobody knows what to acknowledge; the next page is taken."""
    client = entry.runtime_data.backfill._download.client
    for changes in ({"last": "9" * 400}, {"last": "x"}, {"after": "5", "last": "2"}):
        source.send_page({**source.page(client, 0), **changes})
    await asyncio.sleep(0.05)
    assert not source.acknowledged
    source.send_page(source.page(client, 0))
    await until(lambda: bool(source.acknowledged))


async def test_records_that_the_meter_dropped_are_not_awaited(
    hass: HomeAssistant, entry: MockConfigEntry, source: JournalMeter
) -> None:
    """The totals of the next page have their energy."""
    backfill: BackfillManager = entry.runtime_data.backfill
    source.silent = True
    source.send_page(source.page(backfill._download.client, 0))
    source.send_page(source.page(backfill._download.client, 2 * PAGE))
    await until(lambda: len(source.acknowledged) == 2)
    assert source.acknowledged[-1][1] == 3 * PAGE
    estimate = backfill._download.timeline.energy_at("import_energy", START + 150 * 60)
    assert estimate is not None
    assert estimate.value == pytest.approx(100 + 150 / 60 * 2, abs=0.01)


async def test_action_fills_gaps_and_lists_them(
    hass: HomeAssistant, entry: MockConfigEntry, source: JournalMeter, energy: str
) -> None:
    """The whole journal is downloaded by a client of its own, which leaves again."""
    async_setup_backfill_services(hass)
    entry.runtime_data.meter.on_connected(DESCRIPTION)
    response = await hass.services.async_call(
        DOMAIN,
        BACKFILL,
        {"config_entry_id": entry.entry_id, "dry_run": True},
        blocking=True,
        return_response=True,
    )
    assert response is not None
    assert response["journal_from"] == dt_util.as_local(
        dt_util.utc_from_timestamp(START)
    ).isoformat(timespec="seconds")
    assert response["hours"] in (0, 4)
    await until(lambda: bool(source.closed))
    assert source.closed != [entry.runtime_data.backfill._download.client]
    nothing = await hass.services.async_call(
        DOMAIN, BACKFILL, {"config_entry_id": entry.entry_id}, blocking=True
    )
    assert nothing is None


@pytest.mark.parametrize(
    "begin_time", [0, 1000, int(START) - 30 * 365 * 24 * HOUR, 2**32 - 1]
)
async def test_a_page_of_another_age_costs_neither_time_nor_a_long_answer(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    source: JournalMeter,
    monkeypatch: pytest.MonkeyPatch,
    begin_time: int,
) -> None:
    """Of a page dated 1970 no hours are counted; the pages after it are filled in."""
    async_setup_backfill_services(hass)
    whole = source.page

    def page_of(client: str, after: int) -> Mapping[str, str]:
        changes = {} if after else {"begin_time": str(begin_time)}
        return {**whole(client, after), **changes}

    monkeypatch.setattr(source, "page", page_of)
    entry.runtime_data.meter.on_connected(DESCRIPTION)
    with watched("another age") as promises:
        response = await hass.services.async_call(
            DOMAIN,
            BACKFILL,
            {"config_entry_id": entry.entry_id, "dry_run": True},
            blocking=True,
            return_response=True,
        )
    assert promises.longest < patience(0.1), promises.blocker
    assert response is not None
    assert len(json.dumps(response)) < 100_000
    hours = response["hours"]
    assert isinstance(hours, int)
    assert hours > 0
    assert str(response["journal_from"]) > "2025"


async def test_a_long_journal_is_filled_in_without_keeping_the_loop(
    hass: HomeAssistant, entry: MockConfigEntry, energy: str
) -> None:
    """Planning it takes a while elsewhere, and the answer lists a week of each sensor."""
    hours = 60 * 24
    begin = START - hours * HOUR
    await record_hours(
        hass,
        metadata(energy, "kWh", "energy", has_sum=True),
        {-hours - 2: {"state": 99.0, "sum": 9.0}},
    )
    long = JournalMeter(begin=begin, hours=hours)
    timeline = EnergyTimeline()
    for after in range(0, long.records, PAGE):
        sent = JournalPage.from_device(long.page("0000beef", after))
        timeline.add_page(sent, {"7": begin}, START)
    with watched("long journal") as promises:
        result = await async_backfill(hass, MAC, timeline, START)
    assert promises.longest < patience(0.1), promises.blocker
    assert result.hours > hours - 48
    answer = result.as_response()
    assert len(answer["energy"][energy]) == 168
    assert answer["summary"][energy]["filled_in"] == result.hours
    assert len(json.dumps(answer)) < 100_000


async def test_action_finds_and_repairs_impossible_hours(
    hass: HomeAssistant, entry: MockConfigEntry, energy: str
) -> None:
    """A dry run offers the repair; hours after the false one continue the true sum."""
    async_setup_backfill_services(hass)
    await record_hours(
        hass,
        metadata(energy, "kWh", "energy", has_sum=True),
        {
            6: {"state": 114.0, "sum": 1e9 + 24.0},
            7: {"state": 116.0, "sum": 1e9 + 26.0},
        },
    )
    entry.runtime_data.meter.on_connected(DESCRIPTION)
    for dry_run, expected in ((True, 1e9 + 26.0), (False, 26.0)):
        response = await hass.services.async_call(
            DOMAIN,
            BACKFILL,
            {"config_entry_id": entry.entry_id, "dry_run": dry_run},
            blocking=True,
            return_response=True,
        )
        assert response is not None
        impossible: Any = response["impossible"]
        assert list(impossible[energy].values()) == [pytest.approx(1e9)]
        assert (await hours_of(hass, energy))[7]["sum"] == pytest.approx(expected)


async def test_action_fails_while_the_meter_does_not_answer(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    source: JournalMeter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No page comes, or there is no link at all."""
    async_setup_backfill_services(hass)
    monkeypatch.setattr(manager_module, "FETCH_TIMEOUT", 0.05)
    call = (DOMAIN, BACKFILL, {"config_entry_id": entry.entry_id})
    source.silent = True
    for _ in range(2):
        with pytest.raises(HomeAssistantError) as failed:
            await hass.services.async_call(*call, blocking=True)
        assert failed.value.translation_key == "journal_not_read"
        entry.runtime_data.meter.on_connected(DESCRIPTION)


async def test_action_ends_with_the_meter_s_entry(
    hass: HomeAssistant, entry: MockConfigEntry, source: JournalMeter
) -> None:
    """A reload does not wait for a meter that sends no page, and nothing begins after it."""
    backfill = entry.runtime_data.backfill
    entry.runtime_data.meter.on_connected(DESCRIPTION)
    source.silent = True
    before = len(source.opened)
    call = asyncio.create_task(backfill.async_backfill_all(dry_run=False))
    await until(lambda: len(source.opened) > before)
    await backfill.async_stop()
    with pytest.raises(LinkDownError):
        await call
    with pytest.raises(LinkDownError):
        await backfill.async_backfill_all(dry_run=False)


async def test_hours_of_a_wrong_clock_are_doubted_after_a_restart_too(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    source: JournalMeter,
    energy: str,
    hass_storage: dict[str, Any],
) -> None:
    """The journal is believed, and not a row that was made under the wrong clock."""
    # Of two hours later.
    false: Row = {"state": 112.0, "sum": 22.0}
    total = metadata(energy, "kWh", "energy", has_sum=True)
    await record_hours(hass, total, {3: false})
    await stop(hass, entry)
    stored = hass_storage[f"{DOMAIN}.journal.{entry.entry_id}"]["data"]
    stored["doubtful"] = [START + 3 * HOUR, START + 4 * HOUR]
    meter = await start(hass, entry, source)
    meter.on_connected(DESCRIPTION)
    await until(lambda: any(done == MINUTES for _, _, done in source.acknowledged))
    rows = await hours_of(hass, energy)
    assert [rows[hour]["sum"] for hour in range(6)] == pytest.approx(
        [12, 14, 16, 18, 20, 22], abs=0.01
    )


async def test_impossible_values_of_a_page_are_counted_as_refused(
    hass: HomeAssistant, entry: MockConfigEntry, source: JournalMeter
) -> None:
    """A million kilowatt-hours in a minute is no energy, and the meter's gate tells of it."""
    backfill, meter = entry.runtime_data.backfill, entry.runtime_data.meter
    energy = (0, 0, 0, 10**15, 0, 0, 0, 0)
    client = backfill._download.client
    source.send_page(page([record(60, energy)], client=client, last=1, newest=1))
    await until(lambda: meter.gate.refusals)
    assert set(meter.gate.refusals) == {"import_energy"}


async def test_lost_link_during_a_request_is_no_error(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    source: JournalMeter,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The request is repeated on the next link."""

    async def refuse(*_: object) -> None:
        raise LinkDownError("gone")

    monkeypatch.setattr(source, "open_journal", refuse)
    entry.runtime_data.meter.on_connected(DESCRIPTION)
    await asyncio.sleep(0.05)
    assert "gone" not in caplog.text


async def test_action_refuses_a_meter_without_a_journal(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """The error names the meter."""
    async_setup_backfill_services(hass)
    other = MockConfigEntry(
        domain=DOMAIN, title="Shelly", data={CONF_SOURCE: SOURCE_ENTITIES}
    )
    other.add_to_hass(hass)
    other.runtime_data = runtime_data(hass, other, Meter(JournalMeter(), DESCRIPTION))
    other.mock_state(hass, ConfigEntryState.LOADED)
    with pytest.raises(ServiceValidationError) as refused:
        await hass.services.async_call(
            DOMAIN, BACKFILL, {"config_entry_id": other.entry_id}, blocking=True
        )
    assert refused.value.translation_key == "no_journal"
    assert refused.value.translation_placeholders == {"name": "Shelly"}


async def test_store_is_removed_with_the_meter(
    hass: HomeAssistant, entry: MockConfigEntry, hass_storage: dict[str, Any]
) -> None:
    """No file of a removed meter is left."""
    key = f"{DOMAIN}.journal.{entry.entry_id}"
    assert key in hass_storage
    await async_remove_backfill_store(hass, entry.entry_id)
    assert key not in hass_storage


async def test_unclear_hours_are_logged(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    source: JournalMeter,
    energy: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Their records are acknowledged as done, and not tried for ever."""
    await record_hours(
        hass,
        metadata(energy, "kWh", "energy", has_sum=True),
        {5: {"state": 112.0, "sum": 99.0}},
    )
    await async_wait_written(hass)
    entry.runtime_data.meter.on_connected(DESCRIPTION)
    await until(lambda: any(done == MINUTES for _, _, done in source.acknowledged))
    assert "started over" in caplog.text


async def test_outage_is_forwarded_with_its_own_times(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    source: JournalMeter,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each minute of the outage is added once; a disk error leads to another try."""
    added: list[Sample] = []
    failures = [OSError("no space left")]

    async def add(data: object, samples: Iterable[Sample]) -> None:
        assert data is entry.runtime_data
        if failures:
            raise failures.pop()
        added.extend(samples)

    monkeypatch.setattr(manager_module, "async_add_samples", add)
    backfill: BackfillManager = entry.runtime_data.backfill
    backfill._outage_begin = START + 2 * 3600
    entry.runtime_data.meter.on_connected(DESCRIPTION)
    await until(lambda: "forwarded later" in caplog.text)
    entry.runtime_data.meter.on_disconnected()
    source.records += 1
    entry.runtime_data.meter.on_connected(DESCRIPTION)
    await until(lambda: bool(added))
    times = [sample.time / 1000 for sample in added]
    assert times == sorted(set(times))
    assert times[0] > START + 2 * 3600
    assert added[-1].values["import_energy"] == pytest.approx(112, abs=0.05)
    await until(lambda: backfill._outage_begin is None)
    entry.runtime_data.meter.on_disconnected()
    assert backfill._outage_begin is not None

"""The keeper of the sums looks when it has to, and ends with the recorder."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from homeassistant.const import EVENT_RECORDER_5MIN_STATISTICS_GENERATED
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nrj_monitor.backfill import sum_keeper
from custom_components.nrj_monitor.backfill.replaced_meter import (
    async_watch_first_readings,
    replacement_of,
)
from custom_components.nrj_monitor.backfill.replacement import Replacement
from custom_components.nrj_monitor.backfill.sum_keeper import (
    COMPILES,
    SumKeeper,
    async_keep_sums,
    handovers_of,
)
from custom_components.nrj_monitor.catalog import CHANNELS
from custom_components.nrj_monitor.const import (
    CONF_REPLACED,
    CONF_SOURCE,
    DOMAIN,
    SOURCE_MQTT,
)
from custom_components.nrj_monitor.meter import Meter
from tests.backfill.journal_meter import DESCRIPTION, JournalMeter
from tests.backfill.recorder_statistics import MAC

TOTAL = CHANNELS["import_energy"]
FIRST = {"import_energy": 12.5}

pytestmark = pytest.mark.usefixtures("recorder")


class Looks:
    """Counts the looks at the sums, and raises an error after each."""

    def __init__(self, error: Exception | None) -> None:
        """Initialize without a look."""
        self.count = 0
        self._error = error

    async def look(self, *_: Any) -> None:
        """Count a look."""
        self.count += 1
        if self._error is not None:
            raise self._error


def keeper(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, error: Exception | None = None
) -> tuple[SumKeeper, MockConfigEntry, Looks]:
    """Return a keeper of a meter's sums, with what it looks with."""
    looks = Looks(error)
    monkeypatch.setattr(sum_keeper, "async_keep_sums", looks.look)
    entry = MockConfigEntry(domain=DOMAIN)
    entry.add_to_hass(hass)
    meter = Meter(JournalMeter(), DESCRIPTION)
    return SumKeeper(hass, entry, meter, asyncio.Lock()), entry, looks


async def test_it_looks_no_more_than_needed(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Look at the start and after some compiles, then once an hour."""
    kept, entry, looks = keeper(hass, monkeypatch)
    now = dt_util.utcnow()
    monkeypatch.setattr(dt_util, "utcnow", lambda: now)
    kept.async_start()
    for _ in range(COMPILES + 5):
        hass.bus.async_fire(EVENT_RECORDER_5MIN_STATISTICS_GENERATED)
        await hass.async_block_till_done(wait_background_tasks=True)
    assert looks.count <= COMPILES + 1
    before = looks.count
    now = dt_util.utc_from_timestamp(now.timestamp() + 3600)
    hass.bus.async_fire(EVENT_RECORDER_5MIN_STATISTICS_GENERATED)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert looks.count == before + 1
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("is_running", [True, False])
async def test_an_error_is_one_while_home_assistant_runs(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, is_running: bool
) -> None:
    """Leave the sums to the next start where the recorder ends during a look."""
    kept, _, looks = keeper(hass, monkeypatch, RuntimeError("no more requests"))
    if not is_running:
        hass.set_state(CoreState.stopping)
        await kept._async_keep()
    else:
        with pytest.raises(RuntimeError):
            await kept._async_keep()
    assert looks.count == 1
    hass.set_state(CoreState.running)


async def test_nothing_is_asked_of_a_recorder_that_stops(hass: HomeAssistant) -> None:
    """Look at no sum while Home Assistant stops."""
    asked: list[None] = []

    def handovers() -> Mapping[str, Any] | None:
        asked.append(None)
        return {}

    hass.set_state(CoreState.stopping)
    await async_keep_sums(hass, {"sensor.total": "kWh"}, 0.0, handovers)
    hass.set_state(CoreState.running)
    assert not asked


def test_a_handover_is_unknown_until_the_new_meter_was_read(
    hass: HomeAssistant,
) -> None:
    """Tell the unknown from none."""
    assert handovers_of(hass, MAC, None) == {}
    assert handovers_of(hass, MAC, Replacement(time=1000.0)) is None


@pytest.fixture
def replaced(hass: HomeAssistant) -> tuple[MockConfigEntry, Meter]:
    """Return an entry whose meter took the place of another one, and that meter."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        data={
            CONF_SOURCE: SOURCE_MQTT,
            CONF_REPLACED: Replacement(time=1000.0).as_dict(),
        },
    )
    entry.add_to_hass(hass)
    description = replace(DESCRIPTION, channels=(TOTAL,), features=frozenset())
    meter = Meter(JournalMeter(), description)
    async_watch_first_readings(hass, entry, meter)
    meter.on_connected(description)
    return entry, meter


async def test_the_first_total_of_the_new_meter_is_noted(
    replaced: tuple[MockConfigEntry, Meter],
) -> None:
    """Wait while the meter tells no total, and note the first alone."""
    entry, meter = replaced
    for told, noted in ((None, {}), (12.5, FIRST), (13.0, FIRST)):
        meter.on_reading(TOTAL, told)
        known = replacement_of(entry)
        assert known is not None
        assert known.first == noted
        assert (known.since is not None) == bool(noted)


async def test_no_total_is_noted_once_the_entry_is_unloaded(
    replaced: tuple[MockConfigEntry, Meter],
) -> None:
    """End with the entry."""
    entry, meter = replaced
    for stop in entry._on_unload or ():
        stop()
    meter.on_reading(TOTAL, 12.5)
    known = replacement_of(entry)
    assert known is not None
    assert known.first == {}

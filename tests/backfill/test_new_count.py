"""A meter that counts from the beginning continues the old sum, in any order of events."""

from collections.abc import AsyncGenerator
from itertools import pairwise

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nrj_monitor.backfill.plan import HOUR
from custom_components.nrj_monitor.const import CONF_SOURCE, DOMAIN, SOURCE_NATIVE_API
from tests.backfill.journal_meter import DESCRIPTION, KWH, JournalMeter
from tests.backfill.recorder_statistics import START, hours_of
from tests.backfill.test_manager import start, stop, until
from tests.backfill.test_purge import (
    FIVE_MINUTES,
    OLD_STATE,
    OLD_SUM,
    compile_statistics,
    energy,
    latest_sum,
    purge_nightly,
    record_until,
    show,
)

__all__ = ["energy"]

pytestmark = pytest.mark.usefixtures("recorder")


@pytest.fixture
def enable_nightly_purge() -> bool:
    """Let the recorder purge each night, after the ten days of its default."""
    return True


@pytest.fixture
async def entry(hass: HomeAssistant) -> AsyncGenerator[MockConfigEntry]:
    """Return the entry of a meter, not started."""
    entry = MockConfigEntry(
        domain=DOMAIN, title="NRJ Meter", data={CONF_SOURCE: SOURCE_NATIVE_API}
    )
    entry.add_to_hass(hass)
    yield entry
    await stop(hass, entry)


async def heal(
    hass: HomeAssistant, entry: MockConfigEntry, source: JournalMeter
) -> None:
    """Connect the meter, and wait until its records are used."""
    (await start(hass, entry, source)).on_connected(DESCRIPTION)
    await until(lambda: any(done for _, _, done in source.acknowledged))
    await hass.async_block_till_done(wait_background_tasks=True)


@pytest.mark.parametrize("healed_first", [True, False])
@pytest.mark.parametrize("days", [0, 11])
@pytest.mark.parametrize("first", [0, 100 * KWH, 4800 * KWH])
async def test_new_count_continues_the_sum(
    hass: HomeAssistant,
    energy: str,
    entry: MockConfigEntry,
    *,
    healed_first: bool,
    days: int,
    first: int,
) -> None:
    """The flash was erased while the link was down; no hour loses the old sum."""
    await record_until(hass, energy, -24 * days)
    await purge_nightly(hass)
    # The meter counts for ten hours before it is seen again.
    source = JournalMeter(begin=START + 1.5 * HOUR, hours=10, counter=first)
    total = first / KWH + 2.0 * 10
    if healed_first:
        await heal(hass, entry, source)
        show(hass, energy, total)
        await compile_statistics(hass, FIVE_MINUTES)
    else:
        await start(hass, entry, source)
        await hass.async_block_till_done(wait_background_tasks=True)
        show(hass, energy, total)
        await compile_statistics(hass, FIVE_MINUTES)
        await stop(hass, entry)
        await heal(hass, entry, source)
    rows = await hours_of(hass, energy)
    sums = [rows[hour]["sum"] for hour in sorted(rows)]
    latest = await latest_sum(hass, energy)
    assert latest is not None
    sums.append(latest)
    assert len(rows) > 3
    gains = [later - earlier for earlier, later in pairwise(sums)]
    assert min(gains) > -0.05, gains
    known = first / KWH if first < 0.9 * OLD_STATE * KWH else 0.0
    assert latest == pytest.approx(OLD_SUM + known + 20.0, abs=0.1)
    assert max(gains) < known + 3.1

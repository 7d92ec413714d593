"""Without a recorder there is no history to heal."""

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nrj_monitor.backfill.manager import HEALERS, async_keep_history
from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.meter import Meter
from tests.backfill.journal_meter import DESCRIPTION, JournalMeter


async def test_nothing_is_fetched(hass: HomeAssistant) -> None:
    """The meter keeps its journal to itself."""
    entry = MockConfigEntry(domain=DOMAIN)
    entry.add_to_hass(hass)
    source = JournalMeter()
    meter = Meter(source, DESCRIPTION)
    await async_keep_history(hass, entry, meter)
    meter.link_up(DESCRIPTION)
    assert HEALERS not in hass.data
    assert not source.opened

"""Without a recorder there are no statistics to fill."""

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nrj_monitor.backfill.manager import async_start_backfill
from custom_components.nrj_monitor.const import CONF_SOURCE, DOMAIN, SOURCE_NATIVE_API
from custom_components.nrj_monitor.meter import Meter
from tests.backfill.journal_meter import DESCRIPTION, JournalMeter
from tests.support.runtime import runtime_data


async def test_journal_is_not_opened(hass: HomeAssistant) -> None:
    """The entry has no backfill, and the meter gets no request."""
    entry = MockConfigEntry(domain=DOMAIN, data={CONF_SOURCE: SOURCE_NATIVE_API})
    entry.add_to_hass(hass)
    source = JournalMeter()
    meter = Meter(source, DESCRIPTION)
    entry.runtime_data = runtime_data(hass, entry, meter)
    await async_start_backfill(hass, entry)
    meter.on_connected(DESCRIPTION)
    assert entry.runtime_data.backfill is None
    assert not source.opened

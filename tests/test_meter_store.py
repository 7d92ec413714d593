"""Stored data of a meter is on the disk in time."""

import asyncio
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nrj_monitor import meter_store
from custom_components.nrj_monitor.const import CONF_SOURCE, DOMAIN, SOURCE_NATIVE_API
from custom_components.nrj_monitor.meter import Meter
from custom_components.nrj_monitor.meter_store import TOTALS_DELAY, MeterStore
from tests.test_meter import DESCRIPTION, SilentSource


async def test_totals_do_not_delay_the_save_of_an_event(
    hass: HomeAssistant, hass_storage: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Totals changing each second are saved now and then, an event soon."""
    monkeypatch.setattr(meter_store, "DELAY", 0.2)
    entry = MockConfigEntry(domain=DOMAIN, data={CONF_SOURCE: SOURCE_NATIVE_API})
    store = MeterStore(hass, entry, Meter(SilentSource(), DESCRIPTION))
    key = f"{DOMAIN}.meter.{entry.entry_id}"
    store.async_schedule_save(0.2)
    for _ in range(8):
        store.async_schedule_save(TOTALS_DELAY)
        await asyncio.sleep(0.05)
    await hass.async_block_till_done()
    assert key in hass_storage
    del hass_storage[key]
    # An event after totals is not delayed by them either.
    store.async_schedule_save(TOTALS_DELAY)
    store.async_schedule_save(0.2)
    await asyncio.sleep(0.3)
    await hass.async_block_till_done()
    assert key in hass_storage

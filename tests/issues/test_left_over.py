"""Entities that the meter's firmware no longer has are offered for removal."""

import asyncio

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er, issue_registry as ir
import pytest

from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from custom_components.nrj_monitor.issues.left_over import LEFT_OVER
from tests.conftest import AddMeter
from tests.issues.test_issues import active_issues, open_fix, submit, wait_issue
from tests.support.device import DeviceServer
from tests.support.pace import patience


@pytest.fixture
async def older(
    hass: HomeAssistant, impatient: None, *, add_meter: AddMeter, server: DeviceServer
) -> NrjConfigEntry:
    """Return a meter on which an older firmware was installed, and one disabled entity."""
    server.device.sensors |= {"Active power L2": 40.0, "Reactive power L1": 3.0}
    entry = await add_meter(server.port)
    assert LEFT_OVER not in active_issues(hass)
    for name in ("Active power L2", "Reactive power L1"):
        del server.device.sensors[name]
    id_ = entity_id(hass, entry, "reactive_power_l1")
    assert id_ is not None
    er.async_get(hass).async_update_entity(
        id_, disabled_by=er.RegistryEntryDisabler.USER
    )
    await server.stop()
    await server.start()
    await wait_issue(hass, LEFT_OVER)
    return entry


def entity_id(hass: HomeAssistant, entry: NrjConfigEntry, key: str) -> str | None:
    """Return the entity id of a sensor of the meter."""
    mac = entry.runtime_data.meter.description.mac
    return er.async_get(hass).async_get_entity_id("sensor", DOMAIN, f"{mac}_{key}")


async def test_entities_are_removed_on_consent(
    hass: HomeAssistant, older: NrjConfigEntry
) -> None:
    """The form names them, disabled ones too, and nothing else is removed."""
    before = len(er.async_get(hass).entities)
    form = await open_fix(hass, LEFT_OVER)
    told = form["description_placeholders"]["entities"]
    for key in ("active_power_l2", "reactive_power_l1"):
        assert f"(`{entity_id(hass, older, key)}`)" in told
    assert len(told.splitlines()) == 2
    assert (await submit(hass, form))["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert entity_id(hass, older, "active_power_l2") is None
    assert entity_id(hass, older, "reactive_power_l1") is None
    assert len(er.async_get(hass).entities) == before - 2
    assert LEFT_OVER not in active_issues(hass)


async def test_issue_goes_with_a_firmware_that_has_them(
    hass: HomeAssistant, server: DeviceServer, older: NrjConfigEntry
) -> None:
    """Nothing is removed then."""
    server.device.sensors |= {"Active power L2": 40.0, "Reactive power L1": 3.0}
    await server.stop()
    await server.start()
    await wait_issue(hass, LEFT_OVER, is_active=False)
    assert entity_id(hass, older, "active_power_l2") is not None


async def test_offline_meter_loses_no_entity(
    hass: HomeAssistant, server: DeviceServer, older: NrjConfigEntry
) -> None:
    """Nobody knows what it has; without its entry the flow aborts."""
    form = await open_fix(hass, LEFT_OVER)
    await server.stop()
    async with asyncio.timeout(patience(10)):
        while older.runtime_data.meter.connected:
            await asyncio.sleep(0.05)
    assert (await submit(hass, form))["errors"] == {"base": "link_down"}
    assert entity_id(hass, older, "active_power_l2") is not None
    assert await hass.config_entries.async_unload(older.entry_id)
    result = await submit(hass, form)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "not_there"


async def test_removed_meter_leaves_no_issue(
    hass: HomeAssistant, older: NrjConfigEntry
) -> None:
    """The issue goes with the entry."""
    assert await hass.config_entries.async_remove(older.entry_id)
    assert (DOMAIN, f"{LEFT_OVER}_{older.entry_id}") not in ir.async_get(hass).issues

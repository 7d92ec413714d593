"""Change a meter's options, and open the entries of other versions."""

from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nrj_monitor.const import (
    CONF_MAIN_FUSE,
    CONF_SOURCE,
    CONF_STATE_DETAIL,
    DOMAIN,
    SOURCE_NATIVE_API,
)
from tests.conftest import AddMeter
from tests.support.device import DeviceServer
from tests.support.states import state_is


def unique_ids(hass: HomeAssistant, entry: ConfigEntry[Any]) -> set[str]:
    """Return the unique ids of a meter's entities."""
    registry = er.async_get(hass)
    return {
        entity.unique_id
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id)
    }


async def test_nothing_has_to_be_chosen(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Accept the options form unchanged."""
    entry = await add_meter(server.port)
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert form["step_id"] == "init"
    result = await hass.config_entries.options.async_configure(form["flow_id"], {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {CONF_STATE_DETAIL: "normal"}


@pytest.mark.parametrize("detail", ["calm", "fine"])
async def test_the_chosen_detail_is_kept_and_shown(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer, detail: str
) -> None:
    """Run the meter with the chosen detail, and show the choice in the form."""
    entry = await add_meter(server.port)
    form = await hass.config_entries.options.async_init(entry.entry_id)
    await hass.config_entries.options.async_configure(
        form["flow_id"], {CONF_STATE_DETAIL: detail}
    )
    await hass.async_block_till_done()
    assert entry.options == {CONF_STATE_DETAIL: detail}
    await state_is(hass, "sensor.nrj_meter_voltage_l1", "230.0")
    again = await hass.config_entries.options.async_init(entry.entry_id)
    assert again["data_schema"] is not None
    field = next(key for key in again["data_schema"].schema if key == CONF_STATE_DETAIL)
    assert field.description == {"suggested_value": detail}


async def test_the_main_fuse_can_be_set_and_cleared(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Store the main fuse's rating, clear an emptied field and refuse nonsense."""
    entry = await add_meter(server.port)

    async def configure(answers: dict[str, Any]) -> None:
        form = await hass.config_entries.options.async_init(entry.entry_id)
        await hass.config_entries.options.async_configure(form["flow_id"], answers)
        await hass.async_block_till_done()

    await configure({CONF_MAIN_FUSE: 25})
    assert entry.options[CONF_MAIN_FUSE] == 25
    for nonsense in (0, -16, 1000, "a lot"):
        with pytest.raises(InvalidData):
            await configure({CONF_MAIN_FUSE: nonsense})
    assert entry.options[CONF_MAIN_FUSE] == 25
    await configure({})
    assert CONF_MAIN_FUSE not in entry.options


async def test_an_entry_of_the_first_version_works_on(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Read an entry without a source as a native API meter, and keep its entities."""
    fresh = await add_meter(server.port)
    first_version = {
        key: value for key, value in fresh.data.items() if key != CONF_SOURCE
    }
    before = unique_ids(hass, fresh)
    assert await hass.config_entries.async_remove(fresh.entry_id)
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=fresh.title,
        unique_id=fresh.unique_id,
        data=first_version,
        version=1,
        minor_version=1,
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert entry.data == first_version | {CONF_SOURCE: SOURCE_NATIVE_API}
    assert entry.minor_version == 3
    await state_is(hass, "sensor.nrj_meter_voltage_l1", "230.0")
    assert unique_ids(hass, entry) == before


async def test_an_entry_of_a_later_version_is_not_touched(
    hass: HomeAssistant, unloaded: None
) -> None:
    """Refuse to set up an entry of a later version after a downgrade."""
    entry = MockConfigEntry(domain=DOMAIN, version=2, data={})
    entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.MIGRATION_ERROR
    assert entry.data == {}

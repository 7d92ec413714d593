"""Clean install, upgrade and removal of a meter, and the data left by each."""

import json
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_PORT, EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nrj_monitor.const import CONF_MAIN_FUSE, DOMAIN
from nrj_tools.firmware import RunningFirmware
from tests.conftest import HOST, AddMeter
from tests.support.assist import expose
from tests.support.device import MAC, DeviceServer
from tests.support.states import state_is, state_where

# The recorder has to be there before Home Assistant is.
pytestmark = pytest.mark.usefixtures("recorder_mock")

VOLTAGE = "sensor.nrj_meter_voltage_l1"
RELAY = "switch.nrj_meter_relay_1"

MEMORY_OF_THE_DELETED = {"deleted_devices", "deleted_entities"}
"""What Home Assistant's registries keep a while, so that what returns has its name again."""

LAST_STATES = "core.restore_state"
"""Home Assistant keeps the last states of what was removed for some days."""


async def stored(hass: HomeAssistant, hass_storage: dict[str, Any]) -> dict[str, str]:
    """Return the files Home Assistant writes at its stop."""
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    return {
        name: json.dumps(_without_the_deleted(content["data"]), default=str)
        for name, content in hass_storage.items()
        if name != LAST_STATES
    }


def _without_the_deleted(data: Any) -> Any:
    if not isinstance(data, dict):
        return data
    return {k: v for k, v in data.items() if k not in MEMORY_OF_THE_DELETED}


def traces(hass: HomeAssistant) -> list[str]:
    """Return all of a meter's data in Home Assistant."""
    return [
        *(entry.title for entry in hass.config_entries.async_entries(DOMAIN)),
        *(
            entity.entity_id
            for entity in er.async_get(hass).entities.values()
            if entity.platform == DOMAIN
        ),
        *(
            state.entity_id
            for state in hass.states.async_all()
            if "nrj" in state.entity_id
        ),
        *(
            issue.translation_key or ""
            for issue in ir.async_get(hass).issues.values()
            if issue.domain == DOMAIN
        ),
        *(
            dialogue["flow_id"]
            for dialogue in hass.config_entries.flow.async_progress_by_handler(DOMAIN)
        ),
    ]


async def test_a_removed_meter_leaves_nothing_behind(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    hass_storage: dict[str, Any],
) -> None:
    """A meter with data in every store is removed without a trace."""
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, "energy", {})
    entry = await add_meter(server.port)
    await state_is(hass, VOLTAGE, "230.0")
    expose(hass, VOLTAGE)
    await hass.services.async_call(
        DOMAIN, "add_to_energy_dashboard", {}, blocking=True, return_response=True
    )
    form = await hass.config_entries.options.async_init(entry.entry_id)
    await hass.config_entries.options.async_configure(
        form["flow_id"], {CONF_MAIN_FUSE: 25}
    )
    await hass.async_block_till_done()
    before = await stored(hass, hass_storage)
    remembering = {name for name, text in before.items() if MAC.lower() in text}
    assert {"core.config_entries", "core.entity_registry"} <= remembering

    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert traces(hass) == []
    for name, text in (await stored(hass, hass_storage)).items():
        assert DOMAIN not in name
        for trace in (DOMAIN, MAC.lower(), entry.entry_id, "nrj_meter"):
            assert trace not in text, name


async def test_an_absent_meter_leaves_nothing_behind_when_removed(
    hass: HomeAssistant,
    add_meter: AddMeter,
    server: DeviceServer,
    hass_storage: dict[str, Any],
) -> None:
    """Leave no data of a meter removed while absent."""
    entry = await add_meter(server.port)
    await server.stop()
    await state_is(hass, VOLTAGE, "unavailable")
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert traces(hass) == []
    for name, text in (await stored(hass, hass_storage)).items():
        assert MAC.lower() not in text, name


async def test_the_real_meter_can_be_removed_and_added_again(
    hass: HomeAssistant, add_meter: AddMeter, firmware: RunningFirmware
) -> None:
    """The meter has the same entities with the same names the second time."""

    def measured(state: Any) -> bool:
        return state.state not in ("unavailable", "unknown")

    first = await add_meter(firmware.port)
    await state_where(hass, VOLTAGE, measured)
    names = sorted(traces(hass))
    await hass.config_entries.async_remove(first.entry_id)
    await hass.async_block_till_done()
    assert traces(hass) == []
    await add_meter(firmware.port)
    await state_where(hass, VOLTAGE, measured)
    assert sorted(traces(hass)) == names


async def test_an_upgrade_keeps_a_person_s_changes(
    hass: HomeAssistant,
    unloaded: None,
    server: DeviceServer,
    hass_storage: dict[str, Any],
) -> None:
    """Keep entity ids, names and disabled entities as the first version stored all three."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="NRJ Meter",
        unique_id=MAC.lower(),
        version=1,
        minor_version=1,
        data={
            CONF_HOST: HOST,
            CONF_PORT: server.port,
            "meter": {
                "mac": MAC.lower(),
                "name": "NRJ Meter",
                "manufacturer": "nrj-monitor",
                "model": "meter",
                "hardware": "host",
                "software": "0.1.0 (ESPHome 2026.10.0)",
                "channels": ["voltage_l1", "active_power", "a_quantity_of_the_past"],
                "relays": {"relay_1": "Relay 1", "relay_2": "Relay 2"},
            },
        },
    )
    entry.add_to_hass(hass)
    registry = er.async_get(hass)
    for platform, key, entity_id in (
        ("sensor", "voltage_l1", "mains"),
        ("sensor", "active_power", "house_power"),
        ("switch", "relay_1", "boiler"),
    ):
        registry.async_get_or_create(
            platform,
            DOMAIN,
            f"{MAC.lower()}_{key}",
            config_entry=entry,
            suggested_object_id=entity_id,
        )
    own_names: list[str | er.ComputedNameType] = [er.COMPUTED_NAME, "Hot water"]
    registry.async_update_entity("switch.boiler", name="Boiler", aliases=own_names)
    registry.async_update_entity(
        "sensor.house_power", disabled_by=er.RegistryEntryDisabler.USER
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    await state_is(hass, "sensor.mains", "230.0")
    boiler = await state_is(hass, "switch.boiler", "off")
    assert boiler.name.endswith("Boiler")
    assert hass.states.get("sensor.house_power") is None
    kept = registry.async_get("switch.boiler")
    assert kept is not None
    assert kept.aliases == own_names
    unique_ids = [
        e.unique_id for e in registry.entities.values() if e.platform == DOMAIN
    ]
    assert len(unique_ids) == len(set(unique_ids))

    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert traces(hass) == []
    for name, text in (await stored(hass, hass_storage)).items():
        assert MAC.lower() not in text, name


async def test_a_clean_install_asks_nothing_and_shows_nothing_before_a_meter(
    hass: HomeAssistant, unloaded: None
) -> None:
    """Installed, restarted, and there is nothing but the actions."""
    assert await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done()
    assert traces(hass) == []
    assert hass.services.has_service(DOMAIN, "add_to_energy_dashboard")

"""The meter is added to the energy dashboard and removed by actions and buttons."""

import asyncio
from datetime import timedelta
from typing import Any

from homeassistant.components.energy.data import async_get_manager
from homeassistant.components.energy.validate import async_validate
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
    get_start_time,
)

from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from tests.conftest import AddMeter
from tests.support.device import DeviceServer
from tests.support.entities_meter import add_entities, tell

# The recorder must start before Home Assistant.
pytestmark = pytest.mark.usefixtures("recorder_mock")

IMPORT = "sensor.nrj_meter_import_energy"
EXPORT = "sensor.nrj_meter_export_energy"
POWER = "sensor.nrj_meter_active_power"

type Prefs = list[dict[str, Any]]


@pytest.fixture
async def dashboard(hass: HomeAssistant) -> None:
    """Set up an empty energy dashboard."""
    assert await async_setup_component(hass, "energy", {})


@pytest.fixture
async def entry(
    dashboard: None, add_meter: AddMeter, server: DeviceServer
) -> NrjConfigEntry:
    """Add a meter with import and export."""
    server.device.sensors["Export energy"] = 3.25
    return await add_meter(server.port)


async def preferences(hass: HomeAssistant) -> Prefs:
    """Return the sources in the energy dashboard."""
    data = (await async_get_manager(hass)).data
    return [] if data is None else [dict(source) for source in data["energy_sources"]]


async def save(hass: HomeAssistant, prefs: Prefs) -> None:
    """Save sources as a person does in the energy dashboard."""
    update: Any = {"energy_sources": prefs}
    await (await async_get_manager(hass)).async_update(update)


async def call(hass: HomeAssistant, action: str, **fields: Any) -> Any:
    """Call an action of the integration and return its response."""
    return await hass.services.async_call(
        DOMAIN, action, fields, blocking=True, return_response=True
    )


async def add(hass: HomeAssistant, **fields: Any) -> Any:
    """Call the action to add the meter."""
    return await call(hass, "add_to_energy_dashboard", **fields)


async def remove(hass: HomeAssistant, **fields: Any) -> Any:
    """Call the action to remove the meter."""
    return await call(hass, "remove_from_energy_dashboard", **fields)


async def record_statistics(hass: HomeAssistant) -> None:
    """Compile the statistics of what has been recorded."""
    await async_wait_recording_done(hass)
    this_period = get_start_time(dt_util.utcnow())
    for start in (this_period - timedelta(minutes=5), this_period):
        do_adhoc_statistics(hass, start=start)
    await async_wait_recording_done(hass)


def grid(**changed: Any) -> dict[str, Any]:
    """Return the meter's grid connection as Home Assistant stores sources."""
    return {
        "type": "grid",
        "stat_energy_from": IMPORT,
        "stat_energy_to": EXPORT,
        "stat_rate": POWER,
        "stat_cost": None,
        "entity_energy_price": None,
        "number_energy_price": None,
        "stat_compensation": None,
        "entity_energy_price_export": None,
        "number_energy_price_export": None,
        "cost_adjustment_day": 0.0,
    } | changed


OWN: Prefs = [
    grid(
        stat_energy_from="sensor.utility",
        stat_energy_to=None,
        stat_rate="sensor.utility_power",
        number_energy_price=0.31,
    ),
    {"type": "gas", "stat_energy_from": "sensor.gas"},
]
"""Sources that a person has in the dashboard already."""


async def test_empty_dashboard_gets_import_export_and_power(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """A call without fields adds all three sensors."""
    assert await add(hass) == {
        "added": [IMPORT, EXPORT, POWER],
        "already_there": [],
    }
    assert await preferences(hass) == [grid()]


async def test_second_call_changes_nothing(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """The response lists the sensors as already there."""
    await add(hass)
    assert await add(hass, config_entry_id=entry.entry_id) == {
        "added": [],
        "already_there": [IMPORT, EXPORT, POWER],
    }
    assert await preferences(hass) == [grid()]


async def test_sources_of_a_person_stay_as_they_are(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """Adding and removing the meter changes no source of a person."""
    await save(hass, OWN)
    await add(hass)
    assert await preferences(hass) == [*OWN, grid()]
    assert await remove(hass) == {"removed": [POWER, EXPORT, IMPORT], "left": []}
    assert await preferences(hass) == OWN


async def test_sources_entered_by_hand_are_not_removed(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """Only the power was missing, so only the power is removed."""
    by_hand = grid(number_energy_price=0.28)
    del by_hand["stat_rate"]
    await save(hass, [by_hand])
    assert await add(hass) == {"added": [POWER], "already_there": [IMPORT, EXPORT]}
    assert await remove(hass) == {"removed": [POWER], "left": [EXPORT, IMPORT]}
    assert await preferences(hass) == [by_hand]


async def test_named_solar_and_battery_sensors_are_added(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """Sensors of other integrations are added and removed with the meter."""
    named = {
        "solar_production": ("sensor.sun", "energy"),
        "solar_power": ("sensor.sun_power", "power"),
        "battery_discharge": ("sensor.out", "energy"),
        "battery_charge": ("sensor.in", "energy"),
        "battery_power": ("sensor.flow", "power"),
        "battery_level": ("sensor.level", "battery"),
    }
    for entity_id, device_class in named.values():
        hass.states.async_set(entity_id, "1", {"device_class": device_class})
    response = await add(hass, **{name: id_ for name, (id_, _) in named.items()})
    assert len(response["added"]) == 9
    _, solar, battery = await preferences(hass)
    assert (solar["stat_energy_from"], solar["stat_rate"]) == (
        "sensor.sun",
        "sensor.sun_power",
    )
    assert battery == {
        "type": "battery",
        "stat_energy_from": "sensor.out",
        "stat_energy_to": "sensor.in",
        "stat_rate": "sensor.flow",
        "stat_soc": "sensor.level",
    }
    await remove(hass)
    assert await preferences(hass) == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"solar_production": "sensor.nowhere"}, "sensor.nowhere cannot be taken"),
        ({"solar_production": POWER}, "device class energy"),
        ({"battery_charge": IMPORT}, "battery_charge also needs battery_discharge"),
        ({"solar_power": POWER}, "solar_power also needs solar_production"),
    ],
)
async def test_unsuitable_sensor_is_refused_and_nothing_changes(
    hass: HomeAssistant, entry: NrjConfigEntry, fields: dict[str, str], message: str
) -> None:
    """The error names the reason, and no source is added."""
    with pytest.raises(ServiceValidationError, match=message):
        await add(hass, **fields)
    assert await preferences(hass) == []


async def test_edited_connection_loses_only_the_added_sensors(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """The import counter and price set by a person stay."""
    await add(hass)
    await save(
        hass, [grid(stat_energy_from="sensor.utility", number_energy_price=0.31)]
    )
    await remove(hass)
    (left,) = await preferences(hass)
    assert left["stat_energy_from"] == "sensor.utility"
    assert left["number_energy_price"] == 0.31
    assert left["stat_energy_to"] is None
    assert "stat_rate" not in left


async def test_renamed_sensor_is_removed_by_its_new_name(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """A person has put the new entity id of a sensor into the dashboard."""
    await add(hass)
    er.async_get(hass).async_update_entity(IMPORT, new_entity_id="sensor.bought")
    await save(hass, [grid(stat_energy_from="sensor.bought")])
    await remove(hass)
    assert await preferences(hass) == []


async def test_renamed_sensor_keeps_its_place(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """Neither a dead name nor a second connection is left, whatever else it holds."""
    await add(hass)
    await save(hass, [*OWN, grid(number_energy_price=0.28)])
    er.async_get(hass).async_update_entity(IMPORT, new_entity_id="sensor.bought")
    await hass.async_block_till_done()
    followed = grid(stat_energy_from="sensor.bought", number_energy_price=0.28)
    assert await preferences(hass) == [*OWN, followed]
    assert await add(hass) == {
        "added": [],
        "already_there": ["sensor.bought", EXPORT, POWER],
    }
    assert await preferences(hass) == [*OWN, followed]
    await hass.async_block_till_done()
    cost = hass.states.get(f"{IMPORT}_cost")
    assert cost is not None
    assert cost.state != "unavailable", "what it costs is still counted"
    await remove(hass)
    assert await preferences(hass) == OWN


async def test_sensors_renamed_while_the_meter_is_not_loaded_are_followed(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """The meter's own and the mapped ones; names that were swapped too."""
    registry = er.async_get(hass)
    sun = registry.async_get_or_create("sensor", "sun", "1", object_id_base="sun")
    hass.states.async_set("sensor.sun", "1", {"device_class": "energy"})
    await add(hass, solar_production="sensor.sun")
    assert await hass.config_entries.async_unload(entry.entry_id)
    registry.async_update_entity(sun.entity_id, new_entity_id="sensor.roof")
    for old, new in ((IMPORT, "sensor.x"), (EXPORT, IMPORT), ("sensor.x", EXPORT)):
        registry.async_update_entity(old, new_entity_id=new)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    own, solar = await preferences(hass)
    assert own == grid(stat_energy_from=EXPORT, stat_energy_to=IMPORT)
    assert solar["stat_energy_from"] == "sensor.roof"


async def test_names_stored_by_an_earlier_version_are_followed(
    hass: HomeAssistant, entry: NrjConfigEntry, hass_storage: dict[str, Any]
) -> None:
    """The meter's own sensor is told by its key where its registry id was not stored."""
    await add(hass)
    (stored,) = hass_storage[f"{DOMAIN}.energy_dashboard"]["data"][entry.entry_id]
    del stored["registry_ids"]
    assert await hass.config_entries.async_unload(entry.entry_id)
    er.async_get(hass).async_update_entity(IMPORT, new_entity_id="sensor.bought")
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert await preferences(hass) == [grid(stat_energy_from="sensor.bought")]


async def test_removed_meter_leaves_the_dashboard(
    hass: HomeAssistant, entry: NrjConfigEntry, hass_storage: dict[str, Any]
) -> None:
    """Neither a source nor stored data of a removed meter is left."""
    await save(hass, OWN)
    await add(hass)
    assert f"{DOMAIN}.energy_dashboard" in hass_storage
    await hass.config_entries.async_remove(entry.entry_id)
    assert await preferences(hass) == OWN
    assert f"{DOMAIN}.energy_dashboard" not in hass_storage


async def test_disabled_counter_is_not_added(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """A disabled sensor has no statistics."""
    registry = er.async_get(hass)
    registry.async_update_entity(EXPORT, disabled_by=er.RegistryEntryDisabler.USER)
    assert (await add(hass))["added"] == [IMPORT, POWER]


async def test_only_phase_of_a_meter_stands_for_the_total(
    hass: HomeAssistant, dashboard: None, add_meter: AddMeter, server: DeviceServer
) -> None:
    """A single-phase meter without totals is a grid connection as well."""
    server.device.sensors = {"Import energy L1": 5.0, "Active power L1": 100.0}
    await add_meter(server.port)
    await add(hass)
    (source,) = await preferences(hass)
    assert source["stat_energy_from"] == f"{IMPORT}_l1"
    assert source["stat_energy_to"] is None
    assert source["stat_rate"] == f"{POWER}_l1"


async def test_meter_without_energy_is_refused(
    hass: HomeAssistant, dashboard: None, add_meter: AddMeter, server: DeviceServer
) -> None:
    """The error names the meter, which has no sensor to add."""
    server.device.sensors = {"Voltage L1": 230.0, "Active power": 1500.0}
    await add_meter(server.port)
    with pytest.raises(ServiceValidationError, match="NRJ Meter has no enabled sensor"):
        await add(hass)


async def test_missing_dashboard_is_an_error(
    hass: HomeAssistant, add_meter: AddMeter, server: DeviceServer
) -> None:
    """Without the dashboard the meter works, and can be removed."""
    entry = await add_meter(server.port)
    with pytest.raises(ServiceValidationError, match="no energy dashboard"):
        await add(hass)
    assert await hass.config_entries.async_remove(entry.entry_id)


async def test_action_on_a_disabled_meter_is_refused(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """Home Assistant's own error names the entry."""
    await hass.config_entries.async_set_disabled_by(
        entry.entry_id, ConfigEntryDisabler.USER
    )
    with pytest.raises(HomeAssistantError):
        await add(hass, config_entry_id=entry.entry_id)


async def test_buttons_add_and_remove_the_meter(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """The button to remove is disabled at first, as people rarely remove the meter."""
    registry = er.async_get(hass)
    undo = "button.nrj_meter_remove_from_energy_dashboard"
    registered = registry.async_get(undo)
    assert registered is not None
    assert registered.disabled
    registry.async_update_entity(undo, disabled_by=None)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    await press(hass, "button.nrj_meter_add_to_energy_dashboard")
    assert await preferences(hass) == [grid()]
    await press(hass, undo)
    assert await preferences(hass) == []


async def test_dashboard_validates_the_added_sources(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    server: DeviceServer,
) -> None:
    """Home Assistant's own validation passes once there are statistics."""
    await add(hass)
    server.measure(import_energy=12.6, export_energy=3.26, active_power=1600.0)
    await asyncio.sleep(1.2)
    await record_statistics(hass)
    assert (await async_validate(hass)).as_dict() == {
        "energy_sources": [[]],
        "device_consumption": [],
        "device_consumption_water": [],
    }


async def test_three_single_phase_meters_are_added_phase_by_phase(
    hass: HomeAssistant, dashboard: None, unloaded: None
) -> None:
    """Three meters with a counter each are three connections that validate, and no empty one."""
    measured: dict[str, tuple[float, str]] = {}
    for phase in ("l1", "l2", "l3"):
        measured[f"sensor.plug_{phase}_energy"] = (100.0, "kWh")
        measured[f"sensor.plug_{phase}_returned"] = (1.0, "kWh")
        measured[f"sensor.plug_{phase}_power"] = (500.0, "W")
    tell(hass, measured)
    entry = await add_entities(
        hass,
        "3",
        {
            f"{field}_{phase}": [entity] if "energy" in field else entity
            for phase in ("l1", "l2", "l3")
            for field, name in (
                ("import_energy", "energy"),
                ("export_energy", "returned"),
                ("active_power", "power"),
            )
            for entity in (f"sensor.plug_{phase}_{name}",)
        },
    )
    await add(hass)
    assert await preferences(hass) == [
        grid(
            stat_energy_from=f"sensor.house_import_energy_{phase}",
            stat_energy_to=f"sensor.house_export_energy_{phase}",
            stat_rate=f"sensor.house_active_power_{phase}",
        )
        for phase in ("l1", "l2", "l3")
    ]
    await record_statistics(hass)
    assert (await async_validate(hass)).as_dict()["energy_sources"] == [[], [], []]
    await remove(hass, config_entry_id=entry.entry_id)
    assert await preferences(hass) == []


async def press(hass: HomeAssistant, entity_id: str) -> None:
    """Press a button."""
    await hass.services.async_call(
        "button", "press", {"entity_id": entity_id}, blocking=True
    )

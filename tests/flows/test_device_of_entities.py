"""A meter made of the entities of a device: chosen by it, and shown as its own."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from tests.support.entities_meter import (
    add_entities,
    begin,
    confirm,
    fill_in,
    reconfigure,
    shown,
    start,
    tell,
)
from tests.support.forms import typed
from tests.support.states import state_is

pytestmark = pytest.mark.usefixtures("unloaded")


def register(
    hass: HomeAssistant,
    device: str,
    entities: dict[str, tuple[str, str, str]],
    **more: Any,
) -> dr.DeviceEntry:
    """Register a device with sensors: device class, unit and value by key."""
    entry = hass.config_entries.async_get_entry("other")
    if entry is None:
        MockConfigEntry(domain="other", entry_id="other").add_to_hass(hass)
        entry = hass.config_entries.async_get_known_entry("other")
    made = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={("other", device)},
        name=device,
        **({"manufacturer": "Acme", "model": "Meter 3"} | more),
    )
    for key, (device_class, unit, value) in entities.items():
        entity = er.async_get(hass).async_get_or_create(
            "sensor",
            "other",
            f"{device}_{key}",
            config_entry=entry,
            device_id=made.id,
            original_device_class=device_class,
            unit_of_measurement=unit,
            capabilities={
                "state_class": "total_increasing"
                if device_class == "energy"
                else "measurement"
            },
            object_id_base=f"{device} {key}",
        )
        tell(hass, {entity.entity_id: (value, unit)})
    return made


P1_DEVICE = {
    "electricity_used_tariff_1": ("energy", "kWh", "1000"),
    "electricity_used_tariff_2": ("energy", "kWh", "2000"),
    "electricity_delivered_tariff_1": ("energy", "kWh", "10"),
    "electricity_delivered_tariff_2": ("energy", "kWh", "20"),
    "current_electricity_usage": ("power", "kW", "0"),
    "current_electricity_delivery": ("power", "kW", "1.25"),
    "voltage_l1": ("voltage", "V", "230"),
    "uptime": ("duration", "s", "3"),
}


def device_of(hass: HomeAssistant, entry: NrjConfigEntry) -> dr.DeviceEntry:
    """Return the device of a meter."""
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return device


async def test_a_device_fills_in_its_entities(hass: HomeAssistant) -> None:
    """Choose a device, and send the form as it opens; the meter says whose it is."""
    device = register(hass, "Reader", P1_DEVICE)
    form = await begin(hass, "1", device.id)
    assert shown(form) == {
        "voltage_l1": "sensor.reader_voltage_l1",
        "active_power_l1": "sensor.reader_current_electricity_usage",
        "active_power_returned_l1": "sensor.reader_current_electricity_delivery",
        "import_energy": [
            "sensor.reader_electricity_used_tariff_1",
            "sensor.reader_electricity_used_tariff_2",
        ],
        "export_energy": [
            "sensor.reader_electricity_delivered_tariff_1",
            "sensor.reader_electricity_delivered_tariff_2",
        ],
    }
    entry = await confirm(hass, await fill_in(hass, form, shown(form)))
    await state_is(hass, "sensor.house_import_energy", "3000.0")
    await state_is(hass, "sensor.house_active_power", "-1250.0")
    made = device_of(hass, entry)
    assert (made.manufacturer, made.model) == ("Acme", "Meter 3")
    assert made.via_device_id == device.id
    state = hass.states.get("sensor.house_active_power")
    assert state is not None
    assert state.attributes["source"] == [
        "sensor.reader_current_electricity_usage",
        "sensor.reader_current_electricity_delivery",
    ]
    assert typed(await reconfigure(hass, entry))["device_id"] == device.id


async def test_another_device_brings_its_entities(hass: HomeAssistant) -> None:
    """Reconfigured with another device, the form has that one's entities."""
    first = register(hass, "First", {"power": ("power", "W", "100")})
    other = register(hass, "Other", {"power": ("power", "W", "200")})
    entry = await add_entities(hass, "1", {"active_power_l1": "sensor.first_power"})
    form = await start(hass, await reconfigure(hass, entry), "1", first.id)
    assert shown(form) == {"active_power_l1": "sensor.first_power"}
    form = await start(hass, await reconfigure(hass, entry), "1", other.id)
    assert shown(form) == {"active_power_l1": "sensor.other_power"}


async def test_a_device_in_parts_is_one_meter(hass: HomeAssistant) -> None:
    """A device of each phase belongs to the whole; what is behind a hub does not."""
    whole = register(hass, "EM", {"total_act_power": ("power", "W", "300")})
    for phase in "abc":
        power = {f"em:0-{phase}_act_power": ("power", "W", "100")}
        register(hass, f"EM Phase {phase.upper()}", power, via_device_id=whole.id)
    hub = {"power_total_of_all": ("power", "W", "7")}
    register(hass, "Stranger", hub, via_device_id=whole.id, model="Plug")
    form = await begin(hass, "3", whole.id)
    assert set(shown(form)) == {
        "active_power",
        *(f"active_power_{phase}" for phase in ("l1", "l2", "l3")),
    }
    entry = await confirm(hass, await fill_in(hass, form, shown(form)))
    assert device_of(hass, entry).via_device_id == whole.id


async def test_several_devices_are_named(hass: HomeAssistant) -> None:
    """A meter made of several devices says which, and belongs to none."""
    for phase in ("l1", "l2"):
        register(hass, f"Plug {phase}", {"power": ("power", "W", "100")})
    entry = await add_entities(
        hass,
        "2",
        {
            f"active_power_{phase}": f"sensor.plug_{phase}_power"
            for phase in ("l1", "l2")
        },
    )
    made = device_of(hass, entry)
    assert (made.manufacturer, made.model) == ("NRJ Monitor", "Plug l1, Plug l2")
    assert made.via_device_id is None
    state = hass.states.get("sensor.house_active_power")
    assert state is not None
    assert state.attributes["source"] == [
        "sensor.plug_l1_power",
        "sensor.plug_l2_power",
    ]


async def test_a_device_that_is_gone_fills_in_nothing(hass: HomeAssistant) -> None:
    """The form opens empty for a device removed meanwhile."""
    assert shown(await begin(hass, "3", "gone")) == {}


async def test_a_part_is_a_device_to_choose_too(hass: HomeAssistant) -> None:
    """A child device fills in what it has; the meter belongs to the whole."""
    whole = register(hass, "Box", {})
    registry = dr.async_get(hass)
    child = registry.async_get_or_create_child(
        config_entry_id="other",
        parent_device_id=whole.id,
        identifiers={("other", "part")},
        name="Part",
    )
    entity = er.async_get(hass).async_get_or_create(
        "sensor",
        "other",
        "part_voltage",
        config_entry=hass.config_entries.async_get_known_entry("other"),
        device_id=child.id,
        original_device_class="voltage",
        unit_of_measurement="V",
        capabilities={"state_class": "measurement"},
    )
    tell(hass, {entity.entity_id: (230, "V")})
    for device_id in (child.id, whole.id):
        form = await begin(hass, "1", device_id)
        assert shown(form) == {"voltage_l1": entity.entity_id}
    entry = await confirm(hass, await fill_in(hass, form, shown(form)))
    assert device_of(hass, entry).via_device_id == whole.id

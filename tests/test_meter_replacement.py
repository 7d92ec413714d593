"""What belongs to an old meter goes to the new one, and nothing else."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.nrj_monitor.backfill.plan import HOUR
from custom_components.nrj_monitor.backfill.replacement import Replacement
from custom_components.nrj_monitor.const import CONF_REPLACED, DOMAIN
from custom_components.nrj_monitor.meter_replacement import (
    async_complete_replacement,
    async_replace_meter,
)

OLD, NEW = "02:4e:52:4a:00:01", "02:4e:52:4a:00:02"


async def test_a_meter_that_is_not_set_up_is_replaced(hass: HomeAssistant) -> None:
    """Entities and device of the meter get the new MAC address; loads keep theirs."""
    entry = MockConfigEntry(domain=DOMAIN, title="NRJ Meter")
    entry.add_to_hass(hass)
    devices, entities = dr.async_get(hass), er.async_get(hass)
    for identifier in (OLD, "a load"):
        devices.async_get_or_create(
            config_entry_id=entry.entry_id, identifiers={(DOMAIN, identifier)}
        )
    for unique_id in (f"{OLD}_voltage_l1", "a load_activity"):
        entities.async_get_or_create("sensor", DOMAIN, unique_id, config_entry=entry)
    await async_replace_meter(hass, entry, OLD, NEW)
    assert {
        entity.unique_id
        for entity in er.async_entries_for_config_entry(entities, entry.entry_id)
    } == {f"{NEW}_voltage_l1", "a load_activity"}
    assert {
        identifier
        for device in dr.async_entries_for_config_entry(devices, entry.entry_id)
        for _, identifier in device.identifiers
    } == {NEW, "a load"}


async def test_a_crash_after_a_replacement_leaves_nothing_to_the_old_meter(
    hass: HomeAssistant,
) -> None:
    """The entry was on the disk, the registry of the entities was not yet."""
    entry = MockConfigEntry(domain=DOMAIN, unique_id=NEW)
    entry.add_to_hass(hass)
    entities = er.async_get(hass)
    for unique_id in (
        f"{OLD}_voltage_l1",
        f"{OLD}_frequency",
        f"{NEW}_frequency",
        "a load_activity",
    ):
        entities.async_get_or_create("sensor", DOMAIN, unique_id, config_entry=entry)
    voltage = entities.async_get_entity_id("sensor", DOMAIN, f"{OLD}_voltage_l1")
    async_complete_replacement(hass, entry, NEW)
    assert not entities.async_get_entity_id("sensor", DOMAIN, f"{NEW}_voltage_l1")
    replacement = Replacement(time=1000.0)
    hass.config_entries.async_update_entry(
        entry, data={CONF_REPLACED: replacement.as_dict()}
    )
    async_complete_replacement(hass, entry, NEW)
    found = er.async_entries_for_config_entry(entities, entry.entry_id)
    assert {entity.unique_id for entity in found} == {
        f"{NEW}_voltage_l1",
        # One that was made since stays, and so does its old namesake.
        f"{NEW}_frequency",
        f"{OLD}_frequency",
        "a load_activity",
    }
    assert (
        entities.async_get_entity_id("sensor", DOMAIN, f"{NEW}_voltage_l1") == voltage
    )


async def test_a_meter_replaced_twice_in_a_day_has_both_in_mind(
    hass: HomeAssistant,
) -> None:
    """Until a day later: so long its sums before are looked at."""
    now = dt_util.utcnow().timestamp()
    for age, is_kept in ((HOUR, True), (25 * HOUR, False)):
        first = Replacement(time=now - age, last={"import_energy": 100.0})
        entry = MockConfigEntry(
            domain=DOMAIN, data={CONF_REPLACED: first.as_dict()}, unique_id=OLD
        )
        entry.add_to_hass(hass)
        replacement = await async_replace_meter(hass, entry, OLD, NEW)
        assert replacement.before == (first if is_kept else None)

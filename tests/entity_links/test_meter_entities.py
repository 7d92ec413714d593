"""Entities that a meter is made of: renamed, removed, disabled and back again."""

from homeassistant.config_entries import SOURCE_RECONFIGURE
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
import pytest

from custom_components.nrj_monitor.const import DOMAIN
from custom_components.nrj_monitor.entry_data import NrjConfigEntry
from tests.support.entities_meter import add_entities, fill_in, tell
from tests.support.states import state_is

DRAWN, FED, COUNTED = "sensor.drawn", "sensor.fed", "sensor.counted"
STATES = {DRAWN: (1000.0, "W"), FED: (0.0, "W"), COUNTED: (12.5, "kWh")}

pytestmark = pytest.mark.usefixtures("unloaded")


@pytest.fixture
async def entry(hass: HomeAssistant, unloaded: None) -> NrjConfigEntry:
    """Return a meter made of three registered entities."""
    for entity_id in STATES:
        er.async_get(hass).async_get_or_create(
            "sensor", "p1", entity_id, object_id_base=entity_id.partition(".")[2]
        )
    tell(hass, STATES)
    entry = await add_entities(
        hass,
        "1",
        {
            "active_power_l1": DRAWN,
            "active_power_returned_l1": FED,
            "import_energy": [COUNTED],
        },
    )
    await state_is(hass, "sensor.house_active_power", "1000.0")
    return entry


def rename(hass: HomeAssistant, old: str, new: str, watts: float | None = None) -> None:
    """Rename an entity as Home Assistant does: its state moves along."""
    state = hass.states.get(old)
    assert state is not None
    er.async_get(hass).async_update_entity(old, new_entity_id=new)
    hass.states.async_remove(old)
    value = state.state if watts is None else str(watts)
    hass.states.async_set(new, value, dict(state.attributes))


def missed(hass: HomeAssistant) -> dict[str, dict[str, str]]:
    """Return the placeholders of the repairs for missing entities, by their key."""
    return {
        issue.translation_key: issue.translation_placeholders or {}
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN
        and issue.active
        and issue.translation_key is not None
        and "_entity_" in issue.translation_key
    }


async def test_a_renamed_entity_is_followed(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """The new name is stored, measured with and shown in the dialogue."""
    rename(hass, DRAWN, "sensor.bought", 1200.0)
    await hass.async_block_till_done()
    await state_is(hass, "sensor.house_active_power", "1200.0")
    rename(hass, COUNTED, "sensor.total")
    await hass.async_block_till_done()
    readings = entry.data["readings"]
    assert readings["active_power_l1"]["entity_ids"] == ["sensor.bought"]
    assert readings["active_power_l1"]["subtracted"] == [FED]
    assert readings["import_energy"]["entity_ids"] == ["sensor.total"]
    await state_is(hass, "sensor.house_import_energy", "12.5")
    assert not missed(hass)


async def test_a_rename_while_the_meter_is_not_loaded_is_followed(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """Two entities that exchange their names are still the same two."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    rename(hass, DRAWN, "sensor.x")
    rename(hass, FED, DRAWN, 300.0)
    rename(hass, "sensor.x", FED)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await state_is(hass, "sensor.house_active_power", "700.0")
    power = entry.data["readings"]["active_power_l1"]
    assert (power["entity_ids"], power["subtracted"]) == ([FED], [DRAWN])


async def test_an_entry_of_an_earlier_version_learns_who_its_entities_are(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """It knew their entity ids alone."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    old = {key: value for key, value in entry.data.items() if key != "registry_ids"}
    assert old != dict(entry.data)
    hass.config_entries.async_update_entry(entry, data=old)
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert await hass.config_entries.async_unload(entry.entry_id)
    rename(hass, DRAWN, "sensor.bought")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await state_is(hass, "sensor.house_active_power", "1000.0")
    assert entry.data["registry_ids"].keys() == {"sensor.bought", FED, COUNTED}


async def test_a_removed_entity_is_to_be_repaired(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """The repair names entity and meter, and goes when the entity is back."""
    registry = er.async_get(hass)
    registry.async_remove(FED)
    hass.states.async_remove(FED)
    await hass.async_block_till_done()
    assert missed(hass) == {
        "meter_entity_removed": {"entity": FED, "name": "House", "meter": "House"}
    }
    await state_is(hass, "sensor.house_active_power", "unknown")
    registry.async_get_or_create("sensor", "p1", FED, object_id_base="fed")
    tell(hass, STATES)
    await hass.async_block_till_done()
    assert not missed(hass)
    await state_is(hass, "sensor.house_active_power", "1000.0")


async def test_a_disabled_entity_is_to_be_repaired(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """It is said after a restart too, and no more once the meter is not there."""
    registry = er.async_get(hass)
    registry.async_update_entity(FED, disabled_by=er.RegistryEntryDisabler.USER)
    await hass.async_block_till_done()
    assert missed(hass).keys() == {"meter_entity_disabled"}
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert not missed(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert missed(hass)["meter_entity_disabled"]["entity"] == FED
    registry.async_update_entity(FED, disabled_by=None)
    await hass.async_block_till_done()
    assert not missed(hass)


async def test_another_entity_ends_the_repair(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> None:
    """It is chosen where the repair says."""
    er.async_get(hass).async_remove(DRAWN)
    hass.states.async_remove(DRAWN)
    await hass.async_block_till_done()
    assert missed(hass)
    tell(hass, {"sensor.other": (400.0, "W")})
    form = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )
    form = await hass.config_entries.flow.async_configure(
        form["flow_id"], {"name": "House", "phases": "1"}
    )
    form = await fill_in(hass, form, {"active_power_l1": "sensor.other"})
    await hass.config_entries.flow.async_configure(form["flow_id"], {})
    await hass.async_block_till_done()
    assert not missed(hass)
    await state_is(hass, "sensor.house_active_power", "400.0")


async def test_entities_no_registry_knows_are_waited_for(hass: HomeAssistant) -> None:
    """They come late while Home Assistant starts, and are missed once it runs."""
    tell(hass, {"sensor.yaml": (5.0, "W")})
    entry = await add_entities(hass, "1", {"active_power_l1": "sensor.yaml"})
    assert "registry_ids" not in entry.data
    hass.states.async_remove("sensor.yaml")
    await hass.async_block_till_done()
    assert missed(hass)["meter_entity_removed"]["entity"] == "sensor.yaml"
    hass.set_state(CoreState.starting)
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert not missed(hass)
    tell(hass, {"sensor.yaml": (5.0, "W")})
    hass.set_state(CoreState.running)
    hass.bus.async_fire("homeassistant_started")
    await hass.async_block_till_done()
    assert not missed(hass)

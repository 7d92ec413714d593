"""NRJ Monitor: a three-phase meter as a first-class citizen of the house."""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack, suppress
import logging

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, ServiceValidationError
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.typing import ConfigType

from .assist.aliases import async_assign_aliases
from .backfill.manager import async_remove_backfill_store, async_start_backfill
from .backfill.services import async_setup_backfill_services
from .calibration.services import async_setup_calibration_services
from .const import (
    CONF_ADD_TO_ENERGY,
    CONF_METER,
    CONF_READINGS,
    CONF_SOURCE,
    DOMAIN,
    SOURCE_ENTITIES,
    SOURCE_NATIVE_API,
)
from .demand.manager import DemandManager, async_remove_demand_store
from .demand.options import interval_of
from .energy_dashboard.dashboard import (
    async_add_meter,
    async_delete_meter,
    async_follow_renames,
    async_track_renames,
)
from .entity import device_info_of
from .entity_links.links import EntityLinks, async_update_links
from .entity_links.origin import async_described
from .entry_data import NrjConfigEntry, NrjData
from .issues.left_over import async_delete_left_over_issue, async_watch_left_over
from .issues.monitor import IssueMonitor, async_delete_issues
from .loads.give_back import async_give_back_stored
from .loads.manager import LoadManager
from .loads.settings import load_entries
from .loads.store import async_remove_load_store
from .meter import Meter
from .meter_replacement import async_complete_replacement
from .meter_store import MeterStore, async_remove_meter_store
from .ngsi.manager import async_remove_broker, async_start_brokers, async_stop_brokers
from .ngsi.settings import SUBENTRY_BROKER
from .replay.services import async_setup_replay_service
from .services import async_setup_services
from .sources.encryption_key import async_remove_key
from .sources.entities import all_entity_ids, migrated_entities, stored_readings
from .sources.errors import CredentialError
from .sources.factory import async_make_source, stored_description

_LOGGER = logging.getLogger(__name__)

PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.EVENT,
    Platform.IMAGE,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
    Platform.UPDATE,
]

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

FIRST_OUTCOME_TIMEOUT = 5.0
"""Seconds set-up waits for the meter before it goes on without."""


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set up the actions that all meters share."""
    async_setup_services(hass)
    async_setup_backfill_services(hass)
    async_setup_calibration_services(hass)
    async_setup_replay_service(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: NrjConfigEntry) -> bool:
    """Set up a meter from its entry.

    A meter that does not answer yet is set up all the same from what it said
    last time: its entities are unavailable and come back within seconds of the
    meter, where a set-up that gives up would be retried after up to 80 s.
    """
    async_update_links(hass, entry)
    meter = await _async_meter(hass, entry)
    async_complete_replacement(hass, entry, meter.description.mac)
    store = MeterStore(hass, entry, meter)
    await store.async_load()
    entry.runtime_data = NrjData(
        meter=meter, store=store, issues=IssueMonitor(hass, entry, meter, store)
    )
    entry.async_create_background_task(hass, meter.run(), f"{DOMAIN} link")
    with suppress(TimeoutError):
        async with asyncio.timeout(FIRST_OUTCOME_TIMEOUT):
            await meter.wait_first_outcome()
    if isinstance(meter.error, CredentialError):
        raise ConfigEntryAuthFailed(
            translation_domain=DOMAIN,
            translation_key=meter.error.key,
            translation_placeholders={"name": entry.title},
        )
    _remember(hass, entry)

    @callback
    def on_link() -> None:
        if isinstance(meter.error, CredentialError):
            entry.async_start_reauth(hass)
        elif _remember(hass, entry):
            hass.config_entries.async_schedule_reload(entry.entry_id)

    entry.async_on_unload(meter.async_add_connection_listener(on_link))
    _reload_on_subentries(hass, entry)
    await _async_start_parts(hass, entry)
    if entry.data.get(CONF_ADD_TO_ENERGY):
        await _async_add_to_energy(hass, entry)
    await async_follow_renames(hass, entry)
    entry.async_on_unload(async_track_renames(hass, entry))
    return True


async def _async_start_parts(hass: HomeAssistant, entry: NrjConfigEntry) -> None:
    """Start the parts of a meter; after an error the started ones are stopped again."""
    data = entry.runtime_data
    async with AsyncExitStack() as started:
        started.push_async_callback(data.store.async_stop)
        if (interval := interval_of(entry.options)) is not None:
            data.demand = DemandManager(hass, entry, data.meter, interval)
            await data.demand.async_start()
            started.push_async_callback(data.demand.async_stop)
        if load_entries(entry):
            data.loads = LoadManager(hass, entry, data.meter)
        started.push_async_callback(async_stop_brokers, data)
        await async_start_brokers(hass, entry)
        # The devices of loads hang on the meter's, which must be there before them.
        dr.async_get(hass).async_get_or_create(
            config_entry_id=entry.entry_id, **device_info_of(data.meter.description)
        )
        await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
        started.push_async_callback(
            hass.config_entries.async_unload_platforms, entry, PLATFORMS
        )
        if data.loads is not None:
            await data.loads.async_start()
            started.push_async_callback(data.loads.async_stop)
        data.meter.async_deliver_events()
        data.issues.async_start()
        EntityLinks(hass, entry).async_start()
        async_watch_left_over(hass, entry)
        await async_start_backfill(hass, entry)
        async_assign_aliases(hass, entry, data.meter.description)
        started.pop_all()


async def async_migrate_entry(hass: HomeAssistant, entry: NrjConfigEntry) -> bool:
    """Bring an entry stored by an earlier version up to date."""
    if entry.minor_version < 2:
        hass.config_entries.async_update_entry(
            entry,
            data={**entry.data, CONF_SOURCE: SOURCE_NATIVE_API},
            minor_version=2,
        )
    if entry.minor_version < 3:
        data = dict(entry.data)
        if data[CONF_SOURCE] == SOURCE_ENTITIES:
            data |= migrated_entities(data[CONF_READINGS])
        hass.config_entries.async_update_entry(entry, data=data, minor_version=3)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: NrjConfigEntry) -> bool:
    """Unload a meter; its link ends with the entry's background tasks."""
    data = entry.runtime_data
    if data.loads is not None and entry.disabled_by is not None:
        await data.loads.async_give_back()
    if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return False
    if data.backfill is not None:
        await data.backfill.async_stop()
    if data.loads is not None:
        await data.loads.async_stop()
    if data.demand is not None:
        await data.demand.async_stop()
    await async_stop_brokers(data)
    await data.store.async_stop()
    return True


async def async_remove_entry(hass: HomeAssistant, entry: NrjConfigEntry) -> None:
    """Remove all stored data, dashboard entries and the key given to the meter."""
    await async_delete_meter(hass, entry)
    await async_remove_key(hass, entry)
    await async_remove_meter_store(hass, entry.entry_id)
    await async_give_back_stored(hass, entry)
    await async_remove_load_store(hass, entry.entry_id)
    await async_remove_demand_store(hass, entry.entry_id)
    await async_remove_backfill_store(hass, entry.entry_id)
    async_delete_issues(hass, entry.entry_id)
    async_delete_left_over_issue(hass, entry.entry_id)
    for broker in entry.get_subentries_of_type(SUBENTRY_BROKER):
        await async_remove_broker(hass, broker.subentry_id)


@callback
def _reload_on_subentries(hass: HomeAssistant, entry: NrjConfigEntry) -> None:
    """Reload the entry when a load or broker is added, changed or removed."""
    known = _subentries(entry)

    @callback
    def on_change(change: ConfigEntryChange, changed: ConfigEntry) -> None:
        nonlocal known
        if change is not ConfigEntryChange.UPDATED or changed is not entry:
            return
        if (now := _subentries(entry)) == known:
            return
        gone = [
            id_
            for id_, subentry in known.items()
            if id_ not in now and subentry["subentry_type"] == SUBENTRY_BROKER
        ]
        known = now
        hass.async_create_task(_async_renew(hass, entry, gone))

    entry.async_on_unload(
        async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, on_change)
    )


def _subentries(entry: NrjConfigEntry) -> dict[str, dict[str, object]]:
    return {id_: dict(subentry.as_dict()) for id_, subentry in entry.subentries.items()}


async def _async_renew(
    hass: HomeAssistant, entry: NrjConfigEntry, gone: Iterable[str]
) -> None:
    """Reload the entry and remove the stored data of removed brokers."""
    await hass.config_entries.async_reload(entry.entry_id)
    for subentry_id in gone:
        await async_remove_broker(hass, subentry_id)


async def _async_add_to_energy(hass: HomeAssistant, entry: NrjConfigEntry) -> None:
    """Add the meter to the energy dashboard, as chosen in the set-up dialogue."""
    data = {
        key: value for key, value in entry.data.items() if key != CONF_ADD_TO_ENERGY
    }
    hass.config_entries.async_update_entry(entry, data=data)
    try:
        await async_add_meter(hass, entry)
    except ServiceValidationError as error:
        _LOGGER.warning(
            "%s was not added to the energy dashboard: %s", entry.title, error
        )


async def _async_meter(hass: HomeAssistant, entry: NrjConfigEntry) -> Meter:
    """Return the meter of an entry, not running yet."""
    description = stored_description(entry.data)
    if entry.data[CONF_SOURCE] == SOURCE_ENTITIES:
        readings = stored_readings(entry.data[CONF_READINGS])
        description = async_described(hass, description, all_entity_ids(readings))
    return Meter(await async_make_source(hass, entry, description), description)


@callback
def _remember(hass: HomeAssistant, entry: NrjConfigEntry) -> bool:
    """Store the meter's description in the entry; return whether it has changed."""
    return hass.config_entries.async_update_entry(
        entry,
        data={**entry.data, CONF_METER: entry.runtime_data.meter.description.as_dict()},
    )

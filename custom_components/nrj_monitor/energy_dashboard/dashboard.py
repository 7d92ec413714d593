"""The meter in Home Assistant's energy dashboard: added in a step, and removed again.

Added sources are stored by meter, so that exactly those can be removed, even after a
person has edited them. Sources of a person are never changed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from homeassistant.components.sensor import DOMAIN as SENSOR_DOMAIN
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.singleton import singleton
from homeassistant.util.hass_dict import HassKey

from ..checked_store import CheckedStore, StoredData
from ..const import CONF_METER, DOMAIN
from ..entity_links.references import CONF_REGISTRY_IDS
from ..entity_links.registry import async_followed
from ..entry_data import NrjConfigEntry
from ..sources import MeterDescription
from .preferences import (
    STATISTICS,
    Source,
    grid_connections,
    missing_part,
    with_names,
    without_added,
)

if TYPE_CHECKING:
    from homeassistant.components.energy.data import EnergyManager

ENERGY_DOMAIN: Final = "energy"

GRID_CHANNELS: Final = {
    "stat_energy_from": "import_energy",
    "stat_energy_to": "export_energy",
    "stat_rate": "active_power",
}
"""Quantities of the meter by their key in a grid connection. Power is positive on import."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedEntities:
    """Sensors of the house to add along with the meter, by their entity ids.

    A battery needs `battery_discharge` and `battery_charge`. Powers are optional; the
    power of the battery is positive while discharging.
    """

    solar_production: str | None = None
    solar_power: str | None = None
    battery_discharge: str | None = None
    battery_charge: str | None = None
    battery_power: str | None = None
    battery_level: str | None = None

    def sources(self) -> list[Source]:
        """Return the sensors as sources of the energy preferences."""
        sources: list[Source] = []
        if self.solar_production is not None:
            solar = {
                "type": "solar",
                "stat_energy_from": self.solar_production,
                "stat_rate": self.solar_power,
                "config_entry_solar_forecast": None,
            }
            sources.append(solar)
        if self.battery_discharge is not None and self.battery_charge is not None:
            battery = {
                "type": "battery",
                "stat_energy_from": self.battery_discharge,
                "stat_energy_to": self.battery_charge,
                "stat_rate": self.battery_power,
                "stat_soc": self.battery_level,
            }
            sources.append(battery)
        return sources


NOTHING_MAPPED: Final = MappedEntities()


@dataclass(frozen=True, slots=True)
class Change:
    """Change of the dashboard: changed and unchanged statistics."""

    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)


async def async_add_meter(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    mapped: MappedEntities = NOTHING_MAPPED,
) -> Change:
    """Add the meter of `entry` and the `mapped` sensors to the energy dashboard.

    Statistics that the dashboard has already stay as they are.

    Raises:
        ServiceValidationError: Home Assistant has no energy dashboard, or the meter no
            enabled sensor for one.
    """
    manager = await _async_manager(hass)
    added_sources = await _async_added_sources(hass)
    await async_follow_renames(hass, entry)
    grids = _grids(hass, entry)
    if not grids:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="nothing_for_energy",
            translation_placeholders={"name": entry.title},
        )
    existing = _sources(manager)
    wanted = [*grids, *mapped.sources()]
    added = [
        source for w in wanted if (source := missing_part(existing, w)) is not None
    ]
    changed = [statistic for source in added for statistic in statistics(source)]
    if added:
        await added_sources.async_add(
            entry.entry_id,
            [async_followed(hass, source, STATISTICS) for source in added],
        )
        await _async_save(manager, [*_sources(manager), *_valid(added)])
    return Change(
        changed=changed,
        unchanged=[
            statistic
            for source in wanted
            for statistic in statistics(source)
            if statistic not in changed
        ],
    )


async def async_remove_meter(hass: HomeAssistant, entry: NrjConfigEntry) -> Change:
    """Remove the sources added for the meter of `entry`, and no others.

    Raises:
        ServiceValidationError: Home Assistant has no energy dashboard.
    """
    manager = await _async_manager(hass)
    added_sources = await _async_added_sources(hass)
    await async_follow_renames(hass, entry)
    grids = _grids(hass, entry)
    added = added_sources.of(entry.entry_id)
    await added_sources.async_remove(entry.entry_id)
    before = _sources(manager)
    after = before
    for source in added:
        after = without_added(after, source)
    if after != before:
        await _async_save(manager, after)
    present, left = _all_statistics(before), _all_statistics(after)
    own = _all_statistics([*grids, *added])
    return Change(changed=sorted(present - left), unchanged=sorted(left & own))


async def async_follow_renames(hass: HomeAssistant, entry: NrjConfigEntry) -> None:
    """Give renamed sensors their new names in the sources added for the meter."""
    if ENERGY_DOMAIN not in hass.config.components:
        return
    added_sources = await _async_added_sources(hass)
    before = added_sources.of(entry.entry_id)
    if not before:
        return
    grids = _grids(hass, entry)
    only = grids[0] if len(grids) == 1 else None
    after = [_followed(hass, source, only) for source in before]
    if after == before:
        return
    await added_sources.async_replace(entry.entry_id, after)
    names = {
        old[key]: new[key]
        for old, new in zip(before, after, strict=True)
        for key in STATISTICS
        if old.get(key) != new.get(key)
    }
    if names:
        manager = await _async_manager(hass)
        sources = _sources(manager)
        followed = with_names(sources, names)
        # The dashboard adds cost sensors before it removes those of before, and two of
        # one sensor have the same unique id.
        await _async_save(manager, [source for source in sources if source in followed])
        await _async_save(manager, followed)


@callback
def async_track_renames(
    hass: HomeAssistant, entry: NrjConfigEntry
) -> Callable[[], None]:
    """Follow each sensor that is renamed; the function returned ends it."""

    @callback
    def is_rename(data: er.EventEntityRegistryUpdatedData) -> bool:
        return data["action"] == "update" and "entity_id" in data["changes"]

    async def follow(_: Event[er.EventEntityRegistryUpdatedData]) -> None:
        await async_follow_renames(hass, entry)

    return hass.bus.async_listen(
        er.EVENT_ENTITY_REGISTRY_UPDATED, follow, event_filter=is_rename
    )


@callback
def _followed(hass: HomeAssistant, source: Source, grid: Source | None) -> Source:
    """Return an added source with the present names of its sensors."""
    followed = async_followed(hass, source, STATISTICS)
    known = followed.get(CONF_REGISTRY_IDS, {})
    if grid is not None and source["type"] == grid["type"]:
        # Earlier versions stored names alone: the meter's own sensor is told by its key.
        for key in GRID_CHANNELS:
            if followed.get(key) not in (None, *known) and grid.get(key) is not None:
                followed[key] = grid[key]
    return followed


async def async_lacks_grid(hass: HomeAssistant) -> bool:
    """Return whether the energy dashboard exists and lacks a grid connection."""
    if ENERGY_DOMAIN not in hass.config.components:
        return False
    sources = _sources(await _async_manager(hass))
    return all(source["type"] != "grid" for source in sources)


async def async_delete_meter(hass: HomeAssistant, entry: NrjConfigEntry) -> None:
    """Delete the sources and stored data of a meter whose entry is removed."""
    if ENERGY_DOMAIN in hass.config.components:
        await async_remove_meter(hass, entry)
    else:
        await (await _async_added_sources(hass)).async_remove(entry.entry_id)


def statistics(source: Mapping[str, Any]) -> list[str]:
    """Return the statistics of a source of the energy preferences."""
    return [value for key in STATISTICS if (value := source.get(key)) is not None]


def _all_statistics(sources: Sequence[Source]) -> set[str]:
    return {statistic for source in sources for statistic in statistics(source)}


@callback
def _grids(hass: HomeAssistant, entry: NrjConfigEntry) -> list[Source]:
    """Return the meter as grid connections, none without a counter of energy."""
    description = MeterDescription.from_dict(entry.data[CONF_METER])
    return grid_connections(
        {
            key: _entity_ids(hass, description, quantity)
            for key, quantity in GRID_CHANNELS.items()
        }
    )


@callback
def _entity_ids(
    hass: HomeAssistant, description: MeterDescription, quantity: str
) -> dict[str | None, str | None]:
    """Return the entity ids of a quantity's sensors by phase, the total under None.

    A sensor that is disabled has no statistics, and None as its entity id.
    """
    registry = er.async_get(hass)
    entity_ids: dict[str | None, str | None] = {}
    for channel in description.channels:
        if channel.quantity.key != quantity:
            continue
        entity_id = registry.async_get_entity_id(
            SENSOR_DOMAIN, DOMAIN, f"{description.mac}_{channel.id}"
        )
        registered = None if entity_id is None else registry.async_get(entity_id)
        is_enabled = registered is not None and not registered.disabled
        entity_ids[channel.phase] = entity_id if is_enabled else None
    return entity_ids


async def _async_manager(hass: HomeAssistant) -> EnergyManager:
    """Return Home Assistant's manager of the energy preferences."""
    if ENERGY_DOMAIN not in hass.config.components:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_energy_dashboard"
        )
    # This import needs the recorder's libraries, installed only with the dashboard.
    from homeassistant.components.energy.data import async_get_manager  # noqa: PLC0415

    manager: EnergyManager = await async_get_manager(hass)
    return manager


@callback
def _sources(manager: EnergyManager) -> list[Source]:
    """Return the present sources of the energy preferences."""
    if manager.data is None:
        return []
    return [dict(source) for source in manager.data["energy_sources"]]


@callback
def _valid(sources: Sequence[Source]) -> list[Source]:
    """Return the sources with all keys stored by this version of Home Assistant."""
    from homeassistant.components.energy.data import ENERGY_SOURCE_SCHEMA  # noqa: PLC0415

    bare = [
        {key: value for key, value in source.items() if value is not None}
        for source in sources
    ]
    return [dict(source) for source in ENERGY_SOURCE_SCHEMA(bare)]


async def _async_save(manager: EnergyManager, sources: list[Source]) -> None:
    """Replace the sources, and keep all other preferences."""
    update: Any = {"energy_sources": sources}
    await manager.async_update(update)


class _AddedSources:
    """Added sources of each meter, stored in a file of their own.

    The file outlives changes of an entry's data, and is removed with the last meter.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Initialize the store, without reading its file."""
        self._store = CheckedStore(hass, 1, f"{DOMAIN}.energy_dashboard")
        self._added: dict[str, list[Source]] = {}

    async def async_load(self) -> None:
        """Load the stored sources."""
        await self._store.async_restore(self._restore)

    def _restore(self, stored: StoredData) -> None:
        self._added = {
            entry_id: [cast("Source", dict(source)) for source in sources]
            for entry_id, sources in stored.items()
        }

    def of(self, entry_id: str) -> list[Source]:
        """Return the added sources of a meter."""
        return list(self._added.get(entry_id, ()))

    async def async_add(self, entry_id: str, sources: Sequence[Source]) -> None:
        """Store the sources being added for a meter."""
        known = self.of(entry_id)
        new = [source for source in sources if source not in known]
        await self.async_replace(entry_id, [*known, *new])

    async def async_replace(self, entry_id: str, sources: Sequence[Source]) -> None:
        """Store the sources of a meter in the place of those before."""
        self._added[entry_id] = list(sources)
        await self._store.async_save(self._added)

    async def async_remove(self, entry_id: str) -> None:
        """Remove the stored sources of a meter."""
        if self._added.pop(entry_id, None) is None:
            return
        if self._added:
            await self._store.async_save(self._added)
        else:
            await self._store.async_remove()


_ADDED_SOURCES: Final[HassKey[_AddedSources]] = HassKey(f"{DOMAIN}_energy_dashboard")


@singleton(_ADDED_SOURCES, async_=True)
async def _async_added_sources(hass: HomeAssistant) -> _AddedSources:
    """Return the added sources of all meters, loaded once."""
    added_sources = _AddedSources(hass)
    await added_sources.async_load()
    return added_sources

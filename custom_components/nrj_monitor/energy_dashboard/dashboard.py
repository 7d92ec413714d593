"""The meter in Home Assistant's energy dashboard: added in one go, and taken out again.

What is added is remembered per meter, so that exactly that can be undone, also after
a person has edited it. What a person has there is never changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from homeassistant.components.sensor import DOMAIN as SENSOR_DOMAIN
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.singleton import singleton
from homeassistant.helpers.storage import Store
from homeassistant.util.hass_dict import HassKey

from ..catalog import Phase
from ..const import CONF_METER, DOMAIN
from ..entry_data import NrjConfigEntry
from ..sources import MeterDescription
from .preferences import STATISTICS, Source, missing, undone

if TYPE_CHECKING:
    from homeassistant.components.energy.data import EnergyManager

ENERGY_DOMAIN: Final = "energy"

GRID_CHANNELS: Final = {
    "stat_energy_from": "import_energy",
    "stat_energy_to": "export_energy",
    "stat_rate": "active_power",
}
"""What of the meter goes where in a grid connection. Power is positive on import."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedEntities:
    """Sensors of the house that are told along with the meter, by their entity ids.

    A battery needs `battery_discharge` and `battery_charge`; powers are optional, that
    of the battery is positive while it discharges.
    """

    solar_production: str | None = None
    solar_power: str | None = None
    battery_discharge: str | None = None
    battery_charge: str | None = None
    battery_power: str | None = None
    battery_level: str | None = None

    def sources(self) -> list[Source]:
        """Return them the way the energy preferences have them."""
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
    """Which statistics were changed, and which were left as they are."""

    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)


async def async_add_meter(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    mapped: MappedEntities = NOTHING_MAPPED,
) -> Change:
    """Add the meter of `entry`, and what is `mapped`, where it is not there yet.

    Raises ServiceValidationError where Home Assistant has no energy dashboard or the
    meter has nothing to show there.
    """
    manager = await _async_manager(hass)
    remembered = await _async_remembered(hass)
    grid = _grid(hass, entry)
    if grid is None:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="nothing_for_energy",
            translation_placeholders={"name": entry.title},
        )
    existing = _sources(manager)
    wanted = [grid, *mapped.sources()]
    added = [source for w in wanted if (source := missing(existing, w)) is not None]
    changed = [statistic for source in added for statistic in statistics(source)]
    if added:
        await remembered.async_remember(entry.entry_id, added)
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
    """Take out what was added for the meter of `entry`, and nothing else.

    Raises ServiceValidationError where Home Assistant has no energy dashboard.
    """
    manager = await _async_manager(hass)
    remembered = await _async_remembered(hass)
    grid = _grid(hass, entry) or {}
    added = remembered.of(entry.entry_id)
    # A sensor that got another entity id since is the same sensor.
    added += [
        {key: grid.get(key) for key in source}
        for source in added
        if source["type"] == grid.get("type")
    ]
    await remembered.async_forget(entry.entry_id)
    before = _sources(manager)
    after = before
    for source in added:
        after = undone(after, source)
    if after != before:
        await _async_save(manager, after)
    there, left = _all_statistics(before), _all_statistics(after)
    own = _all_statistics([grid, *added])
    return Change(changed=sorted(there - left), unchanged=sorted(left & own))


async def async_lacks_grid(hass: HomeAssistant) -> bool:
    """Return whether there is an energy dashboard that has no grid connection yet."""
    if ENERGY_DOMAIN not in hass.config.components:
        return False
    sources = _sources(await _async_manager(hass))
    return all(source["type"] != "grid" for source in sources)


async def async_forget_meter(hass: HomeAssistant, entry: NrjConfigEntry) -> None:
    """Leave nothing of a meter that is being removed from Home Assistant."""
    if ENERGY_DOMAIN in hass.config.components:
        await async_remove_meter(hass, entry)
    else:
        await (await _async_remembered(hass)).async_forget(entry.entry_id)


def statistics(source: Mapping[str, Any]) -> list[str]:
    """Return the statistics a source of the energy preferences consists of."""
    return [value for key in STATISTICS if (value := source.get(key)) is not None]


def _all_statistics(sources: Sequence[Source]) -> set[str]:
    return {statistic for source in sources for statistic in statistics(source)}


@callback
def _grid(hass: HomeAssistant, entry: NrjConfigEntry) -> Source | None:
    """Return the meter as a grid connection, None if it measures nothing for one."""
    description = MeterDescription.from_dict(entry.data[CONF_METER])
    stats = {
        key: _entity_id(hass, description, quantity)
        for key, quantity in GRID_CHANNELS.items()
    }
    if not any(stats.values()):
        return None
    return {"type": "grid", "cost_adjustment_day": 0.0, **stats}


@callback
def _entity_id(
    hass: HomeAssistant, description: MeterDescription, quantity: str
) -> str | None:
    """Return the enabled sensor of a quantity's total.

    Where a single-phase meter has no total, its one phase is the total.
    """
    known = {channel.id for channel in description.channels}
    phases = [id_ for p in Phase if (id_ := f"{quantity}_{p.lower()}") in known]
    if quantity in known:
        channel = quantity
    elif len(phases) == 1:
        channel = phases[0]
    else:
        return None
    registry = er.async_get(hass)
    entity_id = registry.async_get_entity_id(
        SENSOR_DOMAIN, DOMAIN, f"{description.mac}_{channel}"
    )
    if entity_id is None:
        return None
    registered = registry.async_get(entity_id)
    return None if registered is None or registered.disabled else entity_id


async def _async_manager(hass: HomeAssistant) -> EnergyManager:
    """Return the keeper of the energy preferences."""
    if ENERGY_DOMAIN not in hass.config.components:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="no_energy_dashboard"
        )
    # Needs the recorder's libraries, which are there only if the dashboard is.
    from homeassistant.components.energy.data import async_get_manager  # noqa: PLC0415

    manager: EnergyManager = await async_get_manager(hass)
    return manager


@callback
def _sources(manager: EnergyManager) -> list[Source]:
    """Return the sources the energy preferences have now."""
    if manager.data is None:
        return []
    return [dict(source) for source in manager.data["energy_sources"]]


@callback
def _valid(sources: Sequence[Source]) -> list[Source]:
    """Complete sources the way this Home Assistant stores them."""
    from homeassistant.components.energy.data import ENERGY_SOURCE_SCHEMA  # noqa: PLC0415

    bare = [
        {key: value for key, value in source.items() if value is not None}
        for source in sources
    ]
    return [dict(source) for source in ENERGY_SOURCE_SCHEMA(bare)]


async def _async_save(manager: EnergyManager, sources: list[Source]) -> None:
    """Replace the sources, keeping everything else of the preferences."""
    update: Any = {"energy_sources": sources}
    await manager.async_update(update)


class _Remembered:
    """What was added for each meter, kept in a file of its own.

    It outlives changes of an entry's data, and is gone with the last meter in it.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Prepare; nothing is read yet."""
        self._store: Store[dict[str, list[Source]]] = Store(
            hass, 1, f"{DOMAIN}.energy_dashboard"
        )
        self._added: dict[str, list[Source]] = {}

    async def async_load(self) -> None:
        """Read what is stored."""
        self._added = await self._store.async_load() or {}

    def of(self, entry_id: str) -> list[Source]:
        """Return what was added for one meter."""
        return list(self._added.get(entry_id, ()))

    async def async_remember(self, entry_id: str, sources: Sequence[Source]) -> None:
        """Store what is being added."""
        known = self.of(entry_id)
        new = [source for source in sources if source not in known]
        self._added[entry_id] = [*known, *new]
        await self._store.async_save(self._added)

    async def async_forget(self, entry_id: str) -> None:
        """Delete what is stored for one meter."""
        if self._added.pop(entry_id, None) is None:
            return
        if self._added:
            await self._store.async_save(self._added)
        else:
            await self._store.async_remove()


_REMEMBERED: Final[HassKey[_Remembered]] = HassKey(f"{DOMAIN}_energy_dashboard")


@singleton(_REMEMBERED, async_=True)
async def _async_remembered(hass: HomeAssistant) -> _Remembered:
    """Return what was added to the dashboard, read once."""
    remembered = _Remembered(hass)
    await remembered.async_load()
    return remembered

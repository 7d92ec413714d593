"""Queries about the supply: data gathered from Home Assistant, and their assessment.

Voice and language models run the same queries. A language model gets only entities that
are exposed to its assistant.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from homeassistant.components.homeassistant.exposed_entities import async_should_expose
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from ..const import CONF_MAIN_FUSE, DOMAIN
from ..entry_data import NrjConfigEntry
from ..sources.units import async_watts
from . import Readings
from .grid import Disturbance, GridState, assess_grid
from .phase_load import PhaseLoad, assess_phase_load
from .power import Consumer, PowerUse, assess_power_use

ENERGY_DOMAIN: Final = "energy"

DISTURBANCES: Final = frozenset(
    {"dip", "swell", "interruption", "phase_loss", "wrong_sequence"}
)
"""Event types of the grid; an overcurrent is caused by the house."""

type ExposureFilter = Callable[[str], bool]
"""Returns whether the entity with an id may be part of a response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueriedMeter:
    """Data of a meter for a query; without a link `readings` are empty."""

    name: str
    connected: bool
    readings: Readings
    relays_on: tuple[str, ...]
    main_fuse: float | None
    disturbances: tuple[Disturbance, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HousePower:
    """Powers of the house's devices and sources in the energy dashboard at `now`.

    `supplied` is the power of solar panels and batteries, W, None if unknown.
    """

    now: datetime
    consumers: tuple[Consumer, ...] = ()
    supplied: float | None = 0.0


def everything_exposed(_: str) -> bool:
    """Treat every entity as exposed: a person who speaks is at home."""
    return True


def exposed_to(hass: HomeAssistant, assistant: str) -> ExposureFilter:
    """Return a filter for the entities exposed to an assistant."""
    return lambda entity_id: async_should_expose(hass, assistant, entity_id)


def query_grid(meter: QueriedMeter, house: HousePower) -> GridState:
    """Query whether the grid is stable."""
    return assess_grid(meter.readings, meter.disturbances, house.now)


def query_power(meter: QueriedMeter, house: HousePower) -> PowerUse:
    """Query which devices use the power."""
    return assess_power_use(
        meter.readings, house.consumers, house.supplied, meter.relays_on
    )


def query_phase_load(meter: QueriedMeter, house: HousePower) -> PhaseLoad:
    """Query which phase is overloaded."""
    return assess_phase_load(meter.readings, meter.main_fuse)


@callback
def async_meters(hass: HomeAssistant, is_exposed: ExposureFilter) -> list[QueriedMeter]:
    """Return the data of the loaded meters with an exposed entity."""
    registry = er.async_get(hass)
    meters = []
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        entities = er.async_entries_for_config_entry(registry, entry.entry_id)
        if any(
            is_exposed(entity.entity_id) for entity in entities if not entity.disabled
        ):
            meters.append(_queried_meter(hass, entry, entities))
    return sorted(meters, key=lambda meter: meter.name)


async def async_house_power(
    hass: HomeAssistant, is_exposed: ExposureFilter
) -> HousePower:
    """Return the powers of the devices and sources in the energy dashboard."""
    if ENERGY_DOMAIN not in hass.config.components:
        return HousePower(now=dt_util.utcnow())
    # This import needs the recorder's libraries, installed only with the dashboard.
    from homeassistant.components.energy.data import async_get_manager  # noqa: PLC0415

    preferences: Mapping[str, Any] = (await async_get_manager(hass)).data or {}
    powers = [
        async_watts(hass, source.get("stat_rate"))
        for source in preferences.get("energy_sources", ())
        if source["type"] in ("solar", "battery")
    ]
    known = [power for power in powers if power is not None]
    return HousePower(
        consumers=tuple(_consumers(hass, preferences, is_exposed)),
        supplied=sum(known) if len(known) == len(powers) else None,
        now=dt_util.utcnow(),
    )


def _consumers(
    hass: HomeAssistant, preferences: Mapping[str, Any], is_exposed: ExposureFilter
) -> Iterator[Consumer]:
    """Yield the devices of the energy dashboard with a power sensor."""
    for device in preferences.get("device_consumption", ()):
        rate = device.get("stat_rate")
        power = async_watts(hass, rate)
        if power is None or not is_exposed(rate):
            continue
        state = hass.states.get(rate)
        yield Consumer(
            name=device.get("name") or (state.name if state else rate),
            power=power,
            is_included=device.get("included_in_stat") is not None,
        )


@callback
def _queried_meter(
    hass: HomeAssistant, entry: NrjConfigEntry, entities: list[er.RegistryEntry]
) -> QueriedMeter:
    meter = entry.runtime_data.meter
    description = meter.description
    unread = (
        {f"active_power_{phase.lower()}": None for phase in description.phases}
        if meter.snapshot
        else {}
    )
    read = {channel.id: value for channel, value in meter.snapshot.items()}
    names = {
        entity.unique_id: entity.name or entity.original_name
        for entity in entities
        if entity.domain == Platform.SWITCH
    }
    return QueriedMeter(
        name=entry.title,
        connected=meter.connected,
        readings={**unread, **read},
        relays_on=tuple(
            names.get(f"{description.mac}_{relay.id}") or relay.name
            for relay in description.relays
            if meter.relays.get(relay.id)
        ),
        main_fuse=entry.options.get(CONF_MAIN_FUSE),
        disturbances=tuple(_disturbances(hass, entities)),
    )


def _disturbances(
    hass: HomeAssistant, entities: list[er.RegistryEntry]
) -> Iterator[Disturbance]:
    """Yield the latest disturbance of each event entity of a meter."""
    for entity in entities:
        state = hass.states.get(entity.entity_id)
        if entity.domain != Platform.EVENT or state is None:
            continue
        kind = state.attributes.get("event_type")
        at: datetime | None = dt_util.parse_datetime(state.state)
        if kind in DISTURBANCES and at is not None:
            yield Disturbance(kind, at, state.attributes.get("phase") or None)

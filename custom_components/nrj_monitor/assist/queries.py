"""What is needed to answer a question about the supply, gathered from Home Assistant.

Voice and language models ask the same; only what they may know differs: a language model
is told of nothing that is not exposed to its assistant.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from homeassistant.components.homeassistant.exposed_entities import async_should_expose
from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT, Platform, UnitOfPower
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import PowerConverter

from ..const import CONF_MAIN_FUSE, DOMAIN
from ..entry_data import NrjConfigEntry
from . import Readings
from .grid import Disturbance, GridAnswer, judge_grid
from .phase_load import LoadAnswer, judge_load
from .power import Consumer, PowerAnswer, find_use

ENERGY_DOMAIN: Final = "energy"

DISTURBANCES: Final = frozenset(
    {"dip", "swell", "interruption", "phase_loss", "wrong_sequence"}
)
"""Event types that are about the grid; an overcurrent is the house's own doing."""

type MayKnow = Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedMeter:
    """A meter someone asks about; `readings` are empty while it cannot be reached."""

    name: str
    connected: bool
    readings: Readings
    relays_on: tuple[str, ...]
    main_fuse: float | None
    disturbances: tuple[Disturbance, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What the energy dashboard knows of the house at the time `now`.

    `supplied` is what solar panels and batteries give in W, None if it is not known.
    """

    now: datetime
    consumers: tuple[Consumer, ...] = ()
    supplied: float | None = 0.0


def anything(_: str) -> bool:
    """Allow everything: the person asking is at home."""
    return True


def exposed_to(hass: HomeAssistant, assistant: str) -> MayKnow:
    """Allow what is exposed to an assistant."""
    return lambda entity_id: async_should_expose(hass, assistant, entity_id)


def ask_grid(meter: AskedMeter, house: House) -> GridAnswer:
    """Ask whether the grid is stable."""
    return judge_grid(meter.readings, meter.disturbances, house.now)


def ask_power(meter: AskedMeter, house: House) -> PowerAnswer:
    """Ask what is using the power."""
    return find_use(meter.readings, house.consumers, house.supplied, meter.relays_on)


def ask_load(meter: AskedMeter, house: House) -> LoadAnswer:
    """Ask which phase is overloaded."""
    return judge_load(meter.readings, meter.main_fuse)


@callback
def async_meters(hass: HomeAssistant, may_know: MayKnow) -> list[AskedMeter]:
    """Return the meters that are set up and of which an entity may be known."""
    registry = er.async_get(hass)
    meters = []
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        entities = er.async_entries_for_config_entry(registry, entry.entry_id)
        if any(
            may_know(entity.entity_id) for entity in entities if not entity.disabled
        ):
            meters.append(_asked(hass, entry, entities))
    return sorted(meters, key=lambda meter: meter.name)


async def async_house(hass: HomeAssistant, may_know: MayKnow) -> House:
    """Return what the devices of the energy dashboard draw and its sources give."""
    if ENERGY_DOMAIN not in hass.config.components:
        return House(now=dt_util.utcnow())
    # Needs the recorder's libraries, which are there only if the dashboard is.
    from homeassistant.components.energy.data import async_get_manager  # noqa: PLC0415

    preferences: Mapping[str, Any] = (await async_get_manager(hass)).data or {}
    given = [
        async_watts(hass, source.get("stat_rate"))
        for source in preferences.get("energy_sources", ())
        if source["type"] in ("solar", "battery")
    ]
    known = [power for power in given if power is not None]
    return House(
        consumers=tuple(_consumers(hass, preferences, may_know)),
        supplied=sum(known) if len(known) == len(given) else None,
        now=dt_util.utcnow(),
    )


@callback
def async_watts(hass: HomeAssistant, entity_id: str | None) -> float | None:
    """Return the state of a power sensor in W, None if it has none."""
    state = hass.states.get(entity_id) if entity_id else None
    if state is None:
        return None
    unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
    try:
        return PowerConverter.convert(float(state.state), unit, UnitOfPower.WATT)
    except ValueError:
        return None


def _consumers(
    hass: HomeAssistant, preferences: Mapping[str, Any], may_know: MayKnow
) -> Iterator[Consumer]:
    """Yield the devices of the energy dashboard that tell their power."""
    for device in preferences.get("device_consumption", ()):
        rate = device.get("stat_rate")
        power = async_watts(hass, rate)
        if power is None or not may_know(rate):
            continue
        state = hass.states.get(rate)
        yield Consumer(
            name=device.get("name") or (state.name if state else rate),
            power=power,
            within=device.get("included_in_stat") is not None,
        )


@callback
def _asked(
    hass: HomeAssistant, entry: NrjConfigEntry, entities: list[er.RegistryEntry]
) -> AskedMeter:
    meter = entry.runtime_data.meter
    description = meter.description
    names = {
        entity.unique_id: entity.name or entity.original_name
        for entity in entities
        if entity.domain == Platform.SWITCH
    }
    return AskedMeter(
        name=entry.title,
        connected=meter.connected,
        readings={channel.id: value for channel, value in meter.snapshot.items()},
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
    """Yield the latest disturbance each event entity of a meter tells of."""
    for entity in entities:
        state = hass.states.get(entity.entity_id)
        if entity.domain != Platform.EVENT or state is None:
            continue
        kind = state.attributes.get("event_type")
        at: datetime | None = dt_util.parse_datetime(state.state)
        if kind in DISTURBANCES and at is not None:
            yield Disturbance(kind, at, state.attributes.get("phase") or None)

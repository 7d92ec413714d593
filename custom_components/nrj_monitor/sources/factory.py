"""Source factory: a table from an entry's kind of source to its constructor."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any, Final

from homeassistant.components import zeroconf
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant

from ..catalog import CHANNELS, Channel, Phase
from ..const import (
    CONF_CHANNELS,
    CONF_ENCRYPTION_KEY,
    CONF_LAYOUT,
    CONF_MAPPING,
    CONF_METER,
    CONF_PHASES,
    CONF_READINGS,
    CONF_SOURCE,
    CONF_TOPIC,
    SOURCE_ENTITIES,
    SOURCE_MQTT,
    SOURCE_NATIVE_API,
)
from ..entry_data import NrjConfigEntry
from . import MeterDescription, Source
from .derived_totals import DerivedTotals
from .entities import EntitiesSource, stored_readings
from .mqtt_layouts import decoder
from .native_api.address import NativeApiAddress
from .native_api.session import NativeApiSource

type Maker = Callable[
    [HomeAssistant, Mapping[str, Any], MeterDescription], Awaitable[Source]
]


async def _native_api(
    hass: HomeAssistant, data: Mapping[str, Any], description: MeterDescription
) -> Source:
    return NativeApiSource(
        NativeApiAddress(
            host=data[CONF_HOST],
            port=data[CONF_PORT],
            key=data.get(CONF_ENCRYPTION_KEY),
        ),
        mac=description.mac,
        zeroconf=await zeroconf.async_get_instance(hass),
        time_zone=hass.config.time_zone,
    )


async def _mqtt(
    hass: HomeAssistant, data: Mapping[str, Any], description: MeterDescription
) -> Source:
    # Its library is there only where Home Assistant uses MQTT.
    module = await hass.async_add_import_executor_job(
        import_module, f"{__package__}.mqtt"
    )
    source: Source = module.MqttSource(
        hass,
        data[CONF_TOPIC],
        decoder(data[CONF_LAYOUT], data.get(CONF_MAPPING)),
        description,
        [CHANNELS[id_] for id_ in data[CONF_CHANNELS] if id_ in CHANNELS],
    )
    return source


async def _entities(
    hass: HomeAssistant, data: Mapping[str, Any], description: MeterDescription
) -> Source:
    return EntitiesSource(hass, stored_readings(data[CONF_READINGS]), description)


_MAKERS: Final[Mapping[str, Maker]] = {
    SOURCE_NATIVE_API: _native_api,
    SOURCE_MQTT: _mqtt,
    SOURCE_ENTITIES: _entities,
}


def _measured(data: Mapping[str, Any]) -> Iterable[Channel]:
    """Return the channels that a source without a device of its own measures."""
    ids = data[CONF_READINGS] if CONF_READINGS in data else data[CONF_CHANNELS]
    return {CHANNELS[id_] for id_ in ids if id_ in CHANNELS}


def stored_description(data: Mapping[str, Any]) -> MeterDescription:
    """Return the description of the meter of an entry's data.

    Without a device its channels follow from what is measured. Earlier versions stored
    totals of some of the phases among them.
    """
    description = MeterDescription.from_dict(data[CONF_METER])
    if data[CONF_SOURCE] == SOURCE_NATIVE_API:
        return description
    phases = frozenset(tuple(Phase)[: data.get(CONF_PHASES, 0)])
    measured = set(_measured(data))
    known = measured.union(DerivedTotals(measured, phases).channels)
    return replace(
        description,
        channels=tuple(channel for channel in CHANNELS.values() if channel in known),
        declared=phases,
    )


async def async_make_source(
    hass: HomeAssistant, entry: NrjConfigEntry, description: MeterDescription
) -> Source:
    """Return the source of an entry, not running yet."""
    return await _MAKERS[entry.data[CONF_SOURCE]](hass, entry.data, description)

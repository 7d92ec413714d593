"""Samples to NGSI entities: pure, from the catalog and the tables of `models`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from ..catalog import CHANNELS, Channel, Phase
from .derived import derive
from .models import (
    ATTRIBUTES,
    FED_POWER,
    FUNDAMENTAL_FIRST,
    MAY_EXCEED,
    OBSERVED,
    OWN_NAMES,
    SIGNED,
    UNIT_CODES,
    Attribute,
    Model,
)
from .names import plain
from .sample import Sample, iso
from .supply_events import ATTRIBUTE as EVENT_ATTRIBUTE, value_of

CONTEXTS: Final = (
    "https://raw.githubusercontent.com/smart-data-models/dataModel.Energy/master/context.jsonld",
    "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.6.1.jsonld",
)
"""Where NGSI-LD finds what the names of the data models mean."""


class Api(StrEnum):
    """The two interfaces a broker may have."""

    V2 = "ngsi_v2"
    LD = "ngsi_ld"


class Generation(StrEnum):
    """The direction in which a meter on a solar feed counts what is produced."""

    IMPORT = "import"
    EXPORT = "export"


@dataclass(frozen=True, slots=True, kw_only=True)
class NgsiEntity:
    """What an entity says besides what is measured.

    `latitude` and `longitude` are degrees (WGS 84). `metering_started` is milliseconds
    since 1970. `extras` tells whether what the model has no place for is sent too.
    """

    id: str
    model: Model = Model.THREE_PHASE
    name: str = ""
    ref_device: str = ""
    latitude: float | None = None
    longitude: float | None = None
    metering_started: int | None = None
    extras: bool = True
    generation: Generation = Generation.EXPORT


@dataclass(frozen=True, slots=True)
class Value:
    """One attribute of an entity, not yet in the words of an interface.

    `observed` is whether it belongs to the moment of the measurement. `kind` is one of
    number, structured, time, text, geo, list or reference.
    """

    kind: str
    value: Any
    unit: str | None = None
    observed: bool = False


class Mapper:
    """Turns samples of one meter into entities of one model."""

    def __init__(self, twin: NgsiEntity, channels: Iterable[Channel], api: Api) -> None:
        """Prepare for samples of `channels`."""
        self.twin = twin
        self.api = api
        channels = tuple(channels)
        self._attributes = tuple(
            _with_fundamental(attribute, channels)
            for attribute in ATTRIBUTES[twin.model]
        )
        self._extras = self._extra_attributes(channels) if twin.extras else ()
        self._constants = dict(self._constant_values(channels))
        self._write = _WRITERS[api]
        self._entity_head: dict[str, Any] = {"id": twin.id, "type": twin.model.value}
        if api is Api.LD:
            self._entity_head["@context"] = list(CONTEXTS)

    def entity(self, sample: Sample) -> dict[str, Any] | None:
        """Return the entity of a sample, None where it holds nothing to tell.

        What was not measured is not in it: nothing is sent as null or unknown.
        """
        measured = dict(self._measured(sample.values))
        if not measured:
            return None
        write = self._write
        time = iso(sample.time)
        entity = dict(self._entity_head)
        for name, value in self._constants.items():
            entity[name] = write(value, time)
        for name, value in measured.items():
            entity[name] = write(value, time)
        entity[OBSERVED[self.twin.model]] = write(
            Value("time", time, observed=True), time
        )
        if self.api is Api.V2:
            # QuantumLeap's time index, and what makes an unchanged value news.
            entity["TimeInstant"] = {"type": "DateTime", "value": time}
        return entity

    def _measured(self, values: Mapping[str, float]) -> Iterator[tuple[str, Value]]:
        readings = self._readings(values)
        left_over: dict[str, float] = {}
        for attribute in self._attributes:
            yield from _attribute(attribute, readings, left_over)
        for attribute in self._extras:
            yield from _attribute(attribute, readings, {})
        if self.twin.extras:
            for attribute in _of_left_over(left_over):
                yield from _attribute(attribute, readings, {})
            if (event := value_of(values)) is not None:
                yield EVENT_ATTRIBUTE, Value("structured", event, observed=True)

    def _readings(self, values: Mapping[str, float]) -> dict[str, float]:
        readings = dict(values)
        if self.twin.model is Model.SOLAR:
            if self.twin.generation is Generation.EXPORT:
                turned = (key for key in values if _is_signed(key))
                readings.update({key: -values[key] for key in turned})
            counter = f"{self.twin.generation.value}_energy"
            if counter in values:
                readings["generated_energy"] = values[counter]
        return readings | derive(readings)

    def _extra_attributes(self, channels: tuple[Channel, ...]) -> tuple[Attribute, ...]:
        """Return an attribute for each quantity the model has no place for."""
        placed = {id_ for a in self._attributes for id_ in a.parts.values()}
        if self.twin.model is Model.SOLAR:
            placed.add(f"{self.twin.generation.value}_energy")
        if self.twin.model is Model.AC:
            placed |= {f"active_power_l{n}" for n in (1, 2, 3)}
        extras = _own_attributes(c for c in channels if c.id not in placed)
        if self.twin.model is Model.AC and any(
            channel.id.startswith("active_power_l") for channel in channels
        ):
            extras = (*extras, FED_POWER)
        return extras

    def _constant_values(
        self, channels: Iterable[Channel]
    ) -> Iterator[tuple[str, Value]]:
        twin = self.twin
        if twin.name:
            yield "name", Value("text", plain(twin.name))
        if twin.ref_device:
            # A relationship in the model of three phases, a property in the older ones.
            kind = "reference" if twin.model is Model.THREE_PHASE else "list"
            yield "refDevice", Value(kind, [twin.ref_device])
        if twin.latitude is not None and twin.longitude is not None:
            point = {"type": "Point", "coordinates": [twin.longitude, twin.latitude]}
            yield "location", Value("geo", point)
        if twin.metering_started is not None:
            yield (
                "dateEnergyMeteringStarted",
                Value("time", iso(twin.metering_started)),
            )
        if twin.model is Model.AC:
            three = any(channel.phase is Phase.L3 for channel in channels)
            kind = "threePhase" if three else "singlePhase"
            yield "phaseType", Value("text", kind)


def _is_signed(id_: str) -> bool:
    channel = CHANNELS.get(id_)
    return channel is not None and channel.quantity.key in SIGNED


def _attribute(
    attribute: Attribute, readings: Mapping[str, float], left_over: dict[str, float]
) -> Iterator[tuple[str, Value]]:
    """Yield an attribute where something of it is measured.

    A reading the model has no place for goes to `left_over` instead.
    """
    fitting: dict[str, float] = {}
    for member, id_ in attribute.parts.items():
        if (reading := readings.get(id_)) is None:
            continue
        if (value := attribute.fit(reading)) is None:
            left_over[id_] = reading
        else:
            fitting[member] = value
    if not fitting:
        return
    if not attribute.structured:
        yield (
            attribute.name,
            Value("number", fitting[""], attribute.unit, observed=True),
        )
        return
    yield attribute.name, Value("structured", fitting, attribute.unit, observed=True)


def _with_fundamental(attribute: Attribute, channels: Iterable[Channel]) -> Attribute:
    """Return `attribute` with reactive power of the fundamental where that is measured."""
    key, better = FUNDAMENTAL_FIRST
    measured = {channel.id for channel in channels}
    parts = {
        member: id_.replace(key, better, 1) if id_.startswith(key) else id_
        for member, id_ in attribute.parts.items()
    }
    if measured.isdisjoint(parts.values()):
        return attribute
    return replace(attribute, parts=parts)


def _own_attributes(channels: Iterable[Channel]) -> tuple[Attribute, ...]:
    """Return attributes named after the catalog, in its units."""
    parts: dict[str, dict[str, str]] = {}
    first: dict[str, Channel] = {}
    for channel in channels:
        quantity = channel.quantity
        name = OWN_NAMES.get(quantity.key, _camel(quantity.name_key))
        member = "" if channel.phase is None else channel.phase.value
        if channel.phase is None and quantity.per_phase:
            name = f"total{name[0].upper()}{name[1:]}"
        if quantity.order is not None:
            name, member = f"{name}s", f"{member}H{quantity.order}"
        parts.setdefault(name, {})[member] = channel.id
        first.setdefault(name, channel)
    return tuple(
        Attribute(
            name,
            UNIT_CODES[first[name].quantity.unit],
            members,
            decimals=first[name].quantity.decimals,
        )
        for name, members in parts.items()
    )


def _camel(key: str) -> str:
    first, *others = key.split("_")
    return first + "".join(word.capitalize() for word in others)


def _of_left_over(left_over: Mapping[str, float]) -> tuple[Attribute, ...]:
    """Return attributes for what was beyond its model, by the catalog's names."""
    known = (CHANNELS[id_] for id_ in left_over if id_ in CHANNELS)
    return _own_attributes(c for c in known if c.quantity.key in MAY_EXCEED)


_V2_TYPES: Final = {
    "number": "Number",
    "structured": "StructuredValue",
    "list": "StructuredValue",
    # QuantumLeap fails on the type Relationship with a value.
    "reference": "StructuredValue",
    "time": "DateTime",
    "text": "Text",
    "geo": "geo:json",
}


def _write_v2(value: Value, time: str) -> dict[str, Any]:
    """Return an attribute in normalized NGSI-v2."""
    written: dict[str, Any] = {"type": _V2_TYPES[value.kind], "value": value.value}
    metadata: dict[str, Any] = {}
    if value.unit is not None:
        metadata["unitCode"] = {"type": "Text", "value": value.unit}
    if value.observed:
        metadata["TimeInstant"] = {"type": "DateTime", "value": time}
    if metadata:
        written["metadata"] = metadata
    return written


def _write_ld(value: Value, time: str) -> dict[str, Any]:
    """Return an attribute in normalized NGSI-LD."""
    if value.kind == "reference":
        return {"type": "Relationship", "object": value.value}
    if value.kind == "geo":
        return {"type": "GeoProperty", "value": value.value}
    content = value.value
    if value.kind == "time":
        content = {"@type": "DateTime", "@value": content}
    written: dict[str, Any] = {"type": "Property", "value": content}
    if value.unit is not None:
        written["unitCode"] = value.unit
    if value.observed:
        written["observedAt"] = time
    return written


_WRITERS: Final = {Api.V2: _write_v2, Api.LD: _write_ld}


def temporal(entities: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return one temporal entity with an instance of each measured attribute.

    `entities` are NGSI-LD entities of the same id in the order of their times; what
    does not belong to a moment is not in it.
    """
    result: dict[str, Any] = {}
    for entity in entities:
        for name, attribute in entity.items():
            if name in ("id", "type", "@context"):
                result[name] = attribute
            elif "observedAt" in attribute:
                result.setdefault(name, []).append(attribute)
    return result

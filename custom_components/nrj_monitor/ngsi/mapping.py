"""Mapping of samples to NGSI entities: pure, from the catalog and the tables of `models`."""

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
    LINE_VOLTAGE,
    MAY_EXCEED,
    OBSERVED,
    OF_PHASE_VOLTAGES,
    OWN_NAMES,
    SIGNED,
    UNIT_CODES,
    Attribute,
    Model,
)
from .names import plain
from .sample import Sample, iso
from .supply_events import ATTRIBUTE as EVENT_ATTRIBUTE, event_value
from .wiring import LINE_PAIRS

CONTEXTS: Final = (
    "https://raw.githubusercontent.com/smart-data-models/dataModel.Energy/master/context.jsonld",
    "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.6.1.jsonld",
)
"""JSON-LD contexts that define the names of the data models."""


class Api(StrEnum):
    """Interface of a broker."""

    V2 = "ngsi_v2"
    LD = "ngsi_ld"


class Generation(StrEnum):
    """Direction in which a meter on a solar feed counts produced energy."""

    IMPORT = "import"
    EXPORT = "export"


@dataclass(frozen=True, slots=True, kw_only=True)
class NgsiEntity:
    """Constant attributes of an entity, and options of its mapping.

    `latitude` and `longitude` are degrees (WGS 84). `metering_started` is milliseconds
    since 1970. With `extras` quantities without an attribute in the model are sent as
    extra attributes.
    """

    id: str
    model: Model = Model.THREE_PHASE
    name: str = ""
    ref_device: str = ""
    latitude: float | None = None
    longitude: float | None = None
    metering_started: int | None = None
    extras: bool = True
    line_voltages: bool = False
    """Whether the meter measures between phases: `wiring.measures_between_phases`."""
    generation: Generation = Generation.EXPORT


@dataclass(frozen=True, slots=True)
class Value:
    """Value of an attribute, independent of the interface.

    `observed` values carry the time of the measurement. `kind` is one of
    number, structured, time, text, geo, list or reference.
    """

    kind: str
    value: Any
    unit: str | None = None
    observed: bool = False


class Mapper:
    """Mapper of a meter's samples to entities of a data model."""

    def __init__(
        self, ngsi_entity: NgsiEntity, channels: Iterable[Channel], api: Api
    ) -> None:
        """Prepare the attributes for samples of `channels`."""
        self.ngsi_entity = ngsi_entity
        self.api = api
        channels = tuple(channels)
        self._attributes = tuple(
            _with_fundamental(attribute, channels)
            for attribute in self._model_attributes()
        )
        self._extras = self._extra_attributes(channels) if ngsi_entity.extras else ()
        self._constants = dict(self._constant_values(channels))
        self._write = _WRITERS[api]
        self._entity_head: dict[str, Any] = {
            "id": ngsi_entity.id,
            "type": ngsi_entity.model.value,
        }
        if api is Api.LD:
            self._entity_head["@context"] = list(CONTEXTS)

    def entity(self, sample: Sample) -> dict[str, Any] | None:
        """Return the entity of a sample, None for a sample without a known reading.

        Quantities that were not measured are absent: nothing is sent as null.
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
        entity[OBSERVED[self.ngsi_entity.model]] = write(
            Value("time", time, observed=True), time
        )
        if self.api is Api.V2:
            # QuantumLeap's time index; its change makes the broker notify unchanged values.
            entity["TimeInstant"] = {"type": "DateTime", "value": time}
        return entity

    def _measured(self, values: Mapping[str, float]) -> Iterator[tuple[str, Value]]:
        readings = self._readings(values)
        left_over: dict[str, float] = {}
        for attribute in self._attributes:
            yield from _attribute(attribute, readings, left_over)
        for attribute in self._extras:
            yield from _attribute(attribute, readings, {})
        if self.ngsi_entity.extras:
            lines = self.ngsi_entity.line_voltages
            for attribute in _of_left_over(left_over, lines):
                yield from _attribute(attribute, readings, {})
            if (event := event_value(values)) is not None:
                yield EVENT_ATTRIBUTE, Value("structured", event, observed=True)

    def _readings(self, values: Mapping[str, float]) -> dict[str, float]:
        readings = dict(values)
        if self.ngsi_entity.model is Model.SOLAR:
            if self.ngsi_entity.generation is Generation.EXPORT:
                turned = (key for key in values if _is_signed(key))
                readings.update({key: -values[key] for key in turned})
            counter = f"{self.ngsi_entity.generation.value}_energy"
            if counter in values:
                readings["generated_energy"] = values[counter]
        return readings | derive(readings)

    def _model_attributes(self) -> Iterator[Attribute]:
        """Return the model's attributes, with the voltages there are to the wiring."""
        for attribute in ATTRIBUTES[self.ngsi_entity.model]:
            if not self.ngsi_entity.line_voltages:
                yield attribute
            elif attribute.name == LINE_VOLTAGE.name:
                yield LINE_VOLTAGE
            elif attribute.name not in OF_PHASE_VOLTAGES:
                yield attribute

    def _extra_attributes(self, channels: tuple[Channel, ...]) -> tuple[Attribute, ...]:
        """Return an extra attribute for each quantity the model has none for."""
        placed = {id_ for a in self._attributes for id_ in a.parts.values()}
        if self.ngsi_entity.model is Model.SOLAR:
            placed.add(f"{self.ngsi_entity.generation.value}_energy")
        if self.ngsi_entity.model is Model.AC:
            placed |= {f"active_power_l{n}" for n in (1, 2, 3)}
        lines = self.ngsi_entity.line_voltages
        if lines and placed.isdisjoint(LINE_VOLTAGE.parts.values()):
            # The model has no place for a voltage between two phases.
            placed |= set(LINE_VOLTAGE.parts.values())
            more: tuple[Attribute, ...] = (LINE_VOLTAGE,)
        else:
            more = ()
        own = (c for c in channels if c.id not in placed)
        extras = (*more, *_own_attributes(own, lines))
        if self.ngsi_entity.model is Model.AC and any(
            channel.id.startswith("active_power_l") for channel in channels
        ):
            extras = (*extras, FED_POWER)
        return extras

    def _constant_values(
        self, channels: Iterable[Channel]
    ) -> Iterator[tuple[str, Value]]:
        entity = self.ngsi_entity
        if entity.name:
            yield "name", Value("text", plain(entity.name))
        if entity.ref_device:
            # A relationship in the model of three phases, a property in the older ones.
            kind = "reference" if entity.model is Model.THREE_PHASE else "list"
            yield "refDevice", Value(kind, [entity.ref_device])
        if entity.latitude is not None and entity.longitude is not None:
            point = {
                "type": "Point",
                "coordinates": [entity.longitude, entity.latitude],
            }
            yield "location", Value("geo", point)
        if entity.metering_started is not None:
            yield (
                "dateEnergyMeteringStarted",
                Value("time", iso(entity.metering_started)),
            )
        if entity.model is Model.AC:
            three = any(channel.phase is Phase.L3 for channel in channels)
            kind = "threePhase" if three else "singlePhase"
            yield "phaseType", Value("text", kind)


def _is_signed(id_: str) -> bool:
    channel = CHANNELS.get(id_)
    return channel is not None and channel.quantity.key in SIGNED


def _attribute(
    attribute: Attribute, readings: Mapping[str, float], left_over: dict[str, float]
) -> Iterator[tuple[str, Value]]:
    """Yield the name and value of an attribute with a measured part.

    A reading beyond the limits of the model goes to `left_over` instead.
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
    """Return `attribute` with the fundamental's reactive power if measured."""
    key, better = FUNDAMENTAL_FIRST
    measured = {channel.id for channel in channels}
    parts = {
        member: id_.replace(key, better, 1) if id_.startswith(key) else id_
        for member, id_ in attribute.parts.items()
    }
    if measured.isdisjoint(parts.values()):
        return attribute
    return replace(attribute, parts=parts)


def _own_attributes(
    channels: Iterable[Channel], line_voltages: bool
) -> tuple[Attribute, ...]:
    """Return extra attributes with the catalog's names and units.

    With `line_voltages` what is measured of a voltage is that of two phases.
    """
    parts: dict[str, dict[str, str]] = {}
    first: dict[str, Channel] = {}
    for channel in channels:
        quantity = channel.quantity
        name = OWN_NAMES.get(quantity.key, _camel(quantity.name_key))
        member = "" if channel.phase is None else channel.phase.value
        if line_voltages and channel.phase and quantity.key.startswith("voltage"):
            member = LINE_PAIRS[channel.phase]
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


def _of_left_over(
    left_over: Mapping[str, float], line_voltages: bool
) -> tuple[Attribute, ...]:
    """Return extra attributes for readings beyond the limits of the model."""
    known = (CHANNELS[id_] for id_ in left_over if id_ in CHANNELS)
    exceeding = (c for c in known if c.quantity.key in MAY_EXCEED)
    return _own_attributes(exceeding, line_voltages)


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
    """Return a value as an attribute in normalized NGSI-v2."""
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
    """Return a value as an attribute in normalized NGSI-LD."""
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
    """Return a temporal entity with an instance of each measured attribute.

    `entities` are NGSI-LD entities of the same id in the order of their times;
    attributes without observedAt are left out.
    """
    result: dict[str, Any] = {}
    for entity in entities:
        for name, attribute in entity.items():
            if name in ("id", "type", "@context"):
                result[name] = attribute
            elif "observedAt" in attribute:
                result.setdefault(name, []).append(attribute)
    return result

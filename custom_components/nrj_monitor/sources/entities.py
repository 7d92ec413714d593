"""Readings from entities of other integrations."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Self, override

from homeassistant.components.sensor.const import UNIT_CONVERTERS
from homeassistant.const import (
    ATTR_UNIT_OF_MEASUREMENT,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
)
from homeassistant.core import (
    Event,
    EventStateChangedData,
    EventStateReportedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import (
    async_track_state_change_event,
    async_track_state_report_event,
)

from ..catalog import CHANNELS, Channel, Phase
from ..const import CONF_PHASES, CONF_READINGS
from . import MeterDescription, Source, SourceListener
from .derived_totals import DerivedTotals
from .errors import EntitiesAwayError, LinkDownError


class UnitError(ValueError):
    """A state's unit can not be converted into the channel's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityReading:
    """Entities and sign of a channel's reading.

    The values of `entity_ids` are summed, as with the counters of two tariffs. Those of
    `subtracted` are taken off, as with meters that tell power drawn and power returned
    apart. `inverted` changes the sign of the result.
    """

    entity_ids: tuple[str, ...]
    subtracted: tuple[str, ...] = ()
    inverted: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the reading's entities as JSON-compatible data."""
        return {
            "entity_ids": list(self.entity_ids),
            "subtracted": list(self.subtracted),
            "inverted": self.inverted,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Read entities stored by `as_dict`."""
        return cls(
            entity_ids=tuple(stored["entity_ids"]),
            subtracted=tuple(stored["subtracted"]),
            inverted=stored["inverted"],
        )

    @property
    def all_entity_ids(self) -> tuple[str, ...]:
        """Return the ids of all entities, summed and subtracted."""
        return self.entity_ids + self.subtracted


def value_of(state: State | None, channel: Channel) -> float | None:
    """Return a state's value in the unit of `channel`, None without a value.

    A state without a unit is taken as being in the channel's.

    Raises:
        UnitError: the unit can not be converted; names both.
    """
    if state is None or state.state in (STATE_UNAVAILABLE, STATE_UNKNOWN, ""):
        return None
    try:
        value = float(state.state)
    except ValueError:
        return None
    if not isfinite(value):
        return None
    quantity = channel.quantity
    unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
    if unit == quantity.unit or (unit is None and quantity.unit is not None):
        return value
    converter = UNIT_CONVERTERS.get(quantity.device_class)
    if converter is None:
        raise UnitError(f"{unit} is not {quantity.unit}")
    try:
        return converter.convert(value, unit, quantity.unit)
    except HomeAssistantError as error:
        raise UnitError(f"{unit} can not be converted into {quantity.unit}") from error


def read(hass: HomeAssistant, channel: Channel, reading: EntityReading) -> float | None:
    """Return the present value of a reading, None unless all its entities have one.

    Raises UnitError.
    """

    def total(entity_ids: Iterable[str]) -> float | None:
        values = [value_of(hass.states.get(id_), channel) for id_ in entity_ids]
        valid = [value for value in values if value is not None]
        return sum(valid) if len(valid) == len(values) else None

    summed, subtracted = total(reading.entity_ids), total(reading.subtracted)
    if summed is None or subtracted is None:
        return None
    value = summed - subtracted
    return -value if reading.inverted else value


class EntitiesSource(Source):
    """A meter made of entities of other integrations, without relays."""

    def __init__(
        self,
        hass: HomeAssistant,
        readings: Mapping[Channel, EntityReading],
        description: MeterDescription,
    ) -> None:
        """Prepare to follow the entities of `readings`."""
        self._hass = hass
        self._readings = dict(readings)
        self._description = description
        self._totals = DerivedTotals(readings)
        self._of_entity: dict[str, list[Channel]] = {}
        for channel, reading in self._readings.items():
            for entity_id in reading.all_entity_ids:
                self._of_entity.setdefault(entity_id, []).append(channel)
        self._is_up = False

    @override
    async def run(self, listener: SourceListener) -> None:
        """Report the entities' readings until cancelled."""
        self._is_up = False
        self._totals.reset()

        @callback
        def on_change(
            event: Event[EventStateChangedData] | Event[EventStateReportedData],
        ) -> None:
            self._report(listener, self._of_entity[event.data["entity_id"]])

        unsubscribes = (
            async_track_state_change_event(self._hass, self._of_entity, on_change),
            async_track_state_report_event(self._hass, self._of_entity, on_change),
        )
        try:
            self._report(listener, self._readings)
            if not self._is_up:
                listener.on_connect_error(EntitiesAwayError("No entity has a value"))
            await self._hass.loop.create_future()
        finally:
            for unsubscribe in unsubscribes:
                unsubscribe()

    @callback
    def _report(self, listener: SourceListener, channels: Iterable[Channel]) -> None:
        """Report the readings of `channels`; the link is up while any entity is available."""
        readings: dict[Channel, float | None] = {}
        for channel in channels:
            try:
                readings[channel] = read(self._hass, channel, self._readings[channel])
            except UnitError:
                readings[channel] = None
        is_there = any(value is not None for value in readings.values()) or any(
            self._is_available(entity_id) for entity_id in self._of_entity
        )
        if not is_there:
            if self._is_up:
                self._is_up = False
                self._totals.reset()
                listener.on_disconnected()
                listener.on_connect_error(EntitiesAwayError("No entity has a value"))
            return
        if not self._is_up:
            self._is_up = True
            listener.on_connected(self._description)
            self._report(listener, self._readings)
            return
        for channel, value in (readings | self._totals.update(readings)).items():
            listener.on_reading(channel, value)

    def _is_available(self, entity_id: str) -> bool:
        state = self._hass.states.get(entity_id)
        return state is not None and state.state not in (
            STATE_UNAVAILABLE,
            STATE_UNKNOWN,
        )

    @override
    def switch_relay(self, relay_id: str, is_on: bool) -> None:
        """Raise LinkDownError: a meter made of entities has no relays."""
        raise LinkDownError("A meter made of entities has no relays")


def stored_readings(stored: Mapping[str, Any]) -> dict[Channel, EntityReading]:
    """Read the readings of an entry; channels this version lacks are left out."""
    return {
        CHANNELS[id_]: EntityReading.from_dict(reading)
        for id_, reading in stored.items()
        if id_ in CHANNELS
    }


def migrated_entities(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of an entry from its readings as stored up to version 1.2.

    There each reading had one entity, and the number of phases was not stored.
    """
    readings = {
        id_: EntityReading(
            entity_ids=(old["entity_id"],),
            subtracted=tuple(filter(None, [old.get("subtracted")])),
            inverted=old.get("inverted", False),
        ).as_dict()
        for id_, old in stored.items()
    }
    phases = [
        phase
        for phase in Phase
        if any(id_.endswith(f"_{phase.lower()}") for id_ in stored)
    ]
    return {
        CONF_READINGS: readings,
        CONF_PHASES: 1 if not phases else list(Phase).index(phases[-1]) + 1,
    }

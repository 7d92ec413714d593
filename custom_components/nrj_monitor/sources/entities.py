"""Readings from entities of other integrations."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, Self, override

from homeassistant.components.sensor.const import UNIT_CONVERTERS
from homeassistant.const import EVENT_STATE_REPORTED, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import (
    Event,
    EventStateChangedData,
    EventStateReportedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import (
    async_track_state_change_event,
    async_track_state_report_event,
)
from homeassistant.util import dt as dt_util

from ..catalog import CHANNELS, Channel, Phase
from ..const import CONF_PHASES, CONF_READINGS
from . import MeterDescription, Source, SourceListener
from .derived_totals import DerivedTotals
from .errors import EntitiesAwayError, LinkDownError, SilentError, SourceError
from .silence import SilenceWatch, needs_news
from .timeout import LEARNT, LONGEST
from .units import async_unit_of

WATCH_INTERVAL: Final = 1.0
"""Seconds between two looks at who has fallen silent."""


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


def value_of(
    hass: HomeAssistant, state: State | None, channel: Channel
) -> float | None:
    """Return a state's value in the unit of `channel`, None without a value.

    A state without a unit has the one its entity had last; an entity that never had one
    is taken as being in the channel's.

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
    unit = async_unit_of(hass, state)
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
        values = [value_of(hass, hass.states.get(id_), channel) for id_ in entity_ids]
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
        self._totals = DerivedTotals(readings, description.phases)
        self._of_entity: dict[str, list[Channel]] = {}
        for channel, reading in self._readings.items():
            for entity_id in reading.all_entity_ids:
                self._of_entity.setdefault(entity_id, []).append(channel)
        self._is_up = False
        self._watch = SilenceWatch()
        self._tellers: dict[str, str] = {}
        self._repeats: dict[str, int] = {}

    @override
    async def run(self, listener: SourceListener) -> None:
        """Report the entities' readings until cancelled."""
        self._is_up = False
        self._totals.reset()
        loop = self._hass.loop
        self._tellers = {id_: _teller(self._hass, id_) for id_ in self._of_entity}
        self._repeats = dict.fromkeys(self._of_entity, 0)
        self._watch = self._new_watch()

        @callback
        def on_change(
            event: Event[EventStateChangedData] | Event[EventStateReportedData],
        ) -> None:
            entity_id = event.data["entity_id"]
            channels = self._of_entity[entity_id]
            if self._has_value(event.data["new_state"]):
                is_repeat = event.event_type == EVENT_STATE_REPORTED
                repeats = self._repeats[entity_id] + 1 if is_repeat else 0
                self._repeats[entity_id] = repeats
                if back := self._add_report(entity_id, loop.time()):
                    channels = self._channels_of(back)
            self._report(listener, channels)

        unsubscribes = (
            async_track_state_change_event(self._hass, self._of_entity, on_change),
            async_track_state_report_event(self._hass, self._of_entity, on_change),
        )
        try:
            self._report(listener, self._readings)
            if not self._is_up:
                listener.on_connect_error(self._why_down())
            while True:
                await asyncio.sleep(WATCH_INTERVAL)
                if fallen := self._watch.pop_fallen(loop.time()):
                    self._report(listener, self._channels_of(fallen))
        finally:
            for unsubscribe in unsubscribes:
                unsubscribe()

    def _new_watch(self) -> SilenceWatch:
        """Return the watch over the entities' devices, as of now."""
        watch, now = SilenceWatch(), self._hass.loop.time()
        for entity_id, teller in self._tellers.items():
            state = self._hass.states.get(entity_id)
            if state is not None and self._has_value(state):
                age = (dt_util.utcnow() - state.last_reported).total_seconds()
                if age <= LONGEST:
                    watch.expect(teller, now)
        for teller in self._tellers.values():
            watch.expect(teller, now - LONGEST)
        watch.pop_fallen(now)
        return watch

    def _add_report(self, entity_id: str, now: float) -> set[str]:
        """Add a report of an entity; return who was silent until then."""
        tellers = {self._tellers[entity_id], entity_id}
        return {teller for teller in tellers if self._watch.update(teller, now)}

    def _channels_of(self, tellers: Collection[str]) -> list[Channel]:
        """Return the channels with an entity of any of `tellers`."""
        return [
            channel
            for channel, reading in self._readings.items()
            if any(
                self._tellers[id_] in tellers or id_ in tellers
                for id_ in reading.all_entity_ids
            )
        ]

    def _is_silent(self, entity_id: str) -> bool:
        """Return whether an entity tells nothing any more.

        Many devices report only what has changed, so any of their entities speaks for
        one that does not, unless that one has repeated its value before.
        """
        silent = self._watch.silent
        if self._tellers[entity_id] in silent:
            return True
        return entity_id in silent and self._repeats[entity_id] >= LEARNT

    def _is_frozen(self, channel: Channel) -> bool:
        """Return whether the entities' values say nothing of a channel now."""
        return needs_news(channel) and any(
            self._is_silent(id_) for id_ in self._readings[channel].all_entity_ids
        )

    @callback
    def _report(self, listener: SourceListener, channels: Iterable[Channel]) -> None:
        """Report the readings of `channels`; the link is up while any entity is available."""
        readings: dict[Channel, float | None] = {}
        for channel in channels:
            readings[channel] = None
            if self._is_frozen(channel):
                continue
            with suppress(UnitError):
                readings[channel] = read(self._hass, channel, self._readings[channel])
        if not any(map(self._is_alive, self._of_entity)):
            if self._is_up:
                self._is_up = False
                self._totals.reset()
                listener.on_disconnected()
                listener.on_connect_error(self._why_down())
            return
        if not self._is_up:
            self._is_up = True
            listener.on_connected(self._description)
            self._report(listener, self._readings)
            return
        for channel, value in (readings | self._totals.update(readings)).items():
            listener.on_reading(channel, value)

    def _is_alive(self, entity_id: str) -> bool:
        """Return whether an entity has a value of now."""
        return self._has_value(
            self._hass.states.get(entity_id)
        ) and not self._is_silent(entity_id)

    @staticmethod
    def _has_value(state: State | None) -> bool:
        return state is not None and state.state not in (
            STATE_UNAVAILABLE,
            STATE_UNKNOWN,
        )

    def _why_down(self) -> SourceError:
        """Return why there is nothing to report."""
        if any(self._has_value(self._hass.states.get(id_)) for id_ in self._of_entity):
            return SilentError("The entities tell nothing new")
        return EntitiesAwayError("No entity has a value")

    @override
    def switch_relay(self, relay_id: str, is_on: bool) -> None:
        """Raise LinkDownError: a meter made of entities has no relays."""
        raise LinkDownError("A meter made of entities has no relays")


def _teller(hass: HomeAssistant, entity_id: str) -> str:
    """Return whose silence is that of an entity: its device's, or its own without one."""
    entity = er.async_get(hass).async_get(entity_id)
    device_id = None if entity is None else entity.device_id
    return entity_id if device_id is None else device_id


def stored_readings(stored: Mapping[str, Any]) -> dict[Channel, EntityReading]:
    """Read the readings of an entry; channels this version lacks are left out."""
    return {
        CHANNELS[id_]: EntityReading.from_dict(reading)
        for id_, reading in stored.items()
        if id_ in CHANNELS
    }


def all_entity_ids(readings: Mapping[Channel, EntityReading]) -> list[str]:
    """Return the ids of the entities of all readings."""
    return [id_ for reading in readings.values() for id_ in reading.all_entity_ids]


def entities_by_channel(
    readings: Mapping[Channel, EntityReading],
) -> dict[Channel, list[str]]:
    """Return the entity ids that each channel comes from, those of derived totals too."""
    parts: dict[Channel, tuple[Channel, ...]] = {
        channel: (channel,) for channel in readings
    }
    parts |= DerivedTotals(readings).parts
    return {
        channel: all_entity_ids({part: readings[part] for part in of_channel})
        for channel, of_channel in parts.items()
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

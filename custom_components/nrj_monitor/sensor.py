"""Sensors of a meter: measured channels, frequency guard, loads and brokers."""

import asyncio
from collections.abc import Iterator
from math import inf
from typing import Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .catalog import Channel
from .const import (
    CONF_READINGS,
    CONF_SOURCE,
    CONF_STATE_DETAIL,
    DEFAULT_STATE_DETAIL,
    SOURCE_ENTITIES,
    STATE_DETAILS,
)
from .demand.sensor import demand_sensors
from .entity import MeterEntity
from .entry_data import NrjConfigEntry, NrjData
from .frequency_guard.guard_state import GuardReason, GuardState
from .loads.manager import LoadManager
from .loads.sensor import load_sensors
from .meter import Meter
from .ngsi.sensor import SENSORS, BrokerSensor
from .over_range import OVER_RANGE, falsifies
from .sources import Feature
from .sources.entities import entities_by_channel, stored_readings
from .throttle import CounterThrottle, MeasurementThrottle

PARALLEL_UPDATES = 0

ATTR_SOURCE: Final = "source"

PATIENCE = 0.5
"""Seconds for which a due state waits for the next reading, so that writing the state
wakes the event loop no second time."""

GUARD_STATE: Final = SensorEntityDescription(
    key="guard_state",
    translation_key="guard_state",
    device_class=SensorDeviceClass.ENUM,
    entity_category=EntityCategory.DIAGNOSTIC,
    options=[state.value for state in GuardState],
)
GUARD_REASON: Final = SensorEntityDescription(
    key="guard_reason",
    translation_key="guard_reason",
    device_class=SensorDeviceClass.ENUM,
    entity_category=EntityCategory.DIAGNOSTIC,
    options=[reason.value for reason in GuardReason],
)
GUARD_SENSORS: Final = (GUARD_STATE, GUARD_REASON)
"""Sensors of a meter's own frequency guard; a computed guard has the state alone."""


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the sensors of a meter, its loads and its brokers."""
    data = entry.runtime_data
    meter = data.meter
    scale = STATE_DETAILS[entry.options.get(CONF_STATE_DETAIL, DEFAULT_STATE_DETAIL)]
    sources = _sources(entry)
    async_add_entities(
        MeterSensor(meter, channel, scale, sources.get(channel))
        for channel in meter.description.channels
    )
    async_add_entities(guard_sensors(data))
    async_add_entities(demand_sensors(data.demand))
    for load_id, sensors in load_sensors(data.loads):
        async_add_entities(sensors, config_subentry_id=load_id)
    for subentry_id, broker in data.brokers.items():
        async_add_entities(
            (BrokerSensor(broker, description) for description in SENSORS),
            config_subentry_id=subentry_id,
        )


def _sources(entry: NrjConfigEntry) -> dict[Channel, list[str]]:
    """Return the entities of other integrations that each channel comes from."""
    if entry.data[CONF_SOURCE] != SOURCE_ENTITIES:
        return {}
    return entities_by_channel(stored_readings(entry.data[CONF_READINGS]))


def guard_sensors(data: NrjData) -> Iterator[SensorEntity]:
    """Yield the sensors of the meter's own frequency guard, or of a computed guard."""
    if Feature.GUARD in data.meter.description.features:
        yield from (
            GuardSensor(data.meter, description) for description in GUARD_SENSORS
        )
    elif data.loads is not None and data.loads.grid is not None:
        yield ComputedGuardSensor(data.loads)


def describe(channel: Channel) -> SensorEntityDescription:
    """Return the entity description of a channel."""
    quantity = channel.quantity
    return SensorEntityDescription(
        key=channel.id,
        translation_key=(
            quantity.name_key if channel.phase is None else f"{quantity.name_key}_phase"
        ),
        device_class=quantity.device_class,
        state_class=quantity.state_class,
        native_unit_of_measurement=quantity.unit,
        suggested_display_precision=quantity.display_precision,
        entity_category=EntityCategory.DIAGNOSTIC if quantity.diagnostic else None,
        entity_registry_enabled_default=channel.enabled_by_default,
    )


def name_placeholders(channel: Channel) -> dict[str, str]:
    """Return the placeholders of a channel's name: phase and harmonic order."""
    named = {"phase": channel.phase, "order": channel.quantity.order}
    return {key: str(value) for key, value in named.items() if value is not None}


def make_throttle(channel: Channel, scale: float) -> CounterThrottle:
    """Return the throttle for a channel's states; `scale` multiplies its change step."""
    quantity = channel.quantity
    if quantity.state_class is SensorStateClass.TOTAL_INCREASING:
        return CounterThrottle(quantity.change, scale)
    return MeasurementThrottle(quantity.change, scale)


class MeterSensor(MeterEntity, SensorEntity):
    """The latest reading of a channel, written no more often than useful."""

    _unrecorded_attributes = frozenset({ATTR_SOURCE})

    def __init__(
        self,
        meter: Meter,
        channel: Channel,
        scale: float = 1.0,
        source: list[str] | None = None,
    ) -> None:
        """Show `channel` of `meter`; `scale` multiplies the significant change.

        `source` are the entities of other integrations that the readings come from.
        """
        super().__init__(meter, channel.id)
        self._origin = {ATTR_SOURCE: source} if source else {}
        self.entity_description = describe(channel)
        self._attr_translation_placeholders = name_placeholders(channel)
        self._channel = channel
        self._decimals = channel.quantity.decimals or None
        self._throttle = make_throttle(channel, scale)
        self._attr_native_value = None
        self._is_over_range = False
        # Setting and cancelling timers costs as much as a write, so one timer, set for
        # the longest interval, outlives the writes, and another one is set for a write
        # that is due sooner.
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = inf
        self._soon_timer: asyncio.TimerHandle | None = None
        self._soon_due = inf

    @override
    async def async_added_to_hass(self) -> None:
        """Subscribe to the readings of the channel."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self._meter.async_add_reading_listener(self._channel, self._on_reading)
        )
        self.async_on_remove(
            self._meter.async_add_over_range_listener(self._on_over_range)
        )
        self._update_mark()
        self.async_on_remove(self._cancel_timers)
        if self._channel in self._meter.snapshot:
            # Read before this subscription, and perhaps not again for a minute.
            now = self.hass.loop.time()
            self._throttle.update(self._meter.snapshot[self._channel], now)
            self._update_value(now)

    @property
    @override
    def available(self) -> bool:
        """Return whether the link is up and the channel has been read since."""
        return super().available and self._channel in self._meter.snapshot

    @callback
    @override
    def _on_connection(self) -> None:
        """Write the availability, and the next reading without delay."""
        self._cancel_timers()
        self._throttle.reset()
        super()._on_connection()

    def _update_mark(self) -> bool:
        """Mark the readings while the meter can not measure them; return for a change."""
        is_over_range = falsifies(self._meter.over_range, self._channel)
        is_new = is_over_range is not self._is_over_range
        self._is_over_range = is_over_range
        mark = {OVER_RANGE: True} if is_over_range else {}
        self._attr_extra_state_attributes = self._origin | mark
        return is_new

    @callback
    def _on_over_range(self) -> None:
        """Write the state at once where its mark changes."""
        if self._update_mark():
            self.async_write_ha_state()

    @callback
    def _on_reading(self, value: float | None, now: float) -> None:
        """Pass a reading to the throttle; write the state now or set a timer."""
        due = self._throttle.update(value, now)
        if due <= now:
            self._write(now)
        elif due < self._soon_due and due < self._timer_due:
            self._set_timer(due)

    @callback
    def _on_timer(self) -> None:
        """Write the state if due, else set the timer anew."""
        self._timer = None
        self._timer_due = inf
        self._write_if_due()

    @callback
    def _on_soon_timer(self) -> None:
        """Write the state if due, else set the timer anew."""
        self._soon_timer = None
        self._soon_due = inf
        self._write_if_due()

    @callback
    def _write_if_due(self) -> None:
        """Write a state for which no reading came in time."""
        now = self.hass.loop.time()
        due = self._throttle.due(now)
        if due <= now:
            self._write(now)
        else:
            self._set_timer(due)

    @callback
    def _write(self, now: float) -> None:
        """Write the state."""
        self._update_value(now)
        self.async_write_ha_state()

    @callback
    def _update_value(self, now: float) -> None:
        """Set the value from the throttle, and the timer for the next write."""
        value = self._throttle.write(now)
        self._attr_native_value = (
            None if value is None else round(value, self._decimals)
        )
        self._cancel_soon_timer()
        self._set_timer(self._throttle.due(now))

    @callback
    def _set_timer(self, due: float) -> None:
        """Check at `due`, or sooner, whether to write, unless a reading comes first.

        The time in which a reading usually comes is added.
        """
        if due >= self._timer_due:
            return
        at = due + PATIENCE
        if self._timer is None:
            self._timer_due = due
            self._timer = self.hass.loop.call_at(at, self._on_timer)
        else:
            self._cancel_soon_timer()
            self._soon_due = due
            self._soon_timer = self.hass.loop.call_at(at, self._on_soon_timer)

    @callback
    def _cancel_soon_timer(self) -> None:
        """Cancel the timer of a write due soon."""
        if self._soon_timer is not None:
            self._soon_timer.cancel()
            self._soon_timer = None
            self._soon_due = inf

    @callback
    def _cancel_timers(self) -> None:
        """Cancel the timers of the next writes."""
        self._cancel_soon_timer()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._timer_due = inf


class GuardSensor(MeterEntity, SensorEntity):
    """State or reason of the meter's own frequency guard."""

    def __init__(self, meter: Meter, description: SensorEntityDescription) -> None:
        """Show the text sensor of `meter` named by `description`."""
        super().__init__(meter, description.key)
        self.entity_description = description

    @override
    async def async_added_to_hass(self) -> None:
        """Subscribe to the meter's text sensors."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self._meter.async_add_text_listener(self.async_write_ha_state)
        )

    @property
    @override
    def native_value(self) -> str | None:
        """Return the meter's code, None for a code this version does not know."""
        code = self._meter.texts.get(self.entity_description.key)
        return code if code in (self.entity_description.options or ()) else None


class ComputedGuardSensor(MeterEntity, SensorEntity):
    """State of the frequency guard computed here, for meters without a guard."""

    entity_description = GUARD_STATE

    def __init__(self, manager: LoadManager) -> None:
        """Show the guard of a load manager."""
        super().__init__(manager.meter, GUARD_STATE.key)
        self._manager = manager

    @override
    async def async_added_to_hass(self) -> None:
        """Subscribe to the computed guard."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self._manager.async_add_grid_listener(self.async_write_ha_state)
        )

    @property
    @override
    def native_value(self) -> str | None:
        """Return the guard's state."""
        state = self._manager.grid_state
        return None if state is None else state.value

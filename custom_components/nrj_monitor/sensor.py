"""Sensors: one for each channel the meter has."""

import asyncio
from math import inf
from typing import override

from homeassistant.components.sensor import (
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .catalog import Channel
from .const import CONF_STATE_DETAIL, DEFAULT_STATE_DETAIL, STATE_DETAILS
from .entity import MeterEntity
from .entry_data import NrjConfigEntry
from .guard_sensor import guard_sensors
from .loads.sensor import load_sensors
from .meter import Meter
from .ngsi.sensor import SENSORS, BrokerSensor
from .throttle import CounterThrottle, MeasurementThrottle

PARALLEL_UPDATES = 0

PATIENCE = 0.5
"""Seconds for which a state that is due waits for a reading to be written with: one that
comes anyway wakes the event loop no second time."""


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the sensors of a meter."""
    data = entry.runtime_data
    meter = data.meter
    scale = STATE_DETAILS[entry.options.get(CONF_STATE_DETAIL, DEFAULT_STATE_DETAIL)]
    async_add_entities(
        MeterSensor(meter, channel, scale) for channel in meter.description.channels
    )
    async_add_entities(guard_sensors(meter, data.loads))
    for load_id, sensors in load_sensors(data.loads):
        async_add_entities(sensors, config_subentry_id=load_id)
    for subentry_id, broker in data.brokers.items():
        async_add_entities(
            (BrokerSensor(broker, description) for description in SENSORS),
            config_subentry_id=subentry_id,
        )


def describe(channel: Channel) -> SensorEntityDescription:
    """Return how Home Assistant shows a channel."""
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
    """Return what a channel's name says besides what it measures."""
    named = {"phase": channel.phase, "order": channel.quantity.order}
    return {key: str(value) for key, value in named.items() if value is not None}


def throttle_of(channel: Channel, scale: float) -> CounterThrottle:
    """Return the rule by which the states of a channel are written."""
    quantity = channel.quantity
    if quantity.state_class is SensorStateClass.TOTAL_INCREASING:
        return CounterThrottle(quantity.change, scale)
    return MeasurementThrottle(quantity.change, scale)


class MeterSensor(MeterEntity, SensorEntity):
    """The latest reading of one channel, written no more often than is useful."""

    def __init__(self, meter: Meter, channel: Channel, scale: float = 1.0) -> None:
        """Show `channel` of `meter`; `scale` multiplies what counts as a change."""
        super().__init__(meter, channel.id)
        self.entity_description = describe(channel)
        self._attr_translation_placeholders = name_placeholders(channel)
        self._channel = channel
        self._decimals = channel.quantity.decimals or None
        self._throttle = throttle_of(channel, scale)
        self._attr_native_value = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = inf

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the channel."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self._meter.async_add_reading_listener(self._channel, self._on_reading)
        )
        self.async_on_remove(self._cancel_timer)
        if self._channel in self._meter.snapshot:
            # Told before there was anybody to tell, and perhaps not again for long.
            now = self.hass.loop.time()
            self._throttle.take(self._meter.snapshot[self._channel], now)
            self._take_over(now)

    @property
    @override
    def available(self) -> bool:
        """Return whether the meter is there and has told this reading."""
        return super().available and self._channel in self._meter.snapshot

    @callback
    @override
    def _on_link(self) -> None:
        self._cancel_timer()
        self._throttle.forget()
        super()._on_link()

    @callback
    def _on_reading(self, value: float | None, now: float) -> None:
        """Take a reading; write the state now or when the throttle says."""
        due = self._throttle.take(value, now)
        if due <= now:
            self._write(now)
        elif due < self._timer_due:
            self._arm_timer(due)

    @callback
    def _on_timer(self) -> None:
        now = self.hass.loop.time()
        due = self._throttle.due(now)
        if due <= now:
            self._write(now)
        else:
            self._arm_timer(due)

    @callback
    def _write(self, now: float) -> None:
        """Write the state."""
        self._take_over(now)
        self.async_write_ha_state()

    @callback
    def _take_over(self, now: float) -> None:
        """Take the value to write, and see when the next one is due if nothing comes."""
        value = self._throttle.write(now)
        self._attr_native_value = (
            None if value is None else round(value, self._decimals)
        )
        self._arm_timer(self._throttle.due(now))

    @callback
    def _arm_timer(self, due: float) -> None:
        """Look again at `due`, unless a reading does so soon after."""
        self._cancel_timer()
        self._timer_due = due
        self._timer = self.hass.loop.call_at(due + PATIENCE, self._on_timer)

    @callback
    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_due = inf

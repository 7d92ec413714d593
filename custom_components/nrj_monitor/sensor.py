"""Sensors: one for each channel the meter has."""

import asyncio
from typing import override

from homeassistant.components.sensor import SensorEntity, SensorEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from . import NrjConfigEntry
from .catalog import Channel
from .entity import MeterEntity
from .meter import Meter
from .throttle import WriteThrottle

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the sensors of a meter."""
    meter = entry.runtime_data
    async_add_entities(
        MeterSensor(meter, channel) for channel in meter.description.channels
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


class MeterSensor(MeterEntity, SensorEntity):
    """The latest reading of one channel, written no more often than is useful."""

    def __init__(self, meter: Meter, channel: Channel) -> None:
        """Show `channel` of `meter`."""
        super().__init__(meter, channel.id)
        self.entity_description = describe(channel)
        self._attr_translation_placeholders = name_placeholders(channel)
        self._channel = channel
        self._throttle = WriteThrottle(channel.quantity.change)
        self._timer: asyncio.TimerHandle | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the channel."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self._meter.listen_channel(self._channel, self._write_when_due)
        )
        self.async_on_remove(self._cancel_timer)

    @property
    @override
    def available(self) -> bool:
        """Return whether the meter is there and has told this reading."""
        return super().available and self._channel in self._meter.snapshot

    @property
    @override
    def native_value(self) -> float | None:
        """Return the latest reading, None where there is no valid measurement."""
        value = self._meter.snapshot.get(self._channel)
        if value is None:
            return None
        return round(value, self._channel.quantity.decimals or None)

    @callback
    @override
    def _on_link(self) -> None:
        self._cancel_timer()
        self._throttle.forget()
        super()._on_link()

    @callback
    def _write_when_due(self) -> None:
        """Write the state, now or as soon as the throttle allows."""
        now = self.hass.loop.time()
        value = self._meter.snapshot.get(self._channel)
        due = self._throttle.due(value, now)
        if due > now:
            self._arm_timer(due)
            return
        self._throttle.written(value, now)
        self.async_write_ha_state()

    @callback
    def _arm_timer(self, due: float) -> None:
        """Look again at `due`, or earlier if that is already arranged."""
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = self.hass.loop.call_at(due, self._on_timer)

    @callback
    def _on_timer(self) -> None:
        self._timer = None
        self._write_when_due()

    @callback
    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

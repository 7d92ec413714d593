"""Events: power quality, frequency guard and decisions about loads."""

from typing import override

from homeassistant.components.event import EventEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import EVENT_GUARD, EVENT_POWER_QUALITY
from .entity import MeterEntity
from .entry_data import NrjConfigEntry
from .frequency_guard.event import KINDS as GUARD_KINDS, GuardEvent
from .frequency_guard.event_log import GuardEventLog
from .loads.event import load_events
from .meter import Meter
from .power_quality.event import KINDS, PowerQualityEvent
from .sources import Feature

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NrjConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the event entities of a meter and its loads."""
    data = entry.runtime_data
    meter = data.meter
    if Feature.POWER_QUALITY in meter.description.features:
        async_add_entities([MeterPowerQuality(meter)])
    if Feature.GUARD in meter.description.features:
        async_add_entities([MeterGuard(meter)])
    for load_id, event in load_events(data.loads):
        async_add_entities([event], config_subentry_id=load_id)


class MeterPowerQuality(MeterEntity, EventEntity):
    """The latest power quality event of the meter."""

    _attr_translation_key = "power_quality"

    def __init__(self, meter: Meter) -> None:
        """Show the power quality events of `meter`."""
        super().__init__(meter, "power_quality")
        self._attr_event_types = list(KINDS)

    @override
    async def async_added_to_hass(self) -> None:
        """Subscribe to power quality events."""
        await super().async_added_to_hass()
        self.async_on_remove(
            self._meter.async_add_power_quality_listener(self._on_event)
        )

    @callback
    def _on_event(self, event: PowerQualityEvent) -> None:
        """Write an event to the state and fire a bus event."""
        attributes = event.attributes()
        self._trigger_event(event.kind, attributes)
        self.async_write_ha_state()
        self.hass.bus.async_fire(
            EVENT_POWER_QUALITY,
            {
                "entity_id": self.entity_id,
                "name": self._meter.description.name,
                "kind": event.kind,
                **attributes,
            },
        )


class MeterGuard(MeterEntity, EventEntity):
    """The latest event of the meter's own frequency guard."""

    _attr_translation_key = "guard"

    def __init__(self, meter: Meter) -> None:
        """Show the guard events of `meter`."""
        super().__init__(meter, "guard_event")
        self._attr_event_types = list(GUARD_KINDS)

    @override
    async def async_added_to_hass(self) -> None:
        """Subscribe to guard events."""
        await super().async_added_to_hass()
        self._log = GuardEventLog(self.hass, self._fire)
        self.async_on_remove(self._log.cancel)
        self.async_on_remove(self._meter.async_add_guard_listener(self._on_event))

    @callback
    def _on_event(self, event: GuardEvent) -> None:
        """Write an event to the state, and add it to the logbook."""
        self._trigger_event(event.kind, event.attributes())
        self.async_write_ha_state()
        self._log.add(event)

    @callback
    def _fire(self, event: GuardEvent) -> None:
        """Fire the event on the bus that the logbook describes."""
        self.hass.bus.async_fire(
            EVENT_GUARD,
            {
                "entity_id": self.entity_id,
                "name": self._meter.description.name,
                "kind": event.kind,
                **event.attributes(),
            },
        )

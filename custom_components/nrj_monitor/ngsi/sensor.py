"""Diagnostic sensors of a broker, on a device of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
import time
from typing import Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfTime
from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.typing import StateType

from ..const import DOMAIN
from .errors import HistoryState, LinkState
from .forwarder import ForwarderStatus
from .manager import BrokerManager
from .settings import CONF_API

WRITE_INTERVAL: Final = timedelta(seconds=30)
"""How often counts and ages are written; every delivery changes them."""


@dataclass(frozen=True, kw_only=True)
class BrokerSensorDescription(SensorEntityDescription):
    """Description of a sensor of a broker; `value_fn` reads its state from the status."""

    value_fn: Callable[[ForwarderStatus], StateType]


def _oldest_age(status: ForwarderStatus) -> float:
    """Return the age of the oldest waiting record in seconds, 0 without any."""
    oldest = status.spool.oldest
    return 0 if oldest is None else max(0, round(time.time() - oldest / 1000))


def _counter(
    key: str, value_fn: Callable[[ForwarderStatus], int]
) -> BrokerSensorDescription:
    return BrokerSensorDescription(
        key=key,
        translation_key=f"broker_{key}",
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=value_fn,
    )


SENSORS: Final = (
    BrokerSensorDescription(
        key="link",
        translation_key="broker_link",
        device_class=SensorDeviceClass.ENUM,
        options=sorted(LinkState),
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda status: status.state,
    ),
    BrokerSensorDescription(
        key="history",
        translation_key="broker_history",
        device_class=SensorDeviceClass.ENUM,
        options=sorted(HistoryState),
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda status: status.history,
    ),
    BrokerSensorDescription(
        key="oldest_unsent",
        translation_key="broker_oldest_unsent",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_oldest_age,
    ),
    BrokerSensorDescription(
        key="waiting",
        translation_key="broker_waiting",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda status: status.spool.waiting,
    ),
    _counter("sent", lambda status: status.spool.counts.sent),
    _counter("thinned", lambda status: status.spool.counts.thinned),
    _counter("dropped", lambda status: status.spool.counts.dropped),
    _counter("refused", lambda status: status.spool.counts.refused),
)


class BrokerSensor(SensorEntity):
    """Diagnostic sensor of a broker: a change of the link at once, counts now and then."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    entity_description: BrokerSensorDescription

    def __init__(
        self, broker: BrokerManager, description: BrokerSensorDescription
    ) -> None:
        """Prepare the sensor of `description` for `broker`."""
        self.entity_description = description
        self._broker = broker
        self._link: tuple[LinkState, LinkState | None, HistoryState] | None = None
        subentry = broker.subentry
        self._attr_unique_id = f"{subentry.subentry_id}_{description.key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, subentry.subentry_id)},
            name=subentry.title,
            manufacturer="FIWARE",
            model=subentry.data[CONF_API].replace("_", "-").upper(),
            entry_type=DeviceEntryType.SERVICE,
        )

    @property
    @override
    def native_value(self) -> StateType:
        """Return the state from the current status of the forwarder."""
        return self.entity_description.value_fn(self._broker.status)

    @override
    async def async_added_to_hass(self) -> None:
        """Listen for changes of the link, and write the counts at an interval."""
        self.async_on_remove(self._broker.forwarder.async_add_listener(self._on_status))
        self.async_on_remove(
            async_track_time_interval(self.hass, self._on_interval, WRITE_INTERVAL)
        )

    @callback
    def _on_interval(self, _: datetime) -> None:
        self.async_write_ha_state()

    @callback
    def _on_status(self) -> None:
        status = self._broker.status
        link = status.state, status.error, status.history
        if link != self._link:
            self._link = link
            self.async_write_ha_state()

"""The sensors of a broker, on a device of their own."""

from collections.abc import Callable
from dataclasses import dataclass
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
from homeassistant.helpers.typing import StateType

from ..const import DOMAIN
from . import errors, forwarder
from .forwarder import ForwarderStatus
from .manager import BrokerLink
from .settings import CONF_API

STATES: Final = sorted(
    {
        forwarder.CONNECTED,
        forwarder.CONNECTING,
        forwarder.NO_STORAGE,
        *(
            kind.key
            for kind in vars(errors).values()
            if isinstance(kind, type) and issubclass(kind, errors.DeliveryError)
        ),
    }
)
"""What the link to a broker can be."""


@dataclass(frozen=True, kw_only=True)
class BrokerSensorDescription(SensorEntityDescription):
    """A sensor and what it shows of a forwarder."""

    value: Callable[[ForwarderStatus], StateType]


def _age(told: ForwarderStatus) -> float:
    """Return the age of the oldest unsent record in seconds, 0 where there is none."""
    oldest = told.status.oldest
    return 0 if oldest is None else max(0, round(time.time() - oldest / 1000))


def _counter(
    key: str, value: Callable[[ForwarderStatus], int]
) -> BrokerSensorDescription:
    return BrokerSensorDescription(
        key=key,
        translation_key=f"broker_{key}",
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        value=value,
    )


SENSORS: Final = (
    BrokerSensorDescription(
        key="link",
        translation_key="broker_link",
        device_class=SensorDeviceClass.ENUM,
        options=STATES,
        entity_category=EntityCategory.DIAGNOSTIC,
        value=lambda told: told.state,
    ),
    BrokerSensorDescription(
        key="oldest_unsent",
        translation_key="broker_oldest_unsent",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        value=_age,
    ),
    BrokerSensorDescription(
        key="waiting",
        translation_key="broker_waiting",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda told: told.status.waiting,
    ),
    _counter("sent", lambda told: told.status.counts.sent),
    _counter("thinned", lambda told: told.status.counts.thinned),
    _counter("dropped", lambda told: told.status.counts.dropped),
    _counter("refused", lambda told: told.status.counts.refused),
)


class BrokerSensor(SensorEntity):
    """What one forwarder tells of itself, looked at as often as Home Assistant looks."""

    _attr_has_entity_name = True
    _attr_should_poll = True
    entity_description: BrokerSensorDescription

    def __init__(self, link: BrokerLink, description: BrokerSensorDescription) -> None:
        """Show `description` of the broker of `link`."""
        self.entity_description = description
        self._link = link
        self._state: tuple[str, str | None] | None = None
        subentry = link.subentry
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
        """Return what the forwarder tells now."""
        return self.entity_description.value(self._link.told)

    @override
    async def async_added_to_hass(self) -> None:
        """Show a change of the link at once; counts can wait."""
        self.async_on_remove(self._link.forwarder.listen(self._on_told))

    async def async_update(self) -> None:
        """Do nothing: the forwarder is asked when the state is written."""

    @callback
    def _on_told(self) -> None:
        told = self._link.told
        if (told.state, told.error) != self._state:
            self._state = (told.state, told.error)
            self.async_write_ha_state()

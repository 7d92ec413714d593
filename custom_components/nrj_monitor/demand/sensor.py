"""Sensors of a meter's demand: the present interval, and the peak of the month."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import UnitOfPower
from homeassistant.core import callback
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import PowerConverter

from ..entity import MeterEntity
from .manager import DemandManager

ATTR_TIME: Final = "time"
ATTR_LIMIT: Final = "limit"


@dataclass(frozen=True, kw_only=True)
class DemandDescription(SensorEntityDescription):
    """A power of the demand; `power` returns it in W, `attributes` what belongs to it."""

    power: Callable[[DemandManager], float | None]
    attributes: Callable[[DemandManager], dict[str, Any]] = lambda _: {}
    needs_link: bool = True

    @classmethod
    def of(cls, key: str, **fields: Any) -> DemandDescription:
        """Return the description of a power of the demand."""
        return cls(
            key=key,
            translation_key=key,
            device_class=SensorDeviceClass.POWER,
            state_class=SensorStateClass.MEASUREMENT,
            native_unit_of_measurement=UnitOfPower.KILO_WATT,
            suggested_display_precision=2,
            **fields,
        )


def _peak(manager: DemandManager) -> float | None:
    peak = manager.account.peak
    return None if peak is None else peak.power


def _peak_time(manager: DemandManager) -> dict[str, Any]:
    """Return when the interval of the peak began."""
    peak = manager.account.peak
    return {
        ATTR_TIME: None
        if peak is None
        else dt_util.as_local(dt_util.utc_from_timestamp(peak.begin)).isoformat()
    }


SENSORS: Final = (
    DemandDescription.of("demand_mean", power=lambda manager: manager.account.mean),
    DemandDescription.of(
        "demand_expected", power=lambda manager: manager.account.expected
    ),
    DemandDescription.of(
        "demand_room",
        power=lambda manager: manager.room,
        attributes=lambda manager: {ATTR_LIMIT: _kilowatts(manager.limit_power)},
    ),
    DemandDescription.of(
        "demand_peak", power=_peak, attributes=_peak_time, needs_link=False
    ),
)


def demand_sensors(manager: DemandManager | None) -> Iterator[SensorEntity]:
    """Yield the sensors of a meter whose contract bills a mean."""
    if manager is not None:
        for description in SENSORS:
            yield DemandSensor(manager, description)


class DemandSensor(MeterEntity, SensorEntity):
    """A power of the demand."""

    entity_description: DemandDescription

    def __init__(self, manager: DemandManager, description: DemandDescription) -> None:
        """Show the power that `description` has of the demand."""
        super().__init__(manager.meter, description.key)
        self.entity_description = description
        self._manager = manager
        self._written: tuple[object, ...] = ()

    @override
    async def async_added_to_hass(self) -> None:
        """Subscribe to the demand."""
        await super().async_added_to_hass()
        self.async_on_remove(self._manager.async_add_listener(self._on_demand))

    @property
    @override
    def available(self) -> bool:
        """Return whether the power is known while the link is down, or the link is up."""
        return super().available or not self.entity_description.needs_link

    @property
    @override
    def native_value(self) -> float | None:
        """Return the power, kW."""
        return _kilowatts(self.entity_description.power(self._manager))

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return what belongs to the power."""
        return self.entity_description.attributes(self._manager)

    @callback
    def _on_demand(self) -> None:
        """Write a state that differs from the last one."""
        shown = (self.native_value, self.extra_state_attributes, self.available)
        if shown != self._written:
            self._written = shown
            self.async_write_ha_state()


def _kilowatts(power: float | None) -> float | None:
    if power is None:
        return None
    kilowatts = PowerConverter.convert(power, UnitOfPower.WATT, UnitOfPower.KILO_WATT)
    return round(kilowatts, 2)

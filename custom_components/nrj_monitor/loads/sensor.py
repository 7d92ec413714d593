"""Sensors of a load: its activity and the end of that, its power, and its energies."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import UnitOfEnergy, UnitOfPower
from homeassistant.core import Event, EventStateChangedData, callback
from homeassistant.helpers.event import async_track_state_change_event

from ..control.deadline import Deadline
from ..control.decision import Decision, Notice
from .activity import ACTIVITIES, current_activity
from .answer import end_of
from .entity import LoadEntity
from .manager import LoadManager

ENERGIES: Final = ("shed", "absorbed", "restored")

ENERGY_STEP: Final = 0.001
"""kWh after which a total is worth a new state."""


def load_sensors(
    manager: LoadManager | None,
) -> Iterator[tuple[str, list[SensorEntity]]]:
    """Yield the sensors of each load of a meter."""
    if manager is None:
        return
    for load_id in manager.devices:
        yield (
            load_id,
            [
                LoadActivity(manager, load_id),
                LoadUntil(manager, load_id),
                *(
                    [LoadPower(manager, load_id)]
                    if manager.devices[load_id].tells_power
                    else []
                ),
                *(
                    LoadEnergy(manager, load_id, EnergyDescription.of(which))
                    for which in ENERGIES
                ),
            ],
        )


class LoadActivity(LoadEntity, SensorEntity):
    """Activity of a load and its reason."""

    _attr_device_class = SensorDeviceClass.ENUM

    def __init__(self, manager: LoadManager, load_id: str) -> None:
        """Show the activity of a load."""
        super().__init__(manager, load_id, "activity")
        self._attr_options = list(ACTIVITIES)

    @property
    @override
    def native_value(self) -> str:
        """Return the key of the activity."""
        return current_activity(self._manager.arbiter.states[self._load_id])

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any]:
        """Return reason, class, priority and the requested state."""
        state = self._manager.arbiter.states[self._load_id]
        load = self._manager.arbiter.loads[self._load_id]
        return {
            "reason": state.reason.word,
            "load_class": load.load_class.value,
            "priority": load.priority,
            "on": state.observed_on,
            "asked": state.requested_on,
            "controlled_entity": self._manager.devices[self._load_id].entity_id,
            "dry_run": self._manager.dry_run,
        }


class LoadUntil(LoadEntity, SensorEntity):
    """End of what a load does now: of an override, a minimum time, a shed."""

    _attr_device_class = SensorDeviceClass.TIMESTAMP

    def __init__(self, manager: LoadManager, load_id: str) -> None:
        """Show when the activity of a load ends."""
        super().__init__(manager, load_id, "until")
        self._deadline: Deadline | None = None

    @callback
    @override
    def _handle_update(self, update: Decision | Notice | None) -> None:
        # The same deadline would be some milliseconds off each time.
        deadline = self._manager.deadlines.get(self._load_id)
        if deadline != self._deadline:
            self._deadline = deadline
            self._attr_native_value = end_of(self._manager, self._load_id)
            super()._handle_update(update)


class LoadPower(LoadEntity, SensorEntity):
    """Power of a load: what its sensor measures, or to what its number is set."""

    _attr_device_class = SensorDeviceClass.POWER
    _attr_state_class = SensorStateClass.MEASUREMENT
    _attr_native_unit_of_measurement = UnitOfPower.WATT
    _attr_suggested_display_precision = 0

    def __init__(self, manager: LoadManager, load_id: str) -> None:
        """Show the power of a load."""
        super().__init__(manager, load_id, "power")

    @override
    async def async_added_to_hass(self) -> None:
        """Add the listeners for decisions and for the entities of the load."""
        await super().async_added_to_hass()
        watched = self._manager.devices[self._load_id].watched
        self.async_on_remove(
            async_track_state_change_event(self.hass, watched, self._on_state)
        )

    @callback
    def _on_state(self, event: Event[EventStateChangedData]) -> None:
        self.async_write_ha_state()

    @property
    @override
    def native_value(self) -> float | None:
        """Return the power, W; None while unknown."""
        device = self._manager.devices[self._load_id]
        return device.level if device.power is None else device.power


@dataclass(frozen=True, kw_only=True)
class EnergyDescription(SensorEntityDescription):
    """A total of a load."""

    which: str

    @classmethod
    def of(cls, which: str) -> EnergyDescription:
        """Return the description of the energy shed, absorbed or restored."""
        return cls(
            key=f"energy_{which}",
            which=which,
            device_class=SensorDeviceClass.ENERGY,
            state_class=SensorStateClass.TOTAL_INCREASING,
            native_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
            suggested_display_precision=2,
        )


class LoadEnergy(LoadEntity, SensorEntity):
    """An energy total, stored with the load."""

    entity_description: EnergyDescription

    def __init__(
        self, manager: LoadManager, load_id: str, description: EnergyDescription
    ) -> None:
        """Show the total named by `description`."""
        super().__init__(manager, load_id, description.key)
        self.entity_description = description
        self._written = -1.0

    @property
    @override
    def native_value(self) -> float:
        """Return the total, kWh."""
        account = self._manager.accounts[self._load_id]
        total: float = getattr(account, self.entity_description.which)
        return round(total, 3)

    @callback
    @override
    def _handle_update(self, update: Decision | Notice | None) -> None:
        if abs(self.native_value - self._written) >= ENERGY_STEP:
            self._written = self.native_value
            super()._handle_update(update)

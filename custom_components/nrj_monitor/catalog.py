"""Every quantity the meter knows, defined once.

Platforms, sources, translations and the test that reads the firmware's
configuration all take a quantity's key, unit, classes and thresholds from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import (
    UnitOfApparentPower,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfFrequency,
    UnitOfPower,
    UnitOfReactivePower,
)


class Phase(StrEnum):
    """A phase of the supply, named as it is printed on the meter."""

    L1 = "L1"
    L2 = "L2"
    L3 = "L3"


@dataclass(frozen=True, slots=True)
class SignificantChange:
    """How far a value must move before its state is worth writing again.

    Both limits must be reached: `absolute` in the quantity's unit, `relative`
    as a fraction of the value last written. A change to or from "no valid
    measurement" (None) always counts.
    """

    absolute: float
    relative: float = 0.0

    def between(self, written: float | None, value: float | None) -> bool:
        """Tell whether `value` differs significantly from the one `written`."""
        if written is None or value is None:
            return written is not value
        return abs(value - written) >= max(self.absolute, self.relative * abs(written))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quantity:
    """One measured quantity.

    `decimals` is the resolution kept in the state: the firmware sends 32-bit
    floats, whose digits beyond it are noise. `display_precision` is how many of
    those a person sees.
    """

    key: str
    unit: str | None
    device_class: SensorDeviceClass | None
    state_class: SensorStateClass
    decimals: int
    display_precision: int
    change: SignificantChange
    per_phase: bool = True
    total: bool = True
    phases_enabled: bool = True
    diagnostic: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Channel:
    """A quantity on one phase, or of the whole meter where `phase` is None.

    There is one instance of each, in `CHANNELS`, so identity is equality.
    """

    id: str
    quantity: Quantity
    phase: Phase | None


QUANTITIES: tuple[Quantity, ...] = (
    Quantity(
        key="voltage",
        unit=UnitOfElectricPotential.VOLT,
        device_class=SensorDeviceClass.VOLTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        decimals=2,
        display_precision=1,
        change=SignificantChange(0.1),
        total=False,
    ),
    Quantity(
        key="current",
        unit=UnitOfElectricCurrent.AMPERE,
        device_class=SensorDeviceClass.CURRENT,
        state_class=SensorStateClass.MEASUREMENT,
        decimals=3,
        display_precision=2,
        change=SignificantChange(0.005, 0.002),
        total=False,
    ),
    Quantity(
        key="active_power",
        unit=UnitOfPower.WATT,
        device_class=SensorDeviceClass.POWER,
        state_class=SensorStateClass.MEASUREMENT,
        decimals=1,
        display_precision=0,
        change=SignificantChange(1.0, 0.002),
    ),
    Quantity(
        key="reactive_power",
        unit=UnitOfReactivePower.VOLT_AMPERE_REACTIVE,
        device_class=SensorDeviceClass.REACTIVE_POWER,
        state_class=SensorStateClass.MEASUREMENT,
        decimals=1,
        display_precision=0,
        change=SignificantChange(1.0, 0.002),
    ),
    Quantity(
        key="apparent_power",
        unit=UnitOfApparentPower.VOLT_AMPERE,
        device_class=SensorDeviceClass.APPARENT_POWER,
        state_class=SensorStateClass.MEASUREMENT,
        decimals=1,
        display_precision=0,
        change=SignificantChange(1.0, 0.002),
    ),
    Quantity(
        key="power_factor",
        unit=None,
        device_class=SensorDeviceClass.POWER_FACTOR,
        state_class=SensorStateClass.MEASUREMENT,
        decimals=3,
        display_precision=2,
        change=SignificantChange(0.005),
    ),
    Quantity(
        key="frequency",
        unit=UnitOfFrequency.HERTZ,
        device_class=SensorDeviceClass.FREQUENCY,
        state_class=SensorStateClass.MEASUREMENT,
        decimals=4,
        display_precision=3,
        change=SignificantChange(0.002),
        phases_enabled=False,
    ),
    Quantity(
        key="import_energy",
        unit=UnitOfEnergy.KILO_WATT_HOUR,
        device_class=SensorDeviceClass.ENERGY,
        state_class=SensorStateClass.TOTAL_INCREASING,
        decimals=3,
        display_precision=2,
        change=SignificantChange(0.001),
    ),
    Quantity(
        key="export_energy",
        unit=UnitOfEnergy.KILO_WATT_HOUR,
        device_class=SensorDeviceClass.ENERGY,
        state_class=SensorStateClass.TOTAL_INCREASING,
        decimals=3,
        display_precision=2,
        change=SignificantChange(0.001),
    ),
    Quantity(
        key="rejected_frames",
        unit=None,
        device_class=None,
        state_class=SensorStateClass.TOTAL_INCREASING,
        decimals=0,
        display_precision=0,
        change=SignificantChange(1.0),
        per_phase=False,
        diagnostic=True,
    ),
    Quantity(
        key="chip_resets",
        unit=None,
        device_class=None,
        state_class=SensorStateClass.TOTAL_INCREASING,
        decimals=0,
        display_precision=0,
        change=SignificantChange(1.0),
        per_phase=False,
        diagnostic=True,
    ),
)


def _channels() -> dict[str, Channel]:
    """Build every channel, phases before the total, keyed by its id."""
    phases_of = {True: tuple(Phase), False: ()}
    channels = [
        Channel(f"{quantity.key}_{phase.lower()}", quantity, phase)
        for quantity in QUANTITIES
        for phase in phases_of[quantity.per_phase]
    ]
    channels += [
        Channel(quantity.key, quantity, None)
        for quantity in QUANTITIES
        if quantity.total
    ]
    return {channel.id: channel for channel in channels}


CHANNELS: Mapping[str, Channel] = MappingProxyType(_channels())
"""Every channel by id; the id is also the object id of the firmware's sensor."""

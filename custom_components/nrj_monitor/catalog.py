"""Every quantity the meter knows, defined once.

Platforms, sources, translations and the test that reads the firmware's
configuration all take a quantity's key, unit, classes and thresholds from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import (
    DEGREE,
    PERCENTAGE,
    UnitOfApparentPower,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfFrequency,
    UnitOfPower,
    UnitOfReactiveEnergy,
    UnitOfReactivePower,
    UnitOfTemperature,
    UnitOfTime,
)


class Phase(StrEnum):
    """A phase of the supply, named as printed on the meter."""

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

    def step(self, written: float) -> float:
        """Return the smallest significant change from the value `written`."""
        return max(self.absolute, self.relative * abs(written))

    def between(self, written: float | None, value: float | None) -> bool:
        """Return whether `value` differs significantly from the value `written`."""
        if written is None or value is None:
            return written is not value
        return abs(value - written) >= self.step(written)


@dataclass(frozen=True, slots=True)
class Limits:
    """Least and greatest possible value of a quantity, in its unit.

    Wide enough for any meter of a low-voltage supply, so that what lies beyond is never
    a measurement. `rate` is the greatest gain of a total in an hour.
    """

    low: float
    high: float
    rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quantity:
    """A measured quantity.

    `decimals` is the resolution kept in the state: the firmware sends 32-bit
    floats, whose digits beyond it are noise. `display_precision` is how many of
    those a person sees. What is rarely wanted waits disabled: on the phases where
    `phases_enabled` is false, as a total where `total_enabled` is. `order` is that of a
    single harmonic.
    """

    key: str
    unit: str | None
    device_class: SensorDeviceClass | None
    state_class: SensorStateClass
    decimals: int
    display_precision: int
    change: SignificantChange
    limits: Limits
    per_phase: bool = True
    total: bool = True
    phases_enabled: bool = True
    total_enabled: bool = True
    diagnostic: bool = False
    order: int | None = None

    @property
    def name_key(self) -> str:
        """Return the translation key of the name, shared by all harmonics of a kind."""
        return self.key.removesuffix(f"_{self.order}")


@dataclass(frozen=True, slots=True, eq=False)
class Channel:
    """A quantity on one phase, or of the whole meter where `phase` is None.

    There is one instance of each, in `CHANNELS`, so identity is equality.
    """

    id: str
    quantity: Quantity
    phase: Phase | None

    @property
    def enabled_by_default(self) -> bool:
        """Return whether the channel's sensor is enabled by default."""
        if self.phase is None:
            return self.quantity.total_enabled
        return self.quantity.phases_enabled


_MEASUREMENT = SensorStateClass.MEASUREMENT

_MAX_VOLTAGE = 2000.0
"""Volts: twice what IEC 60038 calls low voltage, for the peaks."""

_MAX_CURRENT = 20_000.0
"""Amperes: beyond the greatest rated primary current of current transformers for low
voltage (IEC 61869-2), for inrush currents and peaks."""

_MAX_POWER = 10e6
"""Watts: three phases of 6000 A at 500 V."""

_MAX_ENERGY = 1e8
"""kWh: that power for more than a year without a pause."""

_VOLTAGE = Quantity(
    key="voltage",
    unit=UnitOfElectricPotential.VOLT,
    device_class=SensorDeviceClass.VOLTAGE,
    state_class=_MEASUREMENT,
    decimals=2,
    display_precision=1,
    change=SignificantChange(0.2),
    limits=Limits(0.0, _MAX_VOLTAGE),
    total=False,
)
_CURRENT = Quantity(
    key="current",
    unit=UnitOfElectricCurrent.AMPERE,
    device_class=SensorDeviceClass.CURRENT,
    state_class=_MEASUREMENT,
    decimals=3,
    display_precision=2,
    change=SignificantChange(0.02, 0.01),
    limits=Limits(0.0, _MAX_CURRENT),
    total=False,
)
_ACTIVE_POWER = Quantity(
    key="active_power",
    unit=UnitOfPower.WATT,
    device_class=SensorDeviceClass.POWER,
    state_class=_MEASUREMENT,
    decimals=1,
    display_precision=0,
    change=SignificantChange(3.0, 0.01),
    limits=Limits(-_MAX_POWER, _MAX_POWER),
)
_REACTIVE_POWER = replace(
    _ACTIVE_POWER,
    key="reactive_power",
    unit=UnitOfReactivePower.VOLT_AMPERE_REACTIVE,
    device_class=SensorDeviceClass.REACTIVE_POWER,
)
_IMPORT_ENERGY = Quantity(
    key="import_energy",
    unit=UnitOfEnergy.KILO_WATT_HOUR,
    device_class=SensorDeviceClass.ENERGY,
    state_class=SensorStateClass.TOTAL_INCREASING,
    decimals=3,
    display_precision=2,
    change=SignificantChange(0.002),
    limits=Limits(0.0, _MAX_ENERGY, rate=_MAX_POWER / 1000),
)
_IMPORT_ENERGY_SUM_OF_PHASES = replace(
    _IMPORT_ENERGY,
    key="import_energy_sum_of_phases",
    per_phase=False,
    total_enabled=False,
)
_REACTIVE_ENERGY_Q1 = replace(
    _IMPORT_ENERGY,
    key="reactive_energy_q1",
    unit=UnitOfReactiveEnergy.KILO_VOLT_AMPERE_REACTIVE_HOUR,
    device_class=SensorDeviceClass.REACTIVE_ENERGY,
    phases_enabled=False,
    total_enabled=False,
)
_VOLTAGE_THD = Quantity(
    key="voltage_thd",
    unit=PERCENTAGE,
    device_class=None,
    state_class=_MEASUREMENT,
    decimals=2,
    display_precision=1,
    change=SignificantChange(0.1),
    limits=Limits(0.0, 1e6),
    total=False,
    phases_enabled=False,
)
HARMONIC_ORDERS = range(2, 41)
"""IEC 61000-4-7 and EN 50160 end with the 40th; the second is the first overtone."""


def _harmonics(key: str) -> tuple[Quantity, ...]:
    """Return the harmonics of a voltage or a current, % of the fundamental."""
    return tuple(
        replace(_VOLTAGE_THD, key=f"{key}_{order}", order=order)
        for order in HARMONIC_ORDERS
    )


_PHASE_ANGLE = Quantity(
    key="phase_angle",
    unit=DEGREE,
    device_class=None,
    state_class=SensorStateClass.MEASUREMENT_ANGLE,
    decimals=2,
    display_precision=1,
    change=SignificantChange(0.2),
    limits=Limits(-360.0, 360.0),
    total=False,
    phases_enabled=False,
)
_VOLTAGE_ANGLE_L1_L2 = replace(
    _PHASE_ANGLE,
    key="voltage_angle_l1_l2",
    per_phase=False,
    total=True,
    total_enabled=False,
)
_REJECTED_FRAMES = Quantity(
    key="rejected_frames",
    unit=None,
    device_class=None,
    state_class=SensorStateClass.TOTAL_INCREASING,
    decimals=0,
    display_precision=0,
    change=SignificantChange(1.0),
    limits=Limits(0.0, 2.0**63),
    per_phase=False,
    diagnostic=True,
)

QUANTITIES: tuple[Quantity, ...] = (
    _VOLTAGE,
    _CURRENT,
    _ACTIVE_POWER,
    _REACTIVE_POWER,
    replace(
        _ACTIVE_POWER,
        key="apparent_power",
        unit=UnitOfApparentPower.VOLT_AMPERE,
        device_class=SensorDeviceClass.APPARENT_POWER,
    ),
    Quantity(
        key="power_factor",
        unit=None,
        device_class=SensorDeviceClass.POWER_FACTOR,
        state_class=_MEASUREMENT,
        decimals=3,
        display_precision=2,
        change=SignificantChange(0.005),
        limits=Limits(-1.1, 1.1),
    ),
    Quantity(
        key="frequency",
        unit=UnitOfFrequency.HERTZ,
        device_class=SensorDeviceClass.FREQUENCY,
        state_class=_MEASUREMENT,
        decimals=4,
        display_precision=3,
        change=SignificantChange(0.005),
        limits=Limits(0.0, 500.0),
        phases_enabled=False,
    ),
    # The total is netted over the phases window by window, as a utility meter counts.
    _IMPORT_ENERGY,
    replace(_IMPORT_ENERGY, key="export_energy"),
    # Each phase on its own: more than the total where one phase feeds another.
    _IMPORT_ENERGY_SUM_OF_PHASES,
    replace(_IMPORT_ENERGY_SUM_OF_PHASES, key="export_energy_sum_of_phases"),
    # Quadrants of IEC 62053-23: inductive import, inductive export, capacitive export,
    # capacitive import.
    _REACTIVE_ENERGY_Q1,
    replace(_REACTIVE_ENERGY_Q1, key="reactive_energy_q2"),
    replace(_REACTIVE_ENERGY_Q1, key="reactive_energy_q3"),
    replace(_REACTIVE_ENERGY_Q1, key="reactive_energy_q4"),
    # Home Assistant has no device class for it.
    replace(_REACTIVE_ENERGY_Q1, key="apparent_energy", unit="kVAh", device_class=None),
    replace(
        _ACTIVE_POWER,
        key="fundamental_active_power",
        phases_enabled=False,
        total_enabled=False,
    ),
    replace(
        _REACTIVE_POWER,
        key="fundamental_reactive_power",
        phases_enabled=False,
        total_enabled=False,
    ),
    # One-cycle rms renewed each half cycle, and over 10 or 12 cycles (IEC 61000-4-30).
    replace(_VOLTAGE, key="voltage_half_cycle", phases_enabled=False),
    replace(_CURRENT, key="current_half_cycle", phases_enabled=False),
    replace(_VOLTAGE, key="voltage_10_12_cycles", phases_enabled=False),
    replace(_CURRENT, key="current_10_12_cycles", phases_enabled=False),
    _VOLTAGE_THD,
    replace(_VOLTAGE_THD, key="current_thd"),
    # By how much the current lags the voltage, the second voltage the first.
    _PHASE_ANGLE,
    _VOLTAGE_ANGLE_L1_L2,
    replace(_VOLTAGE_ANGLE_L1_L2, key="voltage_angle_l2_l3"),
    replace(_VOLTAGE_ANGLE_L1_L2, key="voltage_angle_l1_l3"),
    # Negative and zero sequence, in percent of the positive (IEC 61000-4-30 5.7).
    replace(_VOLTAGE_THD, key="voltage_unbalance", per_phase=False, total=True),
    replace(
        _VOLTAGE_THD,
        key="voltage_zero_sequence",
        per_phase=False,
        total=True,
        total_enabled=False,
    ),
    # The greatest of the three phases since the last reading.
    replace(
        _VOLTAGE, key="voltage_peak", per_phase=False, total=True, total_enabled=False
    ),
    replace(
        _CURRENT, key="current_peak", per_phase=False, total=True, total_enabled=False
    ),
    # Measured in the neutral, and the sum of the three phase currents.
    replace(
        _CURRENT,
        key="neutral_current",
        per_phase=False,
        total=True,
        total_enabled=False,
    ),
    replace(
        _CURRENT, key="sum_current", per_phase=False, total=True, total_enabled=False
    ),
    Quantity(
        key="chip_temperature",
        unit=UnitOfTemperature.CELSIUS,
        device_class=SensorDeviceClass.TEMPERATURE,
        state_class=_MEASUREMENT,
        decimals=1,
        display_precision=1,
        change=SignificantChange(0.5),
        limits=Limits(-273.15, 1000.0),
        per_phase=False,
        total_enabled=False,
        diagnostic=True,
    ),
    *_harmonics("voltage_harmonic"),
    *_harmonics("current_harmonic"),
    _REJECTED_FRAMES,
    replace(_REJECTED_FRAMES, key="rejected_frames_crc", total_enabled=False),
    replace(_REJECTED_FRAMES, key="rejected_frames_implausible", total_enabled=False),
    replace(_REJECTED_FRAMES, key="rejected_frames_stuck", total_enabled=False),
    replace(_REJECTED_FRAMES, key="chip_resets"),
    replace(_REJECTED_FRAMES, key="configuration_errors"),
    # In which the counters of the chip may have gone round unread: only what is certain was counted.
    replace(
        _REJECTED_FRAMES,
        key="uncounted_seconds",
        unit=UnitOfTime.SECONDS,
        device_class=SensorDeviceClass.DURATION,
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

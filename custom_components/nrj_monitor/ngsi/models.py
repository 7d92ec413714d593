"""Tables of the data models: the attributes, their channels, units and limits.

Names, units and ranges are those of the Smart Data Models (dataModel.Energy). THD is a
fraction of one there. Unit codes are those of UN/CEFACT Recommendation 20.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, TypedDict, Unpack

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

from .wiring import LINE_PAIRS

UNIT_CODES: Final[Mapping[str | None, str]] = {
    UnitOfElectricPotential.VOLT: "VLT",
    UnitOfElectricCurrent.AMPERE: "AMP",
    UnitOfPower.WATT: "WTT",
    UnitOfReactivePower.VOLT_AMPERE_REACTIVE: "D44",
    UnitOfApparentPower.VOLT_AMPERE: "D46",
    UnitOfFrequency.HERTZ: "HTZ",
    UnitOfEnergy.KILO_WATT_HOUR: "KWH",
    UnitOfReactiveEnergy.KILO_VOLT_AMPERE_REACTIVE_HOUR: "K3",
    "kVAh": "C79",
    PERCENTAGE: "P1",
    DEGREE: "DD",
    UnitOfTemperature.CELSIUS: "CEL",
    UnitOfTime.SECONDS: "SEC",
    None: "C62",
}
"""UN/CEFACT code of each unit of the catalog."""


class Model(StrEnum):
    """Data model of a meter's entity."""

    THREE_PHASE = "ThreePhaseAcMeasurement"
    AC = "ACMeasurement"
    SOLAR = "SolarEnergy"


@dataclass(frozen=True, slots=True)
class Attribute:
    """Attribute of a data model.

    `parts` maps the members of a structured value to channel ids; the only member of a
    number is "". A value is multiplied by `scale`, rounded to `decimals`, and left out
    where the result is beyond `low` or `high`, the limits of the model.
    """

    name: str
    unit: str
    parts: Mapping[str, str]
    scale: float = 1.0
    decimals: int = 3
    low: float | None = None
    high: float | None = None

    @property
    def structured(self) -> bool:
        """Return whether the value is structured, not a number."""
        return "" not in self.parts

    def fit(self, value: float) -> float | None:
        """Return `value` scaled and rounded, None beyond the model's limits."""
        scaled = round(value * self.scale, self.decimals) + 0.0
        if self.low is not None and scaled < self.low:
            return None
        if self.high is not None and scaled > self.high:
            return None
        return scaled


class _Limits(TypedDict, total=False):
    scale: float
    decimals: int
    low: float | None
    high: float | None


def _phases(name: str, key: str, unit: str, **limits: Unpack[_Limits]) -> Attribute:
    parts = {phase: f"{key}_{phase.lower()}" for phase in ("L1", "L2", "L3")}
    return Attribute(name, unit, parts, **limits)


def _number(name: str, key: str, unit: str, **limits: Unpack[_Limits]) -> Attribute:
    return Attribute(name, unit, {"": key}, **limits)


def _both(
    name: str, key: str, unit: str, **limits: Unpack[_Limits]
) -> tuple[Attribute, ...]:
    """Return the attribute of the phases and the attribute of the total."""
    total = f"total{name[0].upper()}{name[1:]}"
    return _phases(name, key, unit, **limits), _number(total, key, unit, **limits)


_CURRENT = replace(
    _phases("current", "current", "AMP"),
    parts={
        "L1": "current_l1",
        "L2": "current_l2",
        "L3": "current_l3",
        "N": "neutral_current",
    },
)
_PHASE_VOLTAGE = _phases("phaseVoltage", "voltage", "VLT", low=0.0, decimals=2)
_FREQUENCY = _number("frequency", "frequency", "HTZ", low=0.0, decimals=4)
_POWER_FACTOR = _both("powerFactor", "power_factor", "C62", low=-1.0, high=1.0)
_ACTIVE_POWER = _both("activePower", "active_power", "WTT", decimals=1)
_REACTIVE_POWER = _both("reactivePower", "reactive_power", "D44", decimals=1)

_THREE_PHASE: Final = (
    _FREQUENCY,
    _CURRENT,
    _PHASE_VOLTAGE,
    replace(
        _PHASE_VOLTAGE,
        name="phaseToPhaseVoltage",
        parts={
            pair: f"phase_to_phase_voltage_{pair.lower()}"
            for pair in ("L12", "L23", "L31")
        },
    ),
    *_ACTIVE_POWER,
    *_REACTIVE_POWER,
    *_both("apparentPower", "apparent_power", "D46", low=0.0, decimals=1),
    *_POWER_FACTOR,
    *_both(
        "displacementPowerFactor",
        "displacement_power_factor",
        "C62",
        low=-1.0,
        high=1.0,
    ),
    _phases(
        "thdVoltage", "voltage_thd", "C62", scale=0.01, decimals=6, low=0.0, high=1.0
    ),
    _phases(
        "thdCurrent", "current_thd", "C62", scale=0.01, decimals=6, low=0.0, high=1.0
    ),
    *_both("activeEnergyImport", "import_energy", "KWH", low=0.0),
    *_both("activeEnergyExport", "export_energy", "KWH", low=0.0),
    *_both("reactiveEnergyImport", "reactive_energy_import", "K3", low=0.0),
    *_both("reactiveEnergyExport", "reactive_energy_export", "K3", low=0.0),
)

_AC: Final = (
    # ACMeasurement's activePower is the power a phase draws, never negative. The power a
    # phase feeds is the extra attribute FED_POWER; the total is signed.
    _phases("activePower", "drawn_power", "WTT", low=0.0, decimals=1),
    *(attribute for attribute in _THREE_PHASE if attribute.name != "activePower"),
)

_SOLAR: Final = (
    _FREQUENCY,
    _CURRENT,
    _phases("phaseCurrent", "current", "AMP"),
    _PHASE_VOLTAGE,
    *_ACTIVE_POWER,
    *_REACTIVE_POWER,
    _POWER_FACTOR[0],
    _number("totalEnergyGenerated", "generated_energy", "KWH"),
)

ATTRIBUTES: Final[Mapping[Model, tuple[Attribute, ...]]] = {
    Model.THREE_PHASE: _THREE_PHASE,
    Model.AC: _AC,
    Model.SOLAR: _SOLAR,
}

FED_POWER: Final = _phases("activePowerExported", "fed_power", "WTT", decimals=1)
"""Extra attribute of ACMeasurement."""

LINE_VOLTAGE: Final = replace(
    _PHASE_VOLTAGE,
    name="phaseToPhaseVoltage",
    parts={pair: f"voltage_{phase.lower()}" for phase, pair in LINE_PAIRS.items()},
)
"""Attribute of the voltages of a meter without a neutral."""

OF_PHASE_VOLTAGES: Final = ("phaseVoltage", "thdVoltage")
"""Attributes that a meter without a neutral has no value for; what it measures of its
line-to-line voltages is in extra attributes."""

FUNDAMENTAL_FIRST: Final = ("reactive_power", "fundamental_reactive_power")
"""Reactive power in the models is that of the fundamental frequency: where the meter
measures it, the wide-band reactive power becomes an extra attribute."""

OWN_NAMES: Final[Mapping[str, str]] = {
    "frequency": "phaseFrequency",
    "reactive_power": "reactivePowerWithHarmonics",
}
"""Names of extra attributes where the catalog's key means another thing in a model."""

OBSERVED: Final[Mapping[Model, str]] = {
    Model.THREE_PHASE: "dateObserved",
    Model.AC: "dateObserved",
    Model.SOLAR: "observationDateTime",
}
"""Attribute with the time of the measurement, besides TimeInstant or observedAt."""

SIGNED: Final = (
    "active_power",
    "reactive_power",
    "fundamental_active_power",
    "fundamental_reactive_power",
    "power_factor",
)
"""Keys of readings whose sign tells import from export."""

MAY_EXCEED: Final = ("voltage_thd", "current_thd")
"""Keys of quantities that may exceed the limits of a model: THD above 100 %."""

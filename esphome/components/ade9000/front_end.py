"""Front end between the mains and the chip's pins: ratios, and the common parts behind them.

Two ratios describe a front end:

- the voltage divider: mains volts per volt at a voltage pin;
- the current sensitivity: volts at a current pin per ampere of mains current.
"""

from collections.abc import Callable
from dataclasses import dataclass

import esphome.config_validation as cv
from esphome.const import (
    CONF_FREQUENCY,
    CONF_SENSITIVITY,
    CONF_TYPE,
    CONF_VOLTAGE_DIVIDER,
)
from esphome.types import ConfigType

CONF_BURDEN = "burden"
CONF_CURRENT_INPUT = "current_input"
CONF_CURRENT_SENSITIVITY = "current_sensitivity"
CONF_LOWER = "lower"
CONF_PRIMARY = "primary"
CONF_PRIMARY_RESISTOR = "primary_resistor"
CONF_RATIO = "ratio"
CONF_SECONDARY = "secondary"
CONF_UPPER = "upper"
CONF_VOLTAGE_INPUT = "voltage_input"

RESISTOR_DIVIDER = "resistor_divider"
ZMPT101B = "zmpt101b"
VOLTAGE_TRANSFORMER = "voltage_transformer"
CURRENT_TRANSFORMER = "current_transformer"
ROGOWSKI_COIL = "rogowski_coil"

PIN_FULL_SCALE = 0.5**0.5
"""Volts rms that a pin takes: 1 V peak (ADE9000 data sheet Rev B, "Analog inputs", gain 1)."""

STARTING_FRACTION = 0.001
"""Starting current over nominal current, class 0.2 S (IEC 62053-22)."""

NOISE_FRACTION = 4e-6
"""Power over that of full scale which is still told from noise.

The data sheet (Rev B) gives the active energy to 0.2 % down to 1/5000 of full scale: an error of up to
4e-7 of full scale; ten times that. An assumption until boards have been measured. The chip's amplifier
stands in front of its converter: both powers are those at the converter, whatever the gain.
"""

INTEGRATOR_UNITY_FREQUENCY = 50.0
"""Hz at which the chip's digital integrator passes a signal unchanged.

An assumption: the data sheet gives a slope of -20 dB a decade and no gain. Calibrate a meter with
Rogowski coils by "current is X now" before its readings are used.
"""


@dataclass(frozen=True, kw_only=True)
class RatedTransformer:
    """Describe a current transformer by its nameplate; `secondary` in amperes, into an external burden."""

    primary: float
    secondary: float


RATED_TRANSFORMERS = {
    # Zeming ZMCT103C data sheet: 5 A : 5 mA, 1000 turns.
    "zmct103c": RatedTransformer(primary=5, secondary=5e-3),
    # YHDC SCT-010 data sheet: 80 A : 26.6 mA, which is 3000 turns.
    "sct_010": RatedTransformer(primary=80, secondary=80 / 3000),
    # YHDC SCT-013-000 data sheet: 100 A : 50 mA, 2000 turns, no burden inside.
    "sct_013_000": RatedTransformer(primary=100, secondary=50e-3),
    # YHDC SCT-024 data sheet, the 200 A : 100 mA version. The one of 50 mA is a current_transformer.
    "sct_024": RatedTransformer(primary=200, secondary=100e-3),
}

VOLTAGE_OUTPUT_TRANSFORMERS = {
    # YHDC SCT-013-030 data sheet: 30 A give 1 V, the burden is inside.
    "sct_013_030": 1.0 / 30.0,
}

# Below an ohm a burden is a piece of wire; above 10 kOhm a transformer saturates.
BURDEN = cv.All(cv.resistance, cv.float_range(min=0.01, max=10e3))
POSITIVE = cv.float_range(min=0, min_included=False)


def _type_of(schemas: dict[str, cv.Schema]) -> cv.Schema:
    return cv.typed_schema(schemas, lower=True)


VOLTAGE_INPUT_SCHEMA = _type_of(
    {
        RESISTOR_DIVIDER: cv.Schema(
            {
                cv.Required(CONF_UPPER): cv.All(cv.resistance, POSITIVE),
                cv.Required(CONF_LOWER): cv.All(cv.resistance, POSITIVE),
            }
        ),
        ZMPT101B: cv.Schema(
            {
                cv.Required(CONF_PRIMARY_RESISTOR): cv.All(cv.resistance, POSITIVE),
                cv.Required(CONF_BURDEN): BURDEN,
            }
        ),
        VOLTAGE_TRANSFORMER: cv.Schema(
            {
                cv.Required(CONF_PRIMARY): cv.All(cv.voltage, POSITIVE),
                cv.Required(CONF_SECONDARY): cv.All(cv.voltage, POSITIVE),
                cv.Optional(CONF_UPPER, default="0Ohm"): cv.All(
                    cv.resistance, cv.positive_float
                ),
                cv.Optional(CONF_LOWER, default="1Ohm"): cv.All(
                    cv.resistance, POSITIVE
                ),
            }
        ),
    }
)

CURRENT_INPUT_SCHEMA = _type_of(
    {
        **{
            name: cv.Schema({cv.Required(CONF_BURDEN): BURDEN})
            for name in RATED_TRANSFORMERS
        },
        **{name: cv.Schema({}) for name in VOLTAGE_OUTPUT_TRANSFORMERS},
        CURRENT_TRANSFORMER: cv.Schema(
            {
                cv.Required(CONF_PRIMARY): cv.All(cv.current, POSITIVE),
                cv.Optional(CONF_SECONDARY, default="5A"): cv.All(cv.current, POSITIVE),
                cv.Required(CONF_BURDEN): BURDEN,
            }
        ),
        ROGOWSKI_COIL: cv.Schema(
            {
                # Volts per ampere at the frequency of the data sheet, e.g. 100 mV per kA: 0.0001.
                cv.Required(CONF_SENSITIVITY): POSITIVE,
                cv.Optional(CONF_FREQUENCY, default="50Hz"): cv.All(
                    cv.frequency, cv.float_range(min=16, max=400)
                ),
            }
        ),
    }
)


def divider_of_resistors(config: ConfigType) -> float:
    """Return (upper + lower) / lower, Ohm's law of two resistors in series."""
    upper: float = config[CONF_UPPER]
    lower: float = config[CONF_LOWER]
    return (upper + lower) / lower


def divider_of_zmpt101b(config: ConfigType) -> float:
    """Return primary resistor / burden.

    Zeming ZMPT101B data sheet: a current transformer of 2 mA : 2 mA (1000 : 1000 turns). The resistor
    in front turns volts into milliamperes, the burden turns them back. Its winding of some 100 Ohm is
    left out: 0.1 % of 100 kOhm, for the calibration to remove.
    """
    primary_resistor: float = config[CONF_PRIMARY_RESISTOR]
    burden: float = config[CONF_BURDEN]
    return primary_resistor / burden


def divider_of_transformer(config: ConfigType) -> float:
    """Return primary / secondary volts, times the ratio of the resistors behind the transformer.

    The nameplate's secondary voltage is that under load: an unloaded transformer gives up to 20 % more,
    so calibrate.
    """
    primary: float = config[CONF_PRIMARY]
    secondary: float = config[CONF_SECONDARY]
    return primary / secondary * divider_of_resistors(config)


def sensitivity_of_transformer(
    *, primary: float, secondary: float, burden: float
) -> float:
    """Return volts per ampere: the secondary current of 1 A times the burden."""
    return secondary / primary * burden


def sensitivity_of_coil(config: ConfigType) -> float:
    """Return volts per ampere behind the integrator.

    A Rogowski coil gives M * di/dt, so its sensitivity grows with the frequency; the integrator takes
    that away again. What counts is its sensitivity where the integrator has a gain of 1.
    """
    sensitivity: float = config[CONF_SENSITIVITY]
    frequency: float = config[CONF_FREQUENCY]
    return sensitivity * INTEGRATOR_UNITY_FREQUENCY / frequency


_DIVIDERS: dict[str, Callable[[ConfigType], float]] = {
    RESISTOR_DIVIDER: divider_of_resistors,
    ZMPT101B: divider_of_zmpt101b,
    VOLTAGE_TRANSFORMER: divider_of_transformer,
}


def voltage_divider(config: ConfigType) -> float:
    """Return the mains volts per volt at the pin of a meter's configuration."""
    if CONF_VOLTAGE_DIVIDER in config:
        given: float = config[CONF_VOLTAGE_DIVIDER]
        return given
    parts = config[CONF_VOLTAGE_INPUT]
    return _DIVIDERS[parts[CONF_TYPE]](parts)


def current_sensitivity(config: ConfigType) -> float:
    """Return the volts at the pin per mains ampere of a meter's configuration."""
    if CONF_CURRENT_SENSITIVITY in config:
        given: float = config[CONF_CURRENT_SENSITIVITY]
        return given
    parts = config[CONF_CURRENT_INPUT]
    kind = parts[CONF_TYPE]
    if kind in VOLTAGE_OUTPUT_TRANSFORMERS:
        return VOLTAGE_OUTPUT_TRANSFORMERS[kind]
    if kind == ROGOWSKI_COIL:
        return sensitivity_of_coil(parts)
    rated = RATED_TRANSFORMERS.get(kind)
    return sensitivity_of_transformer(
        primary=rated.primary if rated else parts[CONF_PRIMARY],
        secondary=rated.secondary if rated else parts[CONF_SECONDARY],
        burden=parts[CONF_BURDEN],
    )


def needs_integrator(config: ConfigType) -> bool:
    """Tell whether the current pins see the derivative of the current."""
    kind: str | None = config.get(CONF_CURRENT_INPUT, {}).get(CONF_TYPE)
    return kind == ROGOWSKI_COIL


def _exactly_one(config: ConfigType, ratio: str, parts: str, example: str) -> None:
    if (ratio in config) == (parts in config):
        both = ratio in config
        raise cv.Invalid(
            f"{'both' if both else 'neither'} {ratio} {'and' if both else 'nor'} {parts}"
            f" {'are' if both else 'is'} given: give exactly one. {parts} computes the ratio from the"
            f" parts ({example}); {ratio} is the ratio itself"
            + (
                f" ('{ratio}: !remove' takes one away that comes with a package)"
                if both
                else ""
            ),
            [parts] if both else [ratio],
        )


def validate(config: ConfigType) -> ConfigType:
    """Refuse a front end given twice, not at all, or with impossible values."""
    _exactly_one(
        config,
        CONF_VOLTAGE_DIVIDER,
        CONF_VOLTAGE_INPUT,
        "type: resistor_divider, upper: 1MOhm, lower: 1kOhm",
    )
    _exactly_one(
        config,
        CONF_CURRENT_SENSITIVITY,
        CONF_CURRENT_INPUT,
        "type: sct_013_000, burden: 13.6Ohm",
    )
    divider = voltage_divider(config)
    if not 1.0 <= divider <= 1e6:
        raise cv.Invalid(
            f"these parts make a voltage divider of {divider:.4g}, which must lie between 1 and 1e6:"
            " check their units (kOhm, MOhm)",
            [CONF_VOLTAGE_INPUT],
        )
    sensitivity = current_sensitivity(config)
    if not 1e-6 <= sensitivity <= 10.0:
        raise cv.Invalid(
            f"these parts make a current sensitivity of {sensitivity:.4g} V/A, which must lie between"
            " 1e-6 and 10: check their units (mA, Ohm)",
            [CONF_CURRENT_INPUT],
        )
    return config


def validate_range(config: ConfigType, nominal_voltage: float) -> ConfigType:
    """Refuse a divider with which the nominal voltage overloads the chip's pin."""
    full_scale = PIN_FULL_SCALE * voltage_divider(config)
    if nominal_voltage * 1.1 > full_scale:
        raise cv.Invalid(
            f"a nominal voltage of {nominal_voltage:g} V (and 10 % more, EN 50160) does not fit: with this"
            f" divider the chip takes {full_scale:.4g} V. Take a larger divider, or correct nominal_voltage",
            [
                CONF_VOLTAGE_INPUT
                if CONF_VOLTAGE_INPUT in config
                else CONF_VOLTAGE_DIVIDER
            ],
        )
    return config


def noise_power(config: ConfigType) -> float:
    """Return the watts of a phase below which the chip can not tell a load from noise."""
    full_scale_voltage = PIN_FULL_SCALE * voltage_divider(config)
    full_scale_current = PIN_FULL_SCALE / current_sensitivity(config)
    return NOISE_FRACTION * full_scale_voltage * full_scale_current


def no_load_power(
    config: ConfigType, nominal_voltage: float, nominal_current: float
) -> float:
    """Return the watts of a phase from which a meter counts: at its starting current, not below noise."""
    starting_power = STARTING_FRACTION * nominal_current * nominal_voltage
    return max(starting_power, noise_power(config))


def validate_no_load(
    config: ConfigType, key: str, threshold: float | None
) -> ConfigType:
    """Refuse a no-load threshold, in watts, below the noise of the chip."""
    noise = noise_power(config)
    if threshold is not None and threshold < noise:
        raise cv.Invalid(
            f"{threshold:g} W is below the noise of the chip with this front end, {noise:.3g} W, which the"
            f" meter would then count: give at least that, or take transformers of a smaller full scale",
            [key],
        )
    return config

"""Harmonics of voltages and currents, from the coherent waveform of the meter's chip."""

import esphome.codegen as cg
from esphome.components import sensor
from esphome.components.ade9000 import wiring_of
from esphome.components.ade9000.channels import mark_disabled_by_default
import esphome.config_validation as cv
from esphome.const import (
    CONF_DISABLED_BY_DEFAULT,
    CONF_ID,
    CONF_NAME,
    STATE_CLASS_MEASUREMENT,
    UNIT_PERCENT,
)
from esphome.core import ID
import esphome.final_validate as fv
from esphome.types import ConfigType

from . import CONF_ADE9000_ID, PowerQuality, power_quality_ns

DEPENDENCIES = ["power_quality"]

CONF_POWER_QUALITY_ID = "power_quality_id"

WaveformChannel = power_quality_ns.enum("WaveformChannel", is_class=True)

# IEC 61000-4-7 and EN 50160 end with the 40th.
ORDERS = range(2, 41)

# By phase and option: the chip's channel, and the quantity of the hub that a wiring must be able to give for it.
WAVEFORMS = {
    f"l{number}": {
        "voltage_harmonics": (f"V{letter}", "voltage_thd"),
        "current_harmonics": (f"I{letter}", "current_thd"),
    }
    for number, letter in enumerate("ABC", start=1)
}

HARMONIC_SCHEMA = cv.maybe_simple_value(
    sensor.sensor_schema(
        unit_of_measurement=UNIT_PERCENT,
        accuracy_decimals=2,
        state_class=STATE_CLASS_MEASUREMENT,
    ),
    key=CONF_NAME,
)


def _order(value: object) -> int:
    """Take the order of a harmonic."""
    order: int = cv.int_range(min=min(ORDERS), max=max(ORDERS))(value)
    return order


def _spread_disabled_by_default(config: ConfigType) -> ConfigType:
    """Apply the platform's `disabled_by_default` to each harmonic without its own."""
    if not isinstance(config, dict) or CONF_DISABLED_BY_DEFAULT not in config:
        return config
    config = dict(config)
    disabled = cv.boolean(config.pop(CONF_DISABLED_BY_DEFAULT))
    for phase in WAVEFORMS:
        if isinstance(config.get(phase), dict):
            config[phase] = {
                option: {
                    order: mark_disabled_by_default(entity, disabled)
                    for order, entity in (harmonics or {}).items()
                }
                for option, harmonics in config[phase].items()
            }
    return config


CONFIG_SCHEMA = cv.All(
    _spread_disabled_by_default,
    cv.Schema(
        {
            cv.GenerateID(CONF_POWER_QUALITY_ID): cv.use_id(PowerQuality),
            **{
                cv.Optional(phase): cv.Schema(
                    {
                        cv.Optional(option): cv.Schema({_order: HARMONIC_SCHEMA})
                        for option in options
                    }
                )
                for phase, options in WAVEFORMS.items()
            },
        }
    ),
)


def _configuration_of(domain: str, of_id: ID) -> ConfigType:
    """Return the configurations of a component as a list, however many there are."""
    found = fv.full_config.get()[domain]
    components = found if isinstance(found, list) else [found]
    configuration: ConfigType = next(
        component for component in components if component[CONF_ID] == of_id
    )
    return configuration


def _refuse_what_the_wiring_can_not_give(config: ConfigType) -> None:
    """Refuse harmonics of channels missing in this meter's wiring."""
    watch = _configuration_of("power_quality", config[CONF_POWER_QUALITY_ID])
    wiring = wiring_of(_configuration_of("ade9000", watch[CONF_ADE9000_ID]))
    for phase, options in WAVEFORMS.items():
        for option, (_, quantity) in options.items():
            if option not in config.get(phase, {}):
                continue
            if (why := wiring.refusal(phase, quantity)) is not None:
                raise cv.Invalid(
                    f"a meter wired as {wiring.label} has no {option} of {phase}: {why}. Remove them,"
                    " or correct the wiring",
                    [phase, option],
                )


FINAL_VALIDATE_SCHEMA = _refuse_what_the_wiring_can_not_give


async def to_code(config: ConfigType) -> None:
    """Generate the sensors of a power quality monitor."""
    var = await cg.get_variable(config[CONF_POWER_QUALITY_ID])
    for phase, options in WAVEFORMS.items():
        for option, (channel, _) in options.items():
            for order, entity in config.get(phase, {}).get(option, {}).items():
                harmonic = await sensor.new_sensor(entity)
                cg.add(
                    var.add_harmonic_sensor(
                        getattr(WaveformChannel, channel), order, harmonic
                    )
                )

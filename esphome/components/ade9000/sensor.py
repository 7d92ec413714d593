"""Sensors of the ADE9000: one data table, offered for each phase and for the three together."""

from dataclasses import dataclass

import esphome.codegen as cg
from esphome.components import sensor
import esphome.config_validation as cv
from esphome.const import (
    CONF_ACTIVE_POWER,
    CONF_APPARENT_POWER,
    CONF_CURRENT,
    CONF_DISABLED_BY_DEFAULT,
    CONF_FREQUENCY,
    CONF_NAME,
    CONF_POWER_FACTOR,
    CONF_REACTIVE_POWER,
    CONF_TOTAL,
    CONF_VOLTAGE,
    DEVICE_CLASS_APPARENT_POWER,
    DEVICE_CLASS_CURRENT,
    DEVICE_CLASS_ENERGY,
    DEVICE_CLASS_FREQUENCY,
    DEVICE_CLASS_POWER,
    DEVICE_CLASS_POWER_FACTOR,
    DEVICE_CLASS_REACTIVE_POWER,
    DEVICE_CLASS_VOLTAGE,
    ENTITY_CATEGORY_DIAGNOSTIC,
    STATE_CLASS_MEASUREMENT,
    STATE_CLASS_TOTAL_INCREASING,
    UNIT_AMPERE,
    UNIT_HERTZ,
    UNIT_KILOWATT_HOURS,
    UNIT_VOLT,
    UNIT_VOLT_AMPS,
    UNIT_VOLT_AMPS_REACTIVE,
    UNIT_WATT,
)
from esphome.types import ConfigType

from . import CONF_ADE9000_ID, Ade9000, ade9000_ns

DEPENDENCIES = ["ade9000"]

CONF_CHIP_RESETS = "chip_resets"
CONF_EXPORT_ENERGY = "export_energy"
CONF_IMPORT_ENERGY = "import_energy"
CONF_REJECTED_FRAMES = "rejected_frames"

Channel = ade9000_ns.enum("Channel", is_class=True)
Quantity = ade9000_ns.enum("Quantity", is_class=True)

PHASE_CHANNELS = ("l1", "l2", "l3")


@dataclass(frozen=True, kw_only=True)
class QuantityInfo:
    """How a quantity is presented, and whether the three phases have one together."""

    unit: str | None
    decimals: int
    device_class: str
    state_class: str = STATE_CLASS_MEASUREMENT
    total: bool = True


QUANTITIES: dict[str, QuantityInfo] = {
    CONF_VOLTAGE: QuantityInfo(
        unit=UNIT_VOLT, decimals=2, device_class=DEVICE_CLASS_VOLTAGE, total=False
    ),
    CONF_CURRENT: QuantityInfo(
        unit=UNIT_AMPERE, decimals=3, device_class=DEVICE_CLASS_CURRENT, total=False
    ),
    CONF_ACTIVE_POWER: QuantityInfo(
        unit=UNIT_WATT, decimals=1, device_class=DEVICE_CLASS_POWER
    ),
    CONF_REACTIVE_POWER: QuantityInfo(
        unit=UNIT_VOLT_AMPS_REACTIVE,
        decimals=1,
        device_class=DEVICE_CLASS_REACTIVE_POWER,
    ),
    CONF_APPARENT_POWER: QuantityInfo(
        unit=UNIT_VOLT_AMPS, decimals=1, device_class=DEVICE_CLASS_APPARENT_POWER
    ),
    CONF_POWER_FACTOR: QuantityInfo(
        unit=None, decimals=3, device_class=DEVICE_CLASS_POWER_FACTOR
    ),
    CONF_FREQUENCY: QuantityInfo(
        unit=UNIT_HERTZ, decimals=3, device_class=DEVICE_CLASS_FREQUENCY
    ),
    CONF_IMPORT_ENERGY: QuantityInfo(
        unit=UNIT_KILOWATT_HOURS,
        decimals=3,
        device_class=DEVICE_CLASS_ENERGY,
        state_class=STATE_CLASS_TOTAL_INCREASING,
    ),
    CONF_EXPORT_ENERGY: QuantityInfo(
        unit=UNIT_KILOWATT_HOURS,
        decimals=3,
        device_class=DEVICE_CLASS_ENERGY,
        state_class=STATE_CLASS_TOTAL_INCREASING,
    ),
}

DIAGNOSTICS = (CONF_REJECTED_FRAMES, CONF_CHIP_RESETS)


def _quantity_schema(info: QuantityInfo) -> cv.Schema:
    options = {
        "accuracy_decimals": info.decimals,
        "device_class": info.device_class,
        "state_class": info.state_class,
    }
    if info.unit is not None:
        options["unit_of_measurement"] = info.unit
    return cv.maybe_simple_value(sensor.sensor_schema(**options), key=CONF_NAME)


def _channel_schema(*, total: bool) -> cv.Schema:
    return cv.Schema(
        {
            cv.Optional(key): _quantity_schema(info)
            for key, info in QUANTITIES.items()
            if info.total or not total
        }
    )


COUNTER_SCHEMA = cv.maybe_simple_value(
    sensor.sensor_schema(
        accuracy_decimals=0,
        state_class=STATE_CLASS_TOTAL_INCREASING,
        entity_category=ENTITY_CATEGORY_DIAGNOSTIC,
    ),
    key=CONF_NAME,
)


def _spread_disabled_by_default(config: ConfigType) -> ConfigType:
    """Apply the platform's `disabled_by_default` to every sensor that does not say otherwise."""
    if not isinstance(config, dict) or CONF_DISABLED_BY_DEFAULT not in config:
        return config
    config = dict(config)
    disabled = cv.boolean(config.pop(CONF_DISABLED_BY_DEFAULT))

    def mark(entity: ConfigType | str) -> ConfigType:
        options = entity if isinstance(entity, dict) else {CONF_NAME: entity}
        return {CONF_DISABLED_BY_DEFAULT: disabled, **options}

    for channel in (*PHASE_CHANNELS, CONF_TOTAL):
        if isinstance(config.get(channel), dict):
            config[channel] = {
                key: mark(entity) for key, entity in config[channel].items()
            }
    for key in DIAGNOSTICS:
        if key in config:
            config[key] = mark(config[key])
    return config


CONFIG_SCHEMA = cv.All(
    _spread_disabled_by_default,
    cv.Schema(
        {
            cv.GenerateID(CONF_ADE9000_ID): cv.use_id(Ade9000),
            **{
                cv.Optional(channel): _channel_schema(total=False)
                for channel in PHASE_CHANNELS
            },
            cv.Optional(CONF_TOTAL): _channel_schema(total=True),
            **{cv.Optional(key): COUNTER_SCHEMA for key in DIAGNOSTICS},
        }
    ),
)


async def to_code(config: ConfigType) -> None:
    """Generate the sensors and hand them to the meter."""
    hub = await cg.get_variable(config[CONF_ADE9000_ID])
    for channel in (*PHASE_CHANNELS, CONF_TOTAL):
        for key, entity_config in config.get(channel, {}).items():
            var = await sensor.new_sensor(entity_config)
            cg.add(
                hub.set_sensor(
                    getattr(Channel, channel.upper()),
                    getattr(Quantity, key.upper()),
                    var,
                )
            )
    for key in DIAGNOSTICS:
        if key in config:
            var = await sensor.new_sensor(config[key])
            cg.add(getattr(hub, f"set_{key}_sensor")(var))

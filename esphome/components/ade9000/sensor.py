"""Sensors of the ADE9000: a single data table, for each phase and for the whole supply."""

from dataclasses import dataclass
from typing import Any

import esphome.codegen as cg
from esphome.components import sensor
import esphome.config_validation as cv
from esphome.const import (
    CONF_ACTIVE_POWER,
    CONF_APPARENT_POWER,
    CONF_CURRENT,
    CONF_FREQUENCY,
    CONF_NAME,
    CONF_PHASE_ANGLE,
    CONF_POWER_FACTOR,
    CONF_REACTIVE_POWER,
    CONF_TOTAL,
    CONF_VOLTAGE,
    DEVICE_CLASS_APPARENT_POWER,
    DEVICE_CLASS_CURRENT,
    DEVICE_CLASS_DURATION,
    DEVICE_CLASS_ENERGY,
    DEVICE_CLASS_FREQUENCY,
    DEVICE_CLASS_POWER,
    DEVICE_CLASS_POWER_FACTOR,
    DEVICE_CLASS_REACTIVE_ENERGY,
    DEVICE_CLASS_REACTIVE_POWER,
    DEVICE_CLASS_TEMPERATURE,
    DEVICE_CLASS_VOLTAGE,
    ENTITY_CATEGORY_DIAGNOSTIC,
    STATE_CLASS_MEASUREMENT,
    STATE_CLASS_MEASUREMENT_ANGLE,
    STATE_CLASS_TOTAL_INCREASING,
    UNIT_AMPERE,
    UNIT_CELSIUS,
    UNIT_DEGREES,
    UNIT_HERTZ,
    UNIT_KILOVOLT_AMPS_HOURS,
    UNIT_KILOVOLT_AMPS_REACTIVE_HOURS,
    UNIT_KILOWATT_HOURS,
    UNIT_PERCENT,
    UNIT_SECOND,
    UNIT_VOLT,
    UNIT_VOLT_AMPS,
    UNIT_VOLT_AMPS_REACTIVE,
    UNIT_WATT,
)
from esphome.types import ConfigType

from . import CONF_ADE9000_ID, Ade9000, ade9000_ns
from .channels import CHANNELS, PHASE_CHANNELS, Channel, spread_disabled_by_default

DEPENDENCIES = ["ade9000"]

CONF_EXPORT_ENERGY = "export_energy"
CONF_IMPORT_ENERGY = "import_energy"

Diagnostic = ade9000_ns.enum("Diagnostic", is_class=True)
Quantity = ade9000_ns.enum("Quantity", is_class=True)


@dataclass(frozen=True, kw_only=True)
class QuantityInfo:
    """Describe how a quantity is presented, per phase or for the whole supply."""

    unit: str | None
    decimals: int
    device_class: str | None
    state_class: str = STATE_CLASS_MEASUREMENT
    phases: bool = True
    total: bool = True
    diagnostic: bool = False


VOLTS = {"unit": UNIT_VOLT, "decimals": 2, "device_class": DEVICE_CLASS_VOLTAGE}
AMPERES = {"unit": UNIT_AMPERE, "decimals": 3, "device_class": DEVICE_CLASS_CURRENT}
WATTS = {"unit": UNIT_WATT, "decimals": 1, "device_class": DEVICE_CLASS_POWER}
VARS = {
    "unit": UNIT_VOLT_AMPS_REACTIVE,
    "decimals": 1,
    "device_class": DEVICE_CLASS_REACTIVE_POWER,
}
PERCENT = {"unit": UNIT_PERCENT, "decimals": 2, "device_class": None}
DEGREES = {
    "unit": UNIT_DEGREES,
    "decimals": 2,
    "device_class": None,
    "state_class": STATE_CLASS_MEASUREMENT_ANGLE,
}
ENERGY = {
    "unit": UNIT_KILOWATT_HOURS,
    "decimals": 3,
    "device_class": DEVICE_CLASS_ENERGY,
    "state_class": STATE_CLASS_TOTAL_INCREASING,
}
REACTIVE_ENERGY = {
    "unit": UNIT_KILOVOLT_AMPS_REACTIVE_HOURS,
    "decimals": 3,
    "device_class": DEVICE_CLASS_REACTIVE_ENERGY,
    "state_class": STATE_CLASS_TOTAL_INCREASING,
}

QUANTITIES: dict[str, QuantityInfo] = {
    CONF_VOLTAGE: QuantityInfo(**VOLTS, total=False),
    CONF_CURRENT: QuantityInfo(**AMPERES, total=False),
    CONF_ACTIVE_POWER: QuantityInfo(**WATTS),
    CONF_REACTIVE_POWER: QuantityInfo(**VARS),
    CONF_APPARENT_POWER: QuantityInfo(
        unit=UNIT_VOLT_AMPS, decimals=1, device_class=DEVICE_CLASS_APPARENT_POWER
    ),
    CONF_POWER_FACTOR: QuantityInfo(
        unit=None, decimals=3, device_class=DEVICE_CLASS_POWER_FACTOR
    ),
    CONF_FREQUENCY: QuantityInfo(
        unit=UNIT_HERTZ, decimals=3, device_class=DEVICE_CLASS_FREQUENCY
    ),
    # The total is netted over the phases window by window, as a utility meter counts.
    CONF_IMPORT_ENERGY: QuantityInfo(**ENERGY),
    CONF_EXPORT_ENERGY: QuantityInfo(**ENERGY),
    # Each phase counted on its own: more than the total where one phase feeds another.
    "import_energy_sum_of_phases": QuantityInfo(**ENERGY, phases=False),
    "export_energy_sum_of_phases": QuantityInfo(**ENERGY, phases=False),
    # Quadrants of IEC 62053-23: inductive import, inductive export, capacitive export, capacitive import.
    "reactive_energy_q1": QuantityInfo(**REACTIVE_ENERGY),
    "reactive_energy_q2": QuantityInfo(**REACTIVE_ENERGY),
    "reactive_energy_q3": QuantityInfo(**REACTIVE_ENERGY),
    "reactive_energy_q4": QuantityInfo(**REACTIVE_ENERGY),
    "apparent_energy": QuantityInfo(
        unit=UNIT_KILOVOLT_AMPS_HOURS,
        decimals=3,
        device_class=None,
        state_class=STATE_CLASS_TOTAL_INCREASING,
    ),
    "fundamental_active_power": QuantityInfo(**WATTS),
    "fundamental_reactive_power": QuantityInfo(**VARS),
    "voltage_half_cycle": QuantityInfo(**VOLTS, total=False),
    "current_half_cycle": QuantityInfo(**AMPERES, total=False),
    "voltage_10_12_cycles": QuantityInfo(**VOLTS, total=False),
    "current_10_12_cycles": QuantityInfo(**AMPERES, total=False),
    "voltage_thd": QuantityInfo(**PERCENT, total=False),
    "current_thd": QuantityInfo(**PERCENT, total=False),
    CONF_PHASE_ANGLE: QuantityInfo(**DEGREES, total=False),
    "voltage_angle_l1_l2": QuantityInfo(**DEGREES, phases=False),
    "voltage_angle_l2_l3": QuantityInfo(**DEGREES, phases=False),
    "voltage_angle_l1_l3": QuantityInfo(**DEGREES, phases=False),
    "voltage_unbalance": QuantityInfo(**PERCENT, phases=False),
    "voltage_zero_sequence": QuantityInfo(**PERCENT, phases=False),
    "voltage_peak": QuantityInfo(**VOLTS, phases=False),
    "current_peak": QuantityInfo(**AMPERES, phases=False),
    "neutral_current": QuantityInfo(**AMPERES, phases=False),
    "sum_current": QuantityInfo(**AMPERES, phases=False),
    "chip_temperature": QuantityInfo(
        unit=UNIT_CELSIUS,
        decimals=1,
        device_class=DEVICE_CLASS_TEMPERATURE,
        phases=False,
        diagnostic=True,
    ),
}

DIAGNOSTICS = (
    "rejected_frames",
    "rejected_frames_crc",
    "rejected_frames_implausible",
    "rejected_frames_stuck",
    "chip_resets",
    "configuration_errors",
    # For how long energy was not counted, because the chip's counters may have gone round unread.
    "uncounted_seconds",
)


def _quantity_schema(info: QuantityInfo) -> cv.Schema:
    options = {
        "accuracy_decimals": info.decimals,
        "state_class": info.state_class,
    }
    if info.device_class is not None:
        options["device_class"] = info.device_class
    if info.unit is not None:
        options["unit_of_measurement"] = info.unit
    if info.diagnostic:
        options["entity_category"] = ENTITY_CATEGORY_DIAGNOSTIC
    return cv.maybe_simple_value(sensor.sensor_schema(**options), key=CONF_NAME)


def _channel_schema(*, total: bool) -> cv.Schema:
    return cv.Schema(
        {
            cv.Optional(key): _quantity_schema(info)
            for key, info in QUANTITIES.items()
            if (info.total if total else info.phases)
        }
    )


def _counter_schema(**options: Any) -> cv.Schema:
    return cv.maybe_simple_value(
        sensor.sensor_schema(
            accuracy_decimals=0,
            state_class=STATE_CLASS_TOTAL_INCREASING,
            entity_category=ENTITY_CATEGORY_DIAGNOSTIC,
            **options,
        ),
        key=CONF_NAME,
    )


COUNTER_SCHEMA = _counter_schema()
SECONDS_SCHEMA = _counter_schema(
    unit_of_measurement=UNIT_SECOND, device_class=DEVICE_CLASS_DURATION
)


CONFIG_SCHEMA = cv.All(
    spread_disabled_by_default(*DIAGNOSTICS),
    cv.Schema(
        {
            cv.GenerateID(CONF_ADE9000_ID): cv.use_id(Ade9000),
            **{
                cv.Optional(channel): _channel_schema(total=False)
                for channel in PHASE_CHANNELS
            },
            cv.Optional(CONF_TOTAL): _channel_schema(total=True),
            **{
                cv.Optional(key): SECONDS_SCHEMA
                if key == "uncounted_seconds"
                else COUNTER_SCHEMA
                for key in DIAGNOSTICS
            },
        }
    ),
)


async def to_code(config: ConfigType) -> None:
    """Generate the sensors of a meter."""
    hub = await cg.get_variable(config[CONF_ADE9000_ID])
    for channel in CHANNELS:
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
            cg.add(hub.set_diagnostic_sensor(getattr(Diagnostic, key.upper()), var))

"""Calibration of a meter with an ADE9000 from a person's reference measurement, in Home Assistant."""

import esphome.codegen as cg
from esphome.components import button, number, text_sensor
from esphome.components.ade9000 import (
    CONF_ADE9000_ID,
    CONF_NOMINAL_VOLTAGE,
    CONF_WIRING,
    Ade9000,
    front_end,
    hub_config,
)
import esphome.config_validation as cv
from esphome.const import (
    CONF_CURRENT,
    CONF_ID,
    CONF_LINE_FREQUENCY,
    CONF_NAME,
    CONF_POWER_FACTOR,
    CONF_RESET,
    CONF_VOLTAGE,
    CONF_VOLTAGE_GAIN,
    DEVICE_CLASS_CURRENT,
    DEVICE_CLASS_POWER_FACTOR,
    DEVICE_CLASS_VOLTAGE,
    ENTITY_CATEGORY_CONFIG,
    ENTITY_CATEGORY_DIAGNOSTIC,
    UNIT_AMPERE,
    UNIT_VOLT,
)
from esphome.types import ConfigType

CODEOWNERS = ["@nrj-monitor"]
DEPENDENCIES = ["ade9000"]
AUTO_LOAD = ["button", "device_message", "number", "text_sensor"]

CONF_CODES = "codes"
CONF_CORRECTIONS = "corrections"
CONF_CORRECTIONS_SENSOR = "corrections_sensor"
CONF_CURRENT_GAIN = "current_gain"
CONF_NULL_CURRENT = "null_current"
CONF_NULL_NEUTRAL_CURRENT = "null_neutral_current"
CONF_PHASE = "phase"
CONF_RESIDUAL_CURRENTS = "residual_currents"
CONF_RESULT = "result"
CONF_UNDO = "undo"

PHASES = ("l1", "l2", "l3")

meter_calibration_ns = cg.esphome_ns.namespace("meter_calibration")
MeterCalibration = meter_calibration_ns.class_("MeterCalibration", cg.Component)
CalibrationNumber = meter_calibration_ns.class_("CalibrationNumber", number.Number)
NullButton = meter_calibration_ns.class_("NullButton", button.Button)
UndoButton = meter_calibration_ns.class_("UndoButton", button.Button)
ResetButton = meter_calibration_ns.class_("ResetButton", button.Button)
Measured = meter_calibration_ns.enum("Measured", is_class=True)
CalibrationSubject = meter_calibration_ns.struct("CalibrationSubject")

# What is entered, with its class and unit, and its lowest and highest value and step.
MEASURED = {
    CONF_VOLTAGE: (DEVICE_CLASS_VOLTAGE, UNIT_VOLT, 1, 1000, 0.01),
    CONF_CURRENT: (DEVICE_CLASS_CURRENT, UNIT_AMPERE, 0.01, 10000, 0.001),
    CONF_POWER_FACTOR: (DEVICE_CLASS_POWER_FACTOR, None, 0.5, 1, 0.001),
}


def _number_schema(device_class: str, unit: str | None) -> cv.Schema:
    options = {} if unit is None else {"unit_of_measurement": unit}
    return cv.maybe_simple_value(
        number.number_schema(
            CalibrationNumber,
            device_class=device_class,
            entity_category=ENTITY_CATEGORY_CONFIG,
            **options,
        ),
        key=CONF_NAME,
    )


# The limits are those of calibration_book.h: MINIMUM_GAIN, MAXIMUM_GAIN, MINIMUM_PHASE, MAXIMUM_PHASE.
CORRECTION_SCHEMA = cv.Schema(
    {
        cv.Optional(CONF_VOLTAGE_GAIN, default=1.0): cv.float_range(min=0.8, max=1.25),
        cv.Optional(CONF_CURRENT_GAIN, default=1.0): cv.float_range(min=0.8, max=1.25),
        cv.Optional(CONF_PHASE, default=0.0): cv.All(
            cv.angle, cv.float_range(min=-10.0, max=2.25)
        ),
    }
)


def _button_schema(cls: cg.MockObjClass) -> cv.Schema:
    return cv.maybe_simple_value(
        button.button_schema(cls, entity_category=ENTITY_CATEGORY_CONFIG), key=CONF_NAME
    )


TEXT_SCHEMA = cv.maybe_simple_value(
    text_sensor.text_sensor_schema(entity_category=ENTITY_CATEGORY_DIAGNOSTIC),
    key=CONF_NAME,
)

CONFIG_SCHEMA = cv.Schema(
    {
        cv.GenerateID(): cv.declare_id(MeterCalibration),
        cv.GenerateID(CONF_ADE9000_ID): cv.use_id(Ade9000),
        # What `corrections_sensor` shows, to give a meter its calibration with its configuration.
        cv.Optional(CONF_CORRECTIONS, default={}): cv.Schema(
            {
                **{cv.Optional(phase): CORRECTION_SCHEMA for phase in PHASES},
                # Amperes of L1, L2, L3 and the neutral that are nulled.
                cv.Optional(CONF_RESIDUAL_CURRENTS): cv.All(
                    [cv.float_range(min=0)], cv.Length(min=4, max=4)
                ),
            }
        ),
        **{
            cv.Optional(phase): cv.Schema(
                {
                    **{
                        cv.Optional(key): _number_schema(device_class, unit)
                        for key, (device_class, unit, *_) in MEASURED.items()
                    },
                    cv.Optional(CONF_NULL_CURRENT): _button_schema(NullButton),
                }
            )
            for phase in PHASES
        },
        cv.Optional(CONF_NULL_NEUTRAL_CURRENT): _button_schema(NullButton),
        cv.Optional(CONF_UNDO): _button_schema(UndoButton),
        cv.Optional(CONF_RESET): _button_schema(ResetButton),
        # What the last step did, or what to do so that it can be done.
        cv.Optional(CONF_RESULT): TEXT_SCHEMA,
        # The same as a code with its values, for a client that says it in its user's language.
        cv.Optional(CONF_CODES): TEXT_SCHEMA,
        # The corrections in force, as YAML for `corrections`.
        cv.Optional(CONF_CORRECTIONS_SENSOR): TEXT_SCHEMA,
    }
).extend(cv.COMPONENT_SCHEMA)


async def _new_null_button(
    config: ConfigType, calibration: cg.MockObj, current_input: int
) -> None:
    var = cg.new_Pvariable(config[CONF_ID], calibration, current_input)
    await button.register_button(var, config)


async def to_code(config: ConfigType) -> None:
    """Generate the calibration and its entities."""
    var = cg.new_Pvariable(config[CONF_ID])
    await cg.register_component(var, config)
    cg.add(var.set_hub(await cg.get_variable(config[CONF_ADE9000_ID])))
    hub = hub_config(config[CONF_ADE9000_ID])
    sensitivity = front_end.current_sensitivity(hub)
    divider = front_end.voltage_divider(hub)
    cg.add(
        var.set_subject(
            cg.StructInitializer(
                CalibrationSubject,
                ("nominal_voltage", hub[CONF_NOMINAL_VOLTAGE]),
                ("full_scale_current", front_end.PIN_FULL_SCALE / sensitivity),
                ("frequency", hub[CONF_LINE_FREQUENCY].enum_value),
                ("phase_power", hub[CONF_WIRING] != "delta"),
            ),
            divider,
            sensitivity,
        )
    )
    for index, phase in enumerate(PHASES):
        if correction := config[CONF_CORRECTIONS].get(phase):
            cg.add(
                var.set_base(
                    index,
                    correction[CONF_VOLTAGE_GAIN],
                    correction[CONF_CURRENT_GAIN],
                    correction[CONF_PHASE],
                )
            )
        for key, entity in config.get(phase, {}).items():
            if key == CONF_NULL_CURRENT:
                await _new_null_button(entity, var, index + 1)
                continue
            _, _, low, high, step = MEASURED[key]
            entity_var = cg.new_Pvariable(
                entity[CONF_ID], var, getattr(Measured, key.upper()), index + 1
            )
            await number.register_number(
                entity_var, entity, min_value=low, max_value=high, step=step
            )
    for index, amperes in enumerate(
        config[CONF_CORRECTIONS].get(CONF_RESIDUAL_CURRENTS, ())
    ):
        cg.add(var.set_base_residual(index, amperes))
    if neutral := config.get(CONF_NULL_NEUTRAL_CURRENT):
        await _new_null_button(neutral, var, len(PHASES) + 1)
    for key in (CONF_UNDO, CONF_RESET):
        if key in config:
            await cg.register_parented(await button.new_button(config[key]), var)
    if CONF_RESULT in config:
        sensor = await text_sensor.new_text_sensor(config[CONF_RESULT])
        cg.add(var.set_result_sensor(sensor))
    if CONF_CODES in config:
        sensor = await text_sensor.new_text_sensor(config[CONF_CODES])
        cg.add(var.set_codes_sensor(sensor))
    if CONF_CORRECTIONS_SENSOR in config:
        sensor = await text_sensor.new_text_sensor(config[CONF_CORRECTIONS_SENSOR])
        cg.add(var.set_corrections_sensor(sensor))

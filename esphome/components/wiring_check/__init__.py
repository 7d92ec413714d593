"""Check of the wiring of a meter with an ADE9000: names the inputs to swap."""

import esphome.codegen as cg
from esphome.components import button, text_sensor
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
    CONF_CHECK,
    CONF_ID,
    CONF_LINE_FREQUENCY,
    CONF_NAME,
    ENTITY_CATEGORY_CONFIG,
    ENTITY_CATEGORY_DIAGNOSTIC,
)
from esphome.types import ConfigType

CODEOWNERS = ["@nrj-monitor"]
DEPENDENCIES = ["ade9000"]
AUTO_LOAD = ["button", "device_message", "text_sensor"]

CONF_CODES = "codes"
CONF_MINIMUM_CURRENT = "minimum_current"
CONF_RESULT = "result"

MINIMUM_CURRENT_SHARE = 0.005
"""Of full scale: a transformer's angle is off by some degrees below a percent, not yet by tens."""

wiring_check_ns = cg.esphome_ns.namespace("wiring_check")
WiringCheck = wiring_check_ns.class_("WiringCheck", cg.Component)
CheckButton = wiring_check_ns.class_("CheckButton", button.Button)
WiringExpectation = wiring_check_ns.struct("WiringExpectation")
WiringKind = wiring_check_ns.enum("WiringKind", is_class=True)

CONFIG_SCHEMA = cv.Schema(
    {
        cv.GenerateID(): cv.declare_id(WiringCheck),
        cv.GenerateID(CONF_ADE9000_ID): cv.use_id(Ade9000),
        # Below it a current is not judged; 0.5 % of full scale without.
        cv.Optional(CONF_MINIMUM_CURRENT): cv.All(
            cv.current, cv.float_range(min=0.01, max=1e4)
        ),
        # The findings as English sentences.
        cv.Optional(CONF_RESULT): cv.maybe_simple_value(
            text_sensor.text_sensor_schema(entity_category=ENTITY_CATEGORY_DIAGNOSTIC),
            key=CONF_NAME,
        ),
        # The findings as codes for a client that says them in its user's language.
        cv.Optional(CONF_CODES): cv.maybe_simple_value(
            text_sensor.text_sensor_schema(entity_category=ENTITY_CATEGORY_DIAGNOSTIC),
            key=CONF_NAME,
        ),
        cv.Optional(CONF_CHECK): cv.maybe_simple_value(
            button.button_schema(CheckButton, entity_category=ENTITY_CATEGORY_CONFIG),
            key=CONF_NAME,
        ),
    }
).extend(cv.COMPONENT_SCHEMA)


async def to_code(config: ConfigType) -> None:
    """Generate the check, its button and its sensors."""
    var = cg.new_Pvariable(config[CONF_ID])
    await cg.register_component(var, config)
    cg.add(var.set_hub(await cg.get_variable(config[CONF_ADE9000_ID])))
    hub = hub_config(config[CONF_ADE9000_ID])
    full_scale = front_end.PIN_FULL_SCALE / front_end.current_sensitivity(hub)
    cg.add(
        var.set_expectation(
            cg.StructInitializer(
                WiringExpectation,
                ("kind", getattr(WiringKind, hub[CONF_WIRING].upper())),
                ("nominal_voltage", hub[CONF_NOMINAL_VOLTAGE]),
                (
                    "minimum_current",
                    config.get(
                        CONF_MINIMUM_CURRENT, full_scale * MINIMUM_CURRENT_SHARE
                    ),
                ),
            ),
            hub[CONF_LINE_FREQUENCY].enum_value,
        )
    )
    if result := config.get(CONF_RESULT):
        cg.add(var.set_result_sensor(await text_sensor.new_text_sensor(result)))
    if codes := config.get(CONF_CODES):
        cg.add(var.set_codes_sensor(await text_sensor.new_text_sensor(codes)))
    if check := config.get(CONF_CHECK):
        await cg.register_parented(await button.new_button(check), var)

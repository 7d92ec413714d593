"""What of the meter is told in text: totals, and what is beyond the chip's range.

Totals are whole numbers of milliwatt-hours.

A sensor's state is a 32-bit float: above 8 MWh its steps are a watt-hour, above
131 MWh sixteen. A text keeps every digit.
"""

import esphome.codegen as cg
from esphome.components import text_sensor
import esphome.config_validation as cv
from esphome.const import CONF_NAME, ENTITY_CATEGORY_DIAGNOSTIC
from esphome.types import ConfigType

from . import CONF_ADE9000_ID, Ade9000, ade9000_ns
from .channels import CHANNELS, Channel, spread_disabled_by_default

DEPENDENCIES = ["ade9000"]

ExactEnergy = ade9000_ns.enum("ExactEnergy", is_class=True)

CONF_OVER_RANGE = "over_range"

ENERGIES = ("import_energy", "export_energy")

CHANNEL_SCHEMA = cv.Schema(
    {
        cv.Optional(key): cv.maybe_simple_value(
            text_sensor.text_sensor_schema(), key=CONF_NAME
        )
        for key in ENERGIES
    }
)

CONFIG_SCHEMA = cv.All(
    spread_disabled_by_default(CONF_OVER_RANGE),
    cv.Schema(
        {
            cv.GenerateID(CONF_ADE9000_ID): cv.use_id(Ade9000),
            **{cv.Optional(channel): CHANNEL_SCHEMA for channel in CHANNELS},
            # Voltages and currents whose crests the chip cuts off, for clients: see docs/hardware.md.
            cv.Optional(CONF_OVER_RANGE): cv.maybe_simple_value(
                text_sensor.text_sensor_schema(
                    entity_category=ENTITY_CATEGORY_DIAGNOSTIC
                ),
                key=CONF_NAME,
            ),
        }
    ),
)


async def to_code(config: ConfigType) -> None:
    """Generate the text sensors of a meter."""
    hub = await cg.get_variable(config[CONF_ADE9000_ID])
    for channel in CHANNELS:
        for key, entity_config in config.get(channel, {}).items():
            var = await text_sensor.new_text_sensor(entity_config)
            cg.add(
                hub.set_exact_energy_sensor(
                    getattr(Channel, channel.upper()),
                    getattr(ExactEnergy, key.upper()),
                    var,
                )
            )
    if over_range := config.get(CONF_OVER_RANGE):
        var = await text_sensor.new_text_sensor(over_range)
        cg.add(hub.set_over_range_sensor(var))

"""Analog Devices ADE9000, a three-phase energy and power-quality chip."""

import esphome.codegen as cg
from esphome.components import spi
import esphome.config_validation as cv
from esphome.const import CONF_ID, CONF_LINE_FREQUENCY
from esphome.core import CORE
from esphome.types import ConfigType

CODEOWNERS = ["@nrj-monitor"]
MULTI_CONF = True

CONF_ADE9000_ID = "ade9000_id"
CONF_CURRENT_SENSITIVITY = "current_sensitivity"
CONF_NOMINAL_VOLTAGE = "nominal_voltage"
CONF_SAVE_INTERVAL = "save_interval"
CONF_SIMULATOR_ID = "simulator_id"
CONF_TRANSPORT_ID = "transport_id"
CONF_VOLTAGE_DIVIDER = "voltage_divider"

LINE_FREQUENCIES = {"50HZ": 50, "60HZ": 60}

ade9000_ns = cg.esphome_ns.namespace("ade9000")
Ade9000 = ade9000_ns.class_("Ade9000", cg.PollingComponent)
Ade9000Transport = ade9000_ns.class_("Ade9000Transport")
Ade9000SpiTransport = ade9000_ns.class_(
    "Ade9000SpiTransport", Ade9000Transport, cg.Component, spi.SPIDevice
)

# Volts and amperes reach the chip through a divider and a current transformer: both are
# properties of the wiring, so they are asked for and every scale is derived from them.
FRONT_END_SCHEMA = cv.Schema(
    {
        cv.Required(CONF_VOLTAGE_DIVIDER): cv.float_range(min=1.0, max=1e6),
        cv.Required(CONF_CURRENT_SENSITIVITY): cv.float_range(min=1e-6, max=10.0),
    }
)

BASE_SCHEMA = (
    cv.Schema(
        {
            cv.GenerateID(): cv.declare_id(Ade9000),
            cv.Optional(CONF_NOMINAL_VOLTAGE, default="230V"): cv.All(
                cv.voltage, cv.float_range(min=50.0, max=1000.0)
            ),
            cv.Optional(CONF_LINE_FREQUENCY, default="50HZ"): cv.enum(
                LINE_FREQUENCIES, upper=True
            ),
            cv.Optional(
                CONF_SAVE_INTERVAL, default="5min"
            ): cv.positive_time_period_milliseconds,
        }
    )
    .extend(FRONT_END_SCHEMA)
    .extend(cv.polling_component_schema("200ms"))
)


def CONFIG_SCHEMA(config: ConfigType) -> ConfigType:
    """Ask for an SPI bus on a microcontroller, for a simulated chip on the host."""
    if CORE.is_host:
        schema = BASE_SCHEMA.extend(
            {cv.Required(CONF_SIMULATOR_ID): cv.use_id(Ade9000Transport)}
        )
    else:
        schema = BASE_SCHEMA.extend(
            {cv.GenerateID(CONF_TRANSPORT_ID): cv.declare_id(Ade9000SpiTransport)}
        ).extend(spi.spi_device_schema(cs_pin_required=True))
    return schema(config)


async def _transport_to_code(config: ConfigType) -> cg.MockObj:
    if CORE.is_host:
        return await cg.get_variable(config[CONF_SIMULATOR_ID])
    cg.add_define("USE_ADE9000_SPI")
    transport = cg.new_Pvariable(config[CONF_TRANSPORT_ID])
    await cg.register_component(transport, {})
    await spi.register_spi_device(transport, config)
    return transport


async def to_code(config: ConfigType) -> None:
    """Generate the meter and its transport."""
    var = cg.new_Pvariable(config[CONF_ID])
    await cg.register_component(var, config)
    cg.add(var.set_transport(await _transport_to_code(config)))
    cg.add(
        var.set_scaling(config[CONF_VOLTAGE_DIVIDER], config[CONF_CURRENT_SENSITIVITY])
    )
    cg.add(var.set_nominal(config[CONF_NOMINAL_VOLTAGE], config[CONF_LINE_FREQUENCY]))
    cg.add(var.set_save_interval(config[CONF_SAVE_INTERVAL]))

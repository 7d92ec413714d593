"""Simulated ADE9000 behind a byte-level transport, for firmware built for a computer."""

import esphome.codegen as cg
from esphome.components.const import CONF_COLUMNS
import esphome.config_validation as cv
from esphome.const import CONF_FILE, CONF_ID, CONF_SPEED, CONF_VOLTAGE_DIVIDER
from esphome.core import CORE
from esphome.types import ConfigType

CODEOWNERS = ["@nrj-monitor"]
AUTO_LOAD = ["mains_signal"]

CONF_CURRENT_SENSITIVITY = "current_sensitivity"
CONF_RECORDING = "recording"
CONF_SCALE = "scale"
CONF_START = "start"

ade9000_ns = cg.esphome_ns.namespace("ade9000")
Ade9000Transport = ade9000_ns.class_("Ade9000Transport")

ade9000_simulator_ns = cg.esphome_ns.namespace("ade9000_simulator")
Ade9000Simulator = ade9000_simulator_ns.class_(
    "Ade9000Simulator", cg.Component, Ade9000Transport
)

POSITIVE_FLOAT = cv.All(cv.float_, cv.Range(min=0, min_included=False))


def only_on_host(config: ConfigType) -> ConfigType:
    """Refuse every target but the host platform."""
    if not CORE.is_host:
        raise cv.Invalid(
            "ade9000_simulator plays a simulated chip on a computer: build for the host "
            "platform, or remove it and give ade9000 a cs_pin"
        )
    return config


def double(value: float) -> cg.RawExpression:
    """Write a factor with all its digits; ESPHome's own literal is a float."""
    return cg.RawExpression(repr(float(value)))


RECORDING_SCHEMA = cv.maybe_simple_value(
    {
        cv.Required(CONF_FILE): cv.file_,
        # Names are checked where the recording is read, at the start of the program.
        cv.Optional(CONF_COLUMNS, default={}): cv.Schema(
            {cv.string_strict: cv.string_strict}
        ),
        cv.Optional(CONF_SCALE, default={}): cv.Schema({cv.string_strict: cv.float_}),
    },
    key=CONF_FILE,
)

CONFIG_SCHEMA = cv.All(
    cv.Schema(
        {
            cv.GenerateID(): cv.declare_id(Ade9000Simulator),
            # Mains volts per volt at the pin, and volts at the pin per mains ampere.
            cv.Required(CONF_VOLTAGE_DIVIDER): POSITIVE_FLOAT,
            cv.Required(CONF_CURRENT_SENSITIVITY): POSITIVE_FLOAT,
            cv.Optional(CONF_RECORDING): RECORDING_SCHEMA,
            cv.Optional(CONF_SPEED, default=1.0): cv.float_range(min=0, max=1000),
            cv.Optional(CONF_START): cv.float_range(min=0, max=1e9),
        }
    ).extend(cv.COMPONENT_SCHEMA),
    only_on_host,
)


async def to_code(config: ConfigType) -> None:
    """Generate the simulator."""
    # Playing the chip takes a quarter of the time that ESPHome's own default for a computer, no optimization, needs.
    cg.add_build_flag("-O1")
    var = cg.new_Pvariable(config[CONF_ID])
    await cg.register_component(var, config)
    cg.add(var.set_voltage_divider(double(config[CONF_VOLTAGE_DIVIDER])))
    cg.add(var.set_current_sensitivity(double(config[CONF_CURRENT_SENSITIVITY])))
    cg.add(var.set_initial_speed(double(config[CONF_SPEED])))
    if CONF_START in config:
        cg.add(var.set_start(double(config[CONF_START])))
    if recording := config.get(CONF_RECORDING):
        cg.add(var.set_recording(str(recording[CONF_FILE])))
        for series, column in recording[CONF_COLUMNS].items():
            cg.add(var.add_recording_column(series, column))
        for name, factor in recording[CONF_SCALE].items():
            cg.add(var.add_recording_scale(name, double(factor)))

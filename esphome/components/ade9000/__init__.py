"""Analog Devices ADE9000, a three-phase energy and power-quality chip."""

from esphome import pins
import esphome.codegen as cg
from esphome.components import spi
import esphome.config_validation as cv
from esphome.const import (
    CONF_ID,
    CONF_LINE_FREQUENCY,
    CONF_RESET_PIN,
    CONF_TOTAL,
    CONF_UPDATE_INTERVAL,
    CONF_VOLTAGE_DIVIDER,
)
from esphome.core import CORE, ID
import esphome.final_validate as fv
from esphome.types import ConfigType

from . import front_end
from .front_end import CONF_CURRENT_INPUT, CONF_CURRENT_SENSITIVITY, CONF_VOLTAGE_INPUT
from .wiring import PHASES, WIRINGS, Wiring

CODEOWNERS = ["@nrj-monitor"]
MULTI_CONF = True

CONF_ADE9000_ID = "ade9000_id"
CONF_NO_LOAD_POWER = "no_load_power"
CONF_NOMINAL_CURRENT = "nominal_current"
CONF_NOMINAL_VOLTAGE = "nominal_voltage"
CONF_PUBLISH_INTERVAL = "publish_interval"
CONF_SAVE_INTERVAL = "save_interval"
CONF_SIMULATOR_ID = "simulator_id"
CONF_TRANSPORT_ID = "transport_id"
CONF_WIRING = "wiring"

LINE_FREQUENCIES = {"50HZ": 50, "60HZ": 60}

# Addresses and bits: ADE9000 data sheet Rev B, Register Map.
REGISTER_CONFIG0 = 0x060
REGISTER_DICOEFF = 0x072
REGISTER_ACCMODE = 0x492
REGISTER_CHNL_DIS = 0x4BA
CONFIG0_INTEN = 1 << 5
# The value the data sheet asks for with the digital integrator on.
DICOEFF_INTEGRATOR = 0xFFFFE000

WATTS = cv.float_with_unit("power", "(w|W|watt|watts)?")

ade9000_ns = cg.esphome_ns.namespace("ade9000")
Ade9000 = ade9000_ns.class_("Ade9000", cg.PollingComponent)
Ade9000Transport = ade9000_ns.class_("Ade9000Transport")
Ade9000SpiTransport = ade9000_ns.class_(
    "Ade9000SpiTransport", Ade9000Transport, cg.Component, spi.SPIDevice
)

# Volts and amperes reach the chip through a divider and a current transformer: both are
# properties of the meter, so they are asked for, as ratios or as the parts that make them, and every
# scale is derived from them.
FRONT_END_SCHEMA = cv.Schema(
    {
        cv.Optional(CONF_VOLTAGE_DIVIDER): cv.float_range(min=1.0, max=1e6),
        cv.Optional(CONF_VOLTAGE_INPUT): front_end.VOLTAGE_INPUT_SCHEMA,
        cv.Optional(CONF_CURRENT_SENSITIVITY): cv.float_range(min=1e-6, max=10.0),
        cv.Optional(CONF_CURRENT_INPUT): front_end.CURRENT_INPUT_SCHEMA,
    }
)

BASE_SCHEMA = (
    cv.Schema(
        {
            cv.GenerateID(): cv.declare_id(Ade9000),
            cv.Optional(CONF_WIRING, default="wye"): cv.one_of(*WIRINGS, lower=True),
            # Of a voltage input: between phases where there is no neutral.
            cv.Optional(CONF_NOMINAL_VOLTAGE, default="230V"): cv.All(
                cv.voltage, cv.float_range(min=50.0, max=1000.0)
            ),
            # A phase counts from a thousandth of the nominal current on, the starting current of class 0.2 S
            # (IEC 62053-22, rated current 5 A), or from the power that is given.
            cv.Optional(CONF_NOMINAL_CURRENT, default="5A"): cv.All(
                cv.current, cv.float_range(min=0.1, max=10e3)
            ),
            cv.Optional(CONF_NO_LOAD_POWER): cv.All(
                WATTS, cv.float_range(min=0, max=10e3)
            ),
            cv.Optional(CONF_LINE_FREQUENCY, default="50HZ"): cv.enum(
                LINE_FREQUENCIES, upper=True
            ),
            # Of what is not published at every update.
            cv.Optional(
                CONF_PUBLISH_INTERVAL, default="1s"
            ): cv.positive_time_period_milliseconds,
            cv.Optional(
                CONF_SAVE_INTERVAL, default="5min"
            ): cv.positive_time_period_milliseconds,
        }
    )
    .extend(FRONT_END_SCHEMA)
    .extend(cv.polling_component_schema("200ms"))
)


# At full-scale power the chip's 45-bit energy counters are ambiguous after 106 s (energy_accumulators.h); with
# currents and voltages 20 % above full scale, after 73 s. One reading in between may fail.
LONGEST_UPDATE_INTERVAL = cv.TimePeriod(seconds=30)


def _check_update_interval(config: ConfigType) -> ConfigType:
    """Refuse an interval in which the chip's energy counters could go round unseen."""
    if config[CONF_UPDATE_INTERVAL] > LONGEST_UPDATE_INTERVAL:
        raise cv.Invalid(
            "the chip's energy counters could go round between two updates, and energy would be lost:"
            " give 30s or less (200ms is usual). To publish more rarely, use publish_interval",
            [CONF_UPDATE_INTERVAL],
        )
    return config


def CONFIG_SCHEMA(config: ConfigType) -> ConfigType:
    """Ask for an SPI bus on a microcontroller, for a simulated chip on the host."""
    if CORE.is_host:
        schema = BASE_SCHEMA.extend(
            {cv.Required(CONF_SIMULATOR_ID): cv.use_id(Ade9000Transport)}
        )
    else:
        schema = BASE_SCHEMA.extend(
            {
                cv.GenerateID(CONF_TRANSPORT_ID): cv.declare_id(Ade9000SpiTransport),
                # For a chip that two resets by software do not bring back.
                cv.Optional(CONF_RESET_PIN): pins.gpio_output_pin_schema,
            }
        ).extend(spi.spi_device_schema(cs_pin_required=True))
    config = front_end.validate(_check_update_interval(schema(config)))
    config = front_end.validate_range(config, config[CONF_NOMINAL_VOLTAGE])
    return front_end.validate_no_load(
        config, CONF_NO_LOAD_POWER, config.get(CONF_NO_LOAD_POWER)
    )


def hub_config(hub_id: ID) -> ConfigType:
    """Return the validated configuration of a meter."""
    hub: ConfigType
    for hub in CORE.config["ade9000"]:
        if hub[CONF_ID] == hub_id:
            return hub
    raise KeyError(f"there is no ade9000 with the id {hub_id}")


def wiring_of(config: ConfigType) -> Wiring:
    """Return how a meter is wired."""
    return WIRINGS[config[CONF_WIRING]]


def no_load_power(config: ConfigType) -> float:
    """Return the watts of a phase from which a meter shows and counts power."""
    given: float | None = config.get(CONF_NO_LOAD_POWER)
    if given is not None:
        return given
    return front_end.no_load_power(
        config, config[CONF_NOMINAL_VOLTAGE], config[CONF_NOMINAL_CURRENT]
    )


def _refuse_what_the_wiring_can_not_give(config: ConfigType) -> None:
    """Refuse every sensor whose quantity this meter's wiring does not have."""
    wiring = wiring_of(config)
    complaints = [
        f"{quantity} of {channel} ({domain}): {why}"
        for domain in ("sensor", "text_sensor")
        for platform in fv.full_config.get().get(domain, [])
        if platform.get(CONF_ADE9000_ID) == config[CONF_ID]
        for channel in (*sorted(PHASES), CONF_TOTAL)
        for quantity in platform.get(channel) or {}
        if (why := wiring.refusal(channel, quantity)) is not None
    ]
    if complaints:
        raise cv.Invalid(
            f"the wiring '{config[CONF_WIRING]}', {wiring.label}, can not give "
            + "; ".join(complaints)
            + ". Remove these, or correct the wiring",
            [CONF_WIRING],
        )


FINAL_VALIDATE_SCHEMA = _refuse_what_the_wiring_can_not_give


async def _transport_to_code(config: ConfigType) -> cg.MockObj:
    if CORE.is_host:
        return await cg.get_variable(config[CONF_SIMULATOR_ID])
    cg.add_define("USE_ADE9000_SPI")
    transport = cg.new_Pvariable(config[CONF_TRANSPORT_ID])
    await cg.register_component(transport, {})
    await spi.register_spi_device(transport, config)
    return transport


def _registers(config: ConfigType) -> dict[int, int]:
    """Return the configuration registers of a wiring and its transformers."""
    wiring = wiring_of(config)
    registers = {}
    if wiring.accmode:
        registers[REGISTER_ACCMODE] = wiring.accmode
    if wiring.disabled:
        registers[REGISTER_CHNL_DIS] = wiring.disabled
    if front_end.needs_integrator(config):
        registers[REGISTER_CONFIG0] = CONFIG0_INTEN
        registers[REGISTER_DICOEFF] = DICOEFF_INTEGRATOR
    return registers


async def to_code(config: ConfigType) -> None:
    """Generate the meter and its transport."""
    var = cg.new_Pvariable(config[CONF_ID])
    await cg.register_component(var, config)
    cg.add(var.set_transport(await _transport_to_code(config)))
    cg.add(
        var.set_scaling(
            front_end.voltage_divider(config), front_end.current_sensitivity(config)
        )
    )
    if (reset_pin := config.get(CONF_RESET_PIN)) is not None:
        cg.add(var.set_reset_pin(await cg.gpio_pin_expression(reset_pin)))
    for address, value in _registers(config).items():
        cg.add(var.set_register(address, value))
    cg.add(var.set_nominal(config[CONF_NOMINAL_VOLTAGE], config[CONF_LINE_FREQUENCY]))
    cg.add(var.set_no_load_power(no_load_power(config)))
    cg.add(
        var.set_number(
            [hub[CONF_ID] for hub in CORE.config["ade9000"]].index(config[CONF_ID])
        )
    )
    cg.add(var.set_publish_interval(config[CONF_PUBLISH_INTERVAL]))
    cg.add(var.set_save_interval(config[CONF_SAVE_INTERVAL]))

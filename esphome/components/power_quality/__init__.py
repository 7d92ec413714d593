"""Power-quality events of a meter with an ADE9000, with oscillograms."""

import esphome.codegen as cg
from esphome.components import text_sensor
from esphome.components.ade9000 import CONF_ADE9000_ID, Ade9000, hub_config, wiring_of
import esphome.config_validation as cv
from esphome.const import (
    CONF_HYSTERESIS,
    CONF_ID,
    CONF_NAME,
    ENTITY_CATEGORY_DIAGNOSTIC,
)
import esphome.final_validate as fv
from esphome.types import ConfigType

CODEOWNERS = ["@nrj-monitor"]
DEPENDENCIES = ["ade9000", "api"]
AUTO_LOAD = ["event_journal", "sensor", "text_sensor"]

CONF_CONNECTED_PHASES = "connected_phases"
CONF_DIP = "dip"
CONF_HARMONICS_INTERVAL = "harmonics_interval"
CONF_INTERRUPTION = "interruption"
CONF_LAST_EVENT = "last_event"
CONF_NEUTRAL_CURRENT = "neutral_current"
CONF_NOMINAL_VOLTAGE = "nominal_voltage"
CONF_OSCILLOGRAMS = "oscillograms"
CONF_OVERCURRENT = "overcurrent"
CONF_SWELL = "swell"

# CHNL_DIS (ADE9000 data sheet Rev B, Register Map): VA, VB, VC.
VOLTAGE_INPUTS = 0b111 << 4

PHASES = {"L1": 0b001, "L2": 0b010, "L3": 0b100}

power_quality_ns = cg.esphome_ns.namespace("power_quality")
PowerQuality = power_quality_ns.class_("PowerQuality", cg.Component)
PowerQualityLimits = power_quality_ns.struct("PowerQualityLimits")


def _ratio_above_one(value: float | str) -> float:
    """Read 110% or 1.1; ESPHome's own percentage ends at 100 %."""
    text = str(value).strip()
    factor = 0.01 if text.endswith("%") else 1.0
    ratio: float = cv.float_(text.removesuffix("%").strip()) * factor
    if not 1.0 < ratio <= 2.0:
        raise cv.Invalid(
            "a swell lies above 100% and up to 200% of the nominal voltage"
        )
    return ratio


def _ordered(config: ConfigType) -> ConfigType:
    """Refuse thresholds without a healthy voltage in between."""
    if not (
        config[CONF_INTERRUPTION]
        < config[CONF_DIP]
        < config[CONF_DIP] + config[CONF_HYSTERESIS]
        <= config[CONF_SWELL] - config[CONF_HYSTERESIS]
    ):
        raise cv.Invalid(
            f"{CONF_INTERRUPTION}, {CONF_DIP} and {CONF_SWELL} must rise in this order, with twice"
            f" the {CONF_HYSTERESIS} between {CONF_DIP} and {CONF_SWELL}"
        )
    return config


def _unique_phases(phases: list[int]) -> list[int]:
    if len(set(phases)) != len(phases):
        raise cv.Invalid("name each connected phase once")
    return phases


CONFIG_SCHEMA = cv.All(
    cv.Schema(
        {
            cv.GenerateID(): cv.declare_id(PowerQuality),
            cv.GenerateID(CONF_ADE9000_ID): cv.use_id(Ade9000),
            cv.Optional(CONF_NOMINAL_VOLTAGE, default="230V"): cv.All(
                cv.voltage, cv.float_range(min=50.0, max=1000.0)
            ),
            # Of the nominal voltage; EN 50160 and, for the hysteresis, IEC 61000-4-30.
            cv.Optional(CONF_DIP, default="90%"): cv.percentage,
            cv.Optional(CONF_SWELL, default="110%"): _ratio_above_one,
            cv.Optional(CONF_INTERRUPTION, default="5%"): cv.percentage,
            cv.Optional(CONF_HYSTERESIS, default="2%"): cv.percentage,
            # Half-cycle rms above which a current is too high; not watched without.
            cv.Optional(CONF_OVERCURRENT): cv.All(
                cv.current, cv.float_range(min=0.1, max=1e5)
            ),
            # Those of the wiring without.
            cv.Optional(CONF_CONNECTED_PHASES): cv.All(
                cv.ensure_list(cv.enum(PHASES, upper=True)),
                cv.Length(min=1),
                _unique_phases,
            ),
            # Each takes 7 kB of RAM, and the first 7 kB more.
            cv.Optional(CONF_OSCILLOGRAMS, default=2): cv.int_range(min=0, max=16),
            # How often the harmonics that have a sensor are taken anew; events come first.
            cv.Optional(CONF_HARMONICS_INTERVAL, default="10s"): cv.All(
                cv.positive_time_period_milliseconds,
                cv.Range(min=cv.TimePeriod(seconds=1)),
            ),
            cv.Optional(CONF_NEUTRAL_CURRENT, default=True): cv.boolean,
            cv.Optional(CONF_LAST_EVENT): cv.maybe_simple_value(
                text_sensor.text_sensor_schema(
                    entity_category=ENTITY_CATEGORY_DIAGNOSTIC
                ),
                key=CONF_NAME,
            ),
        }
    ).extend(cv.COMPONENT_SCHEMA),
    _ordered,
)


def _final_validate(config: ConfigType) -> None:
    """Events and pages travel as Home Assistant events, and are asked for by user actions."""
    api = fv.full_config.get().get("api", {})
    for option in ("custom_services", "homeassistant_services"):
        if not api.get(option):
            raise cv.Invalid(
                f"power_quality sends its events over the native API: add '{option}: true' to 'api:'"
            )


FINAL_VALIDATE_SCHEMA = _final_validate


async def to_code(config: ConfigType) -> None:
    """Generate the power quality monitor of a meter."""
    var = cg.new_Pvariable(config[CONF_ID])
    await cg.register_component(var, config)
    hub = await cg.get_variable(config[CONF_ADE9000_ID])
    cg.add(hub.set_companion(var))
    wiring = wiring_of(hub_config(config[CONF_ADE9000_ID]))
    phases = 0
    for phase in config.get(CONF_CONNECTED_PHASES, wiring.phases):
        phases |= PHASES[phase]
    cg.add(
        var.set_limits(
            cg.StructInitializer(
                PowerQualityLimits,
                ("nominal_voltage", config[CONF_NOMINAL_VOLTAGE]),
                ("dip", config[CONF_DIP]),
                ("swell", config[CONF_SWELL]),
                ("interruption", config[CONF_INTERRUPTION]),
                ("hysteresis", config[CONF_HYSTERESIS]),
                ("overcurrent", config.get(CONF_OVERCURRENT, 0.0)),
                ("phases", phases),
                # The chip finds errors of the sequence in voltages that are not connected, too.
                ("sequence", not wiring.disabled & VOLTAGE_INPUTS),
            )
        )
    )
    cg.add(var.set_oscillograms(config[CONF_OSCILLOGRAMS]))
    cg.add(var.set_harmonics_interval(config[CONF_HARMONICS_INTERVAL]))
    cg.add(var.set_neutral_current(config[CONF_NEUTRAL_CURRENT]))
    if last_event := config.get(CONF_LAST_EVENT):
        cg.add(var.set_last_event(await text_sensor.new_text_sensor(last_event)))
